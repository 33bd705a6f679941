"""New secrets and keys for a subscription: for a while the old ones go on signing beside them.

The command line calls it, and the nightly run to forget what signs no more. What it gives back is shown once, to
whoever tells the partner.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from integrations.webhooks.line import lock_subscriptions
from integrations.webhooks.signatures import ASYMMETRIC, SYMMETRIC, new_private_key, public_key
from integrations.webhooks.subscriptions import new_secret, unknown_subscription
from models.errors import WrongUse
from models.partner import Subscription
from models.partner_access import SigningSecret

LONGEST_OVERLAP: Final = timedelta(days=90)


def rotate_secret(
    session: Session,
    subscription_id: int,
    *,
    random_bytes: Callable[[int], bytes],
    overlap: timedelta,
    now: datetime,
) -> str:
    """Give the subscription a new symmetric secret, and return it. The old one signs until `now + overlap` too.

    Raises UnknownSubscription, and WrongUse for an overlap that is negative or longer than 90 days.
    """
    subscription = _lock(session, subscription_id, overlap, now)
    if overlap:
        session.add(
            SigningSecret(
                subscription_id=subscription_id,
                scheme=SYMMETRIC,
                secret=subscription.secret,
                created_at=now,
                expires_at=now + overlap,
            )
        )
    subscription.secret = new_secret(random_bytes)
    session.flush()
    return subscription.secret


def rotate_key(
    session: Session,
    subscription_id: int,
    *,
    random_bytes: Callable[[int], bytes],
    overlap: timedelta,
    now: datetime,
) -> str:
    """Sign with a new Ed25519 key beside the symmetric secret, and return its public half. An older key signs until
    `now + overlap` too.

    Raises UnknownSubscription, and WrongUse for an overlap that is negative or longer than 90 days.
    """
    _lock(session, subscription_id, overlap, now)
    session.execute(
        update(SigningSecret)
        .where(
            *(col(SigningSecret.subscription_id) == subscription_id, col(SigningSecret.scheme) == ASYMMETRIC),
            col(SigningSecret.expires_at).is_(None),
        )
        .values(expires_at=now + overlap)
        .execution_options(synchronize_session=False)
    )
    private = new_private_key(random_bytes)
    session.add(SigningSecret(subscription_id=subscription_id, scheme=ASYMMETRIC, secret=private, created_at=now))
    session.flush()
    return public_key(private)


def forget_secrets(session: Session, *, now: datetime, limit: int) -> int:
    """Remove up to `limit` secrets and keys whose overlap is over; return how many."""
    over = select(col(SigningSecret.id)).where(col(SigningSecret.expires_at) <= now).limit(limit)
    removed = session.execute(
        delete(SigningSecret)
        .where(col(SigningSecret.id).in_(over))
        .returning(col(SigningSecret.id))
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())


def _lock(session: Session, subscription_id: int, overlap: timedelta, now: datetime) -> Subscription:
    """The subscription, for whoever comes first; what has signed long enough is forgotten on the way."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise WrongUse(
            "The old secret goes on signing for 90 days at most.",
            "L'ancien secret signe encore 90 jours au plus.",
            remedy="Give a span such as P7D, PT12H or P0D (at once).",
            remedy_fr="Donnez une durée comme P7D, PT12H ou P0D (tout de suite).",
        )
    locked = lock_subscriptions(session, [subscription_id])
    if not locked:
        raise unknown_subscription(subscription_id)
    session.execute(
        delete(SigningSecret)
        .where(col(SigningSecret.subscription_id) == subscription_id, col(SigningSecret.expires_at) <= now)
        .execution_options(synchronize_session=False)
    )
    return locked[0]
