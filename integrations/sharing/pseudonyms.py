"""The codes under which one partner knows cases and events: its own, so that two partners cannot join what they know.

They follow from the partner's key alone, so that whoever makes one makes the same. `projection` and the partner API
call it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from sqlmodel import Session, col, select

from models.sharing import PartnerCase

LETTERS: Final = 26
"""Of 5 bits each: 130, so that codes are neither guessed nor met twice."""

Pair = tuple[int, int]
"""(partner id, case id)."""


def case_code(pseudonym_key: str, case_id: int) -> str:
    """The partner's code of a case, such as `c-` and 26 small letters and digits; the key is in hex."""
    return f"c-{_digest(pseudonym_key, f'case:{case_id}')}"


def event_uid(pseudonym_key: str, uid: str) -> str:
    """The partner's id of the event with this uid."""
    return f"evt-{_digest(pseudonym_key, f'event:{uid}')}"


def case_of(session: Session, partner_id: int, code: str) -> int | None:
    """The id of the case that the partner knows by this code, since it was shown something of it; none for another
    partner's code, or for no code."""
    query = select(PartnerCase.case_id).where(col(PartnerCase.partner_id) == partner_id, col(PartnerCase.code) == code)
    return session.exec(query).one_or_none()


def _digest(pseudonym_key: str, about: str) -> str:
    digest = hmac.new(bytes.fromhex(pseudonym_key), about.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:LETTERS]
