"""The partner API: what partner systems may ask of Segin and tell it, under `/v1`. `deployments.web` mounts it."""
