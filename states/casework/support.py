"""Psychosocial sessions as staff record them. The console, the API and the command line call it and commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session

from models.errors import WrongUse
from states.bulk import insert_into, time_text
from states.casework.act import Act, lock_cases


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHeld(Act):
    """A psychosocial session, by the person who held it."""

    kind: Literal["individual", "family", "group"]
    held_at: datetime
    attended: bool = True
    note: str | None = None


_INSERT_SESSIONS = insert_into("psychosocial_session", "case_id", "kind", "held_at", "attended", "staff_id", "note")


def record_sessions(session: Session, held: Sequence[SessionHeld], *, now: datetime) -> None:
    """Write sessions, each person of a group session by itself.

    Raises WrongUse for an unknown case and for a session that is still to come.
    """
    if any(each.held_at > now for each in held):
        raise WrongUse("A session is recorded after it was held.", "Une séance s'enregistre après avoir eu lieu.")
    lock_cases(session, held)
    _INSERT_SESSIONS.execute(
        session,
        [(each.case_id, each.kind, time_text(each.held_at), each.attended, each.actor.id, each.note) for each in held],
    )
