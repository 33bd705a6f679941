"""Partners and what they subscribe to: adding, listing, pausing, resuming.

The command line and later the pages call it. A secret is shown once, by whoever made it; nothing here gives it back.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from integrations.bridges.formats import TAKEN
from integrations.webhooks.line import lock_subscriptions
from integrations.webhooks.missed import deliver_missed
from integrations.webhooks.targets import check_mapped, target_of
from models.errors import WrongUse
from models.events import EVENT_TYPES
from models.partner import CLOUDEVENTS, CODE_FORM, Channel, Partner, Subscription

SECRET_PREFIX: Final = "whsec_"  # noqa: S105
SECRET_BYTES: Final = 32
# Standard Webhooks: between 192 and 512 bits.
_SECRET_SIZES: Final = range(24, 65)
_CODE: Final = re.compile(CODE_FORM)
_PCODE: Final = re.compile(r"[A-Z]{2}[0-9]{2,8}")


class UnknownPartner(WrongUse):
    """No partner has this code."""


class UnknownSubscription(WrongUse):
    """No subscription has this number."""


@dataclass(frozen=True)
class SubscriptionLine:
    """A subscription as lists show it, without its secret. Empty `event_types` or `regions` means all."""

    id: int
    partner: str
    partner_name: str
    channel: str
    url: str
    format: str
    language: str
    event_types: Sequence[str]
    regions: Sequence[str]
    status: str
    status_reason: str | None
    failing_since: datetime | None
    not_before: datetime | None


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """A Standard Webhooks secret from so many random bytes (`secrets.token_bytes`)."""
    return SECRET_PREFIX + base64.b64encode(random_bytes(SECRET_BYTES)).decode()


def add_partner(session: Session, *, code: str, name: str, now: datetime) -> Partner:
    """Add a partner. Raises WrongUse for a code that is taken or not made of small letters, digits and hyphens."""
    if not _CODE.fullmatch(code):
        raise WrongUse(
            "The code of a partner has small letters, digits and hyphens, at most 40.",
            "Le code d'un partenaire a des lettres minuscules, des chiffres et des traits d'union, 40 au plus.",
        )
    if not name.strip():
        raise WrongUse("A partner needs a name.", "Il faut un nom au partenaire.")
    if session.scalar(select(col(Partner.id)).where(col(Partner.code) == code)) is not None:
        raise WrongUse(
            f"There is a partner {code} already.",
            f"Il y a déjà un partenaire {code}.",
            remedy="Add a subscription to it, or choose another code.",
            remedy_fr="Ajoutez-lui un abonnement, ou choisissez un autre code.",
        )
    partner = Partner(code=code, name=name.strip(), created_at=now)
    session.add(partner)
    session.flush()
    return partner


def add_subscription(
    session: Session,
    *,
    partner: str,
    now: datetime,
    url: str | None = None,
    secret: str = "",
    event_types: Sequence[str] = (),
    regions: Sequence[str] = (),
    channel: Channel = Channel.WEBHOOK,
    format_: str = CLOUDEVENTS,
    language: str = "fr",
    allow_loopback: bool = False,
) -> Subscription:
    """Subscribe a partner (its code) to events of these types and regions (P-codes), from the next event on.

    Only a webhook has a secret, and a format other than CloudEvents, which takes one type of event. Raises
    UnknownPartner, RefusedUrl, and WrongUse for a filter, a secret, a format or a URL that cannot be used.
    """
    known = session.scalars(select(Partner).where(col(Partner.code) == partner)).one_or_none()
    if known is None:
        raise UnknownPartner(
            f"There is no partner {partner}.",
            f"Il n'y a pas de partenaire {partner}.",
            remedy="`segin partner list` shows them.",
            remedy_fr="`segin partner list` les montre.",
        )
    target = target_of(channel, url, partner=partner, allow_loopback=allow_loopback)
    _check_filters(event_types, regions)
    if channel == Channel.WEBHOOK:
        _check_secret(secret)
    if format_ != CLOUDEVENTS:
        check_mapped(channel, event_types)
        event_types = [TAKEN]
    same = select(func.count()).where(
        *(col(Subscription.partner_id) == known.id, col(Subscription.channel) == channel),
        col(Subscription.url) == target,
    )
    if session.scalar(same):
        raise WrongUse(
            f"{partner} has a subscription to this URL already; it would get each event twice.",
            f"{partner} a déjà un abonnement à cette adresse ; il recevrait chaque événement deux fois.",
            remedy="`segin partner list` shows it.",
            remedy_fr="`segin partner list` le montre.",
        )
    subscription = Subscription(
        partner_id=known.id or 0,
        url=target,
        secret=secret,
        channel=channel,
        format=format_,
        language=language,
        cursor=known.position,
        event_types=sorted(set(event_types)),
        regions=sorted(set(regions)),
        created_at=now,
    )
    session.add(subscription)
    session.flush()
    return subscription


def list_subscriptions(session: Session) -> list[SubscriptionLine]:
    """All subscriptions, by partner."""
    statement = (
        select(
            *(col(Subscription.id), col(Partner.code), col(Partner.name), col(Subscription.channel)),
            *(col(Subscription.url), col(Subscription.format), col(Subscription.language)),
            *(col(Subscription.event_types), col(Subscription.regions), col(Subscription.status)),
            *(col(Subscription.status_reason), col(Subscription.failing_since), col(Subscription.not_before)),
        )
        .join(Partner, col(Partner.id) == col(Subscription.partner_id))
        .order_by(col(Partner.code), col(Subscription.id))
    )
    return [SubscriptionLine(*row) for row in session.execute(statement)]


def find_subscriptions(session: Session, named: str) -> list[SubscriptionLine]:
    """All subscriptions of the partner with this code, or the one with this number. Raises WrongUse for neither."""
    lines = list_subscriptions(session)
    found = [line for line in lines if line.partner == named] or [line for line in lines if str(line.id) == named]
    if not found:
        raise UnknownSubscription(
            f"No partner and no subscription is called {named}.",
            f"Ni partenaire ni abonnement ne s'appelle {named}.",
            remedy="`segin partner list` shows codes and numbers.",
            remedy_fr="`segin partner list` montre les codes et les numéros.",
        )
    return found


def pause(session: Session, subscription_id: int) -> None:
    """Let the deliveries of an active subscription wait until it is resumed; new ones are made meanwhile. One that is
    disabled stays so."""
    subscription = _existing(session, subscription_id)
    if subscription.status == "active":
        subscription.status = "paused"
    session.flush()


def resume(session: Session, subscription_id: int, *, now: datetime) -> None:
    """Send again what waits for a paused or disabled subscription, from now on; for a disabled one also what happened
    meanwhile."""
    subscription = _existing(session, subscription_id)
    was_disabled = subscription.status == "disabled"
    subscription.status, subscription.status_reason = "active", None
    subscription.failing_since = subscription.not_before = None
    subscription.failures = 0
    session.flush()
    if was_disabled:
        deliver_missed(session, subscription, now=now)


def check_is_webhook(session: Session, subscription_id: int) -> None:
    """Raises WrongUse for a subscription that nothing is posted to, or none."""
    channel = session.scalar(select(col(Subscription.channel)).where(col(Subscription.id) == subscription_id))
    if channel is None:
        raise unknown_subscription(subscription_id)
    if channel != Channel.WEBHOOK:
        raise WrongUse(
            f"Subscription {subscription_id} is no webhook: it has no secret and no endpoint.",
            f"L'abonnement {subscription_id} n'est pas un webhook : il n'a ni secret ni point d'accès.",
            remedy="`segin partner handover` serves e-mail and drop; a feed is asked for with a token.",
            remedy_fr="`segin partner handover` sert email et drop ; un flux se demande avec un jeton.",
        )


def unknown_subscription(subscription_id: int) -> UnknownSubscription:
    """The error for a number that no subscription has."""
    return UnknownSubscription(
        f"There is no subscription {subscription_id}.",
        f"Il n'y a pas d'abonnement {subscription_id}.",
        remedy="`segin partner list` shows the numbers.",
        remedy_fr="`segin partner list` montre les numéros.",
    )


def _existing(session: Session, subscription_id: int) -> Subscription:
    """Locked: a sender may be about to disable it."""
    locked = lock_subscriptions(session, [subscription_id])
    if not locked:
        raise unknown_subscription(subscription_id)
    return locked[0]


def _check_filters(event_types: Sequence[str], regions: Sequence[str]) -> None:
    for event_type in event_types:
        if event_type not in EVENT_TYPES:
            raise WrongUse(
                f"There is no event type {event_type}.",
                f"Il n'y a pas de type d'événement {event_type}.",
                remedy=f"The types are {', '.join(EVENT_TYPES)}.",
                remedy_fr=f"Les types sont {', '.join(EVENT_TYPES)}.",
            )
    for region in regions:
        if not _PCODE.fullmatch(region):
            raise WrongUse(
                f"{region} is not the P-code of a region.",
                f"{region} n'est pas le P-code d'une région.",
                remedy="A P-code is a country's two letters and digits, such as ML01.",
                remedy_fr="Un P-code est fait des deux lettres d'un pays et de chiffres, comme ML01.",
            )


def _check_secret(secret: str) -> None:
    try:
        size = len(base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True))
    except binascii.Error:
        size = 0
    if not secret.startswith(SECRET_PREFIX) or size not in _SECRET_SIZES:
        raise WrongUse(
            "The secret is not one of Standard Webhooks.",
            "Le secret n'est pas au format Standard Webhooks.",
            remedy="It is whsec_ and the base64 of 24 to 64 random bytes; leave it out to have one made.",
            remedy_fr="C'est whsec_ suivi du base64 de 24 à 64 octets aléatoires ; omettez-le pour en créer un.",
        )
