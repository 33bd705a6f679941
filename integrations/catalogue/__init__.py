"""The catalogue of events as other systems read it: JSON Schemas, an AsyncAPI document, OpenAPI webhooks, examples.

Pure functions over `models.events`; the partner API serves them, and `sharing` names the schemas in what it writes.
"""
