"""The signatures of Standard Webhooks, symmetric (`v1`) and asymmetric (`v1a`, Ed25519), and the keys of the latter.

The sender signs each attempt with every key that is in force, `rotation` makes new ones.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks.webhooks import Webhook

PRIVATE_PREFIX: Final = "whsk_"
PUBLIC_PREFIX: Final = "whpk_"
SEED_BYTES: Final = 32

SYMMETRIC: Final = "v1"
ASYMMETRIC: Final = "v1a"


def new_private_key(random_bytes: Callable[[int], bytes]) -> str:
    """The private half of an Ed25519 pair: its seed. Nobody but Segin ever sees it."""
    return PRIVATE_PREFIX + base64.b64encode(random_bytes(SEED_BYTES)).decode()


def public_key(private: str) -> str:
    """The half that the partner verifies with; it may be known to anybody."""
    return PUBLIC_PREFIX + base64.b64encode(_private_key(private).public_key().public_bytes_raw()).decode()


def signed_headers(
    secret: str, event_uid: str, body: bytes, at: datetime, *, others: Sequence[str] = ()
) -> dict[str, str]:
    """The three Standard Webhooks headers for an attempt made at `at` (aware; any time zone), signed with the secret
    and with the `others` that are in force beside it."""
    moment = at.astimezone(UTC)  # the library replaces the time zone instead of converting
    return {
        "webhook-id": event_uid,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(sign(key, event_uid, body, moment) for key in (secret, *others)),
    }


def sign(key: str, event_uid: str, body: bytes, at: datetime) -> str:
    """One signature of an attempt made at `at` (UTC), as the header `webhook-signature` has it."""
    if not key.startswith(PRIVATE_PREFIX):
        return Webhook(key).sign(event_uid, at, body.decode())
    signed = f"{event_uid}.{int(at.timestamp())}.".encode() + body
    return f"{ASYMMETRIC},{base64.b64encode(_private_key(key).sign(signed)).decode()}"


@lru_cache(maxsize=256)
def _private_key(private: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(private.removeprefix(PRIVATE_PREFIX)))
