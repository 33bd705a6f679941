"""Who answers for a child, as staff record, verify and end it; the pathway asks for it where a child came alone.

The console, the API and the command line call it and commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, insert_into, time_text
from states.casework.act import Step, move_and_write
from states.casework.codes import known
from states.moves import Move, Outcome
from states.record_words import GUARDIAN_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianRecorded(Step):
    """Somebody answers for the child from now on. `code` is the record's own, `relation` one of `GUARDIAN_WORDS`."""

    code: str
    relation: str
    name: str
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianStep(Step):
    """The guardian with this code was verified."""

    guardian: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianEnded(GuardianStep):
    """They answer for the child no more. `still_needed`: somebody else is to be found."""

    still_needed: bool


_INSERT = insert_into(
    "guardian", "code", "case_id", "relation", "name", "phone", "status", "recorded_at", "recorded_by"
)


def _stamp(what: str) -> SetStatement:
    return SetStatement(
        f"UPDATE guardian SET {what}_at = r.at, {what}_by = r.actor_id FROM {{rows}} "  # noqa: S608
        "WHERE guardian.code = r.code",
        code=String(),
        at=UtcDateTime(),
        actor_id=BigId,
    )


_VERIFIED, _ENDED = _stamp("verified"), _stamp("ended")


def record_guardians(session: Session, recorded: Sequence[GuardianRecorded], *, now: datetime) -> list[Outcome]:
    """Write who answers for the child. Raises WrongUse for an unknown relation."""
    known("relation", [each.relation for each in recorded], GUARDIAN_WORDS)
    at = time_text(now)

    def write(moved: Sequence[GuardianRecorded]) -> None:
        _INSERT.execute(
            session,
            [
                (each.code, each.case_id, each.relation, each.name, each.phone, "recorded", at, each.actor.id)
                for each in moved
            ],
        )

    return move_and_write(
        session, recorded, move=lambda each: each.fires("record_guardian", record=each.code), write=write, now=now
    )


def verify_guardians(session: Session, steps: Sequence[GuardianStep], *, now: datetime) -> list[Outcome]:
    """Somebody made sure that it is so."""
    return _step(session, steps, "verify_guardian", _VERIFIED, now)


def end_guardians(session: Session, steps: Sequence[GuardianEnded], *, now: datetime) -> list[Outcome]:
    """They answer for the child no more; where somebody else is needed, a task and a clock say so."""
    return _step(session, steps, "end_guardian", _ENDED, now)


def _step(
    session: Session, steps: Sequence[GuardianStep], trigger: str, stamp: SetStatement, now: datetime
) -> list[Outcome]:
    def move(each: GuardianStep) -> Move:
        sought = {"guardian": "sought"} if isinstance(each, GuardianEnded) and each.still_needed else {}
        return each.fires(trigger, record=each.guardian, **sought)

    def write(moved: Sequence[GuardianStep]) -> None:
        stamp.execute(session, [(each.guardian, time_text(now), each.actor.id) for each in moved])

    return move_and_write(session, steps, move=move, write=write, now=now)
