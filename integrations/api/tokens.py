"""Tokens of the partner API: made, shown once, recognised, replaced with an overlap, taken back.

The command line makes them, `integrations.api.gate` recognises them. A token is `prefix.secret`; only the SHA-256 of
the secret is kept, which is enough for 256 random bits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from integrations.api.scopes import known_scopes
from models.errors import WrongUse
from models.partner import Partner
from models.partner_access import PartnerToken
from models.referral_list import find_partner

RandomBytes = Callable[[int], bytes]

DEFAULT_LIFE: Final = timedelta(days=365)
LONGEST_LIFE: Final = timedelta(days=2 * 365 + 1)
LONGEST_OVERLAP: Final = timedelta(days=90)
NOTED_EVERY: Final = timedelta(minutes=1)

_TOKEN: Final = re.compile(r"(segin_[a-z2-7]{16})\.([A-Za-z0-9_-]{43})")
_NOBODYS: Final = "0" * 64


class MadeToken(NamedTuple):
    """A new token. `shown` is the token itself: it is not kept and cannot be shown again."""

    row: PartnerToken
    shown: str


class TokenLine(NamedTuple):
    """A token as lists show it. `status` is active, expired or revoked."""

    prefix: str
    partner: str
    title: str
    scopes: Sequence[str]
    status: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, and what it may be used for."""

    token_id: int
    partner_id: int
    partner: str
    partner_name: str
    prefix: str
    title: str
    scopes: frozenset[str]
    expires_at: datetime
    last_used_at: datetime | None


Unrecognised = Literal["token_unknown", "token_expired", "token_revoked", "partner_paused"]


def add_token(
    session: Session,
    *,
    partner: str,
    title: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    random_bytes: RandomBytes,
    now: datetime,
) -> MadeToken:
    """A new token of the partner with this code, for a year unless said otherwise.

    Raises WrongUse for an unknown partner or scope, and for an end in the past or more than two years away.
    """
    owner = find_partner(session, partner)
    allowed = known_scopes(scopes)
    until = now + DEFAULT_LIFE if expires_at is None else expires_at
    if not now < until <= now + LONGEST_LIFE:
        raise WrongUse(
            "A token ends in the future, two years from now at most.",
            "Un jeton prend fin dans l'avenir, dans deux ans au plus.",
            remedy="Choose a nearer day; a token can be rotated before it ends.",
            remedy_fr="Choisissez un jour plus proche ; un jeton peut être remplacé avant sa fin.",
        )
    return _make(session, owner.id or 0, title, allowed, until, random_bytes, now)


def rotate_token(
    session: Session, prefix: str, *, overlap: timedelta, random_bytes: RandomBytes, now: datetime
) -> MadeToken:
    """A new token with the title and scopes of this one, for as long as that one counts in all; both
    work for `overlap`.

    Raises WrongUse for an unknown token, one that does not count any more, and an overlap that is too long.
    """
    old = _find(session, prefix)
    if _status(old, now) != "active":
        raise WrongUse(
            "This token does not count any more and cannot be replaced.",
            "Ce jeton ne compte plus et ne peut pas être remplacé.",
            remedy="Add a new one: `segin token add`.",
            remedy_fr="Ajoutez-en un nouveau : `segin token add`.",
        )
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise WrongUse(
            "Two tokens overlap for 90 days at most.",
            "Deux jetons se recouvrent 90 jours au plus.",
            remedy="Choose a shorter overlap.",
            remedy_fr="Choisissez un recouvrement plus court.",
        )
    life = old.expires_at - old.created_at
    made = _make(session, old.partner_id, old.title, old.scopes, now + life, random_bytes, now)
    old.expires_at = min(old.expires_at, now + overlap)
    session.add(old)
    session.flush()
    return made


def revoke_token(session: Session, prefix: str, *, now: datetime) -> PartnerToken:
    """From now on this token does not count; again changes nothing. Raises WrongUse for an unknown one."""
    token = _find(session, prefix)
    token.revoked_at = token.revoked_at or now
    session.add(token)
    session.flush()
    return token


def list_tokens(session: Session, *, now: datetime, partner: str | None = None) -> list[TokenLine]:
    """Every token, or this partner's, by partner and then age; no secret and no digest."""
    query = select(PartnerToken, col(Partner.code)).join(Partner, col(Partner.id) == col(PartnerToken.partner_id))
    if partner is not None:
        query = query.where(col(Partner.code) == find_partner(session, partner).code)
    rows = session.execute(query.order_by(col(Partner.code), col(PartnerToken.id)))
    return [
        TokenLine(
            *(row.prefix, code, row.title, row.scopes, _status(row, now), row.created_at),
            *(row.expires_at, row.last_used_at, row.revoked_at),
        )
        for row, code in rows
    ]


def recognise(session: Session, presented: str, *, now: datetime) -> Caller | Unrecognised:
    """Whose token this is, or why it does not count; that is told only to somebody who knows its secret."""
    parts = _TOKEN.fullmatch(presented)
    prefix, secret = parts.groups() if parts else ("", "")
    found = session.execute(
        select(PartnerToken, Partner)
        .join(Partner, col(Partner.id) == col(PartnerToken.partner_id))
        .where(col(PartnerToken.prefix) == prefix)
    ).first()
    known = hmac.compare_digest(_digest(secret), found[0].digest if found else _NOBODYS)
    if found is None or not known:
        return "token_unknown"
    token, partner = found
    status = _status(token, now)
    if status == "revoked":
        return "token_revoked"
    if status == "expired":
        return "token_expired"
    if not partner.active:
        return "partner_paused"
    return Caller(
        *(token.id or 0, partner.id or 0, partner.code, partner.name, token.prefix, token.title),
        *(frozenset(token.scopes), token.expires_at, token.last_used_at),
    )


def is_worth_noting(caller: Caller, now: datetime) -> bool:
    """Whether the last use of the token was noted a minute ago or longer."""
    return caller.last_used_at is None or caller.last_used_at <= now - NOTED_EVERY


def note_use(session: Session, token_id: int, *, now: datetime) -> None:
    """The token was used now; written at most once a minute, whoever else writes it at the same time."""
    noted = col(PartnerToken.last_used_at)
    session.execute(
        update(PartnerToken)
        .where(col(PartnerToken.id) == token_id, or_(noted.is_(None), noted <= now - NOTED_EVERY))
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


def _make(
    session: Session,
    partner_id: int,
    title: str,
    scopes: list[str],
    expires_at: datetime,
    random_bytes: RandomBytes,
    now: datetime,
) -> MadeToken:
    prefix = "segin_" + b32encode(random_bytes(10)).decode().lower()
    secret = urlsafe_b64encode(random_bytes(32)).decode().rstrip("=")
    row = PartnerToken(
        partner_id=partner_id,
        title=title.strip() or "API",
        prefix=prefix,
        digest=_digest(secret),
        scopes=list(scopes),
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return MadeToken(row, f"{prefix}.{secret}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _status(token: PartnerToken, now: datetime) -> str:
    if token.revoked_at is not None and token.revoked_at <= now:
        return "revoked"
    return "active" if now < token.expires_at else "expired"


def _find(session: Session, prefix: str) -> PartnerToken:
    token = session.scalars(select(PartnerToken).where(col(PartnerToken.prefix) == prefix)).first()
    if token is None:
        raise WrongUse(
            "There is no such token.",
            "Ce jeton n'existe pas.",
            remedy="Give its prefix, the part before the dot: `segin token list`.",
            remedy_fr="Donnez son préfixe, la partie avant le point : `segin token list`.",
        )
    return token
