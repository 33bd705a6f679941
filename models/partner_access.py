"""How partner systems get in: tokens of the partner API, the secrets that sign what they receive, and their writes.

`integrations.api` and `integrations.webhooks` write it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, sensitive


class PartnerToken(SQLModel, table=True):
    """A token `prefix.secret` of the partner API, shown once: `digest` is the SHA-256 of the secret, in hex.

    `scopes` are codes of `integrations.api.scopes`. It counts until `expires_at`, or `revoked_at` when that is sooner.
    Whoever replaces it brings `expires_at` forward to the end of the overlap.
    """

    __tablename__ = "partner_token"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    partner_id: int = internal(foreign_key="partner.id", index=True, sa_type=BigId)
    title: str = internal()
    prefix: str = internal(unique=True)
    digest: str = sensitive()
    scopes: list[str] = internal(default_factory=list, sa_type=Json)
    created_at: datetime = internal(sa_type=UtcDateTime)
    expires_at: datetime = internal(sa_type=UtcDateTime)
    last_used_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class SigningSecret(SQLModel, table=True):
    """A secret beside the subscription's own that signs its deliveries until `expires_at`: one that is being replaced,
    or (`scheme` v1a, Ed25519) the key of an asymmetric signature. `scheme` v1 is Standard Webhooks' symmetric one."""

    __tablename__ = "signing_secret"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    subscription_id: int = internal(foreign_key="subscription.id", index=True, sa_type=BigId)
    scheme: str = internal()
    secret: str = sensitive()
    created_at: datetime = internal(sa_type=UtcDateTime)
    expires_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class ApiRequest(SQLModel, table=True):
    """A write through the partner API under its idempotency key: the same again gets the answer that was given.

    `digest` is the SHA-256 of method, path and body; the same key with another digest is refused. The key and its
    answer are committed together: only the transaction that takes the key sees a `status_code` of none.
    """

    __tablename__ = "api_request"
    __table_args__ = (UniqueConstraint("partner_id", "key", name="uq_api_request_key"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    partner_id: int = internal(foreign_key="partner.id", sa_type=BigId)
    key: str = internal()
    digest: str = internal()
    status_code: int | None = internal(default=None)
    body: str | None = personal(default=None)
    headers: dict[str, str] = internal(default_factory=dict, sa_type=Json)
    created_at: datetime = internal(index=True, sa_type=UtcDateTime)
