"""How far a partner's service is between its yes and its end: recorded step by step, and read back as it stands.

The API and the command line call it and commit. The journal holds the reports; nothing else keeps them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models.case import JournalRow
from models.errors import WrongUse
from models.referrals import Referral
from states.casework.act import Step, move_and_write
from states.casework.codes import known
from states.history import CORRECTS
from states.moves import Outcome
from states.referral_words import PROGRESS_WORDS

PROGRESS: Final = "progress_referral"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralProgress(Step):
    """How far the service of an accepted referral is, by a code of `PROGRESS_WORDS`, and on which day it came there."""

    referral: str
    progress: str
    on: date


class Progress(NamedTuple):
    """The newest report that stands."""

    code: str
    on: date


def record_progress(session: Session, steps: Sequence[ReferralProgress], *, day: date, now: datetime) -> list[Outcome]:
    """Record how far services are; the referrals stay accepted, and their clocks go on. `day` is the programme's.

    Raises WrongUse for a code that is not known and for a day to come.
    """
    known("progress", [each.progress for each in steps], PROGRESS_WORDS)
    if any(each.on > day for each in steps):
        raise WrongUse(
            "Progress is reported of days that have come.",
            "L'avancement porte sur des jours déjà venus.",
            remedy="Give today or an earlier day.",
            remedy_fr="Donnez aujourd'hui ou un jour passé.",
        )
    return move_and_write(
        session,
        steps,
        move=lambda each: each.fires(PROGRESS, record=each.referral, progress=each.progress, on=each.on.isoformat()),
        write=lambda _moved: None,
        now=now,
    )


def progress_of(session: Session, referrals: Collection[str]) -> dict[str, Progress]:
    """How far the services of these referrals are, by code; without those of which nothing was reported. One query."""
    row, later = aliased(JournalRow), aliased(JournalRow)
    data: Any = row.data
    corrected: Any = later.data
    taken_back = select(col(later.id)).where(
        col(later.case_id) == col(row.case_id),
        col(later.seq) > col(row.seq),
        corrected[CORRECTS].as_integer() == col(row.seq),
    )
    query = (
        select(col(Referral.code), col(row.data))
        .join(row, col(row.case_id) == col(Referral.case_id))
        .where(
            col(Referral.code).in_(referrals),
            col(row.trigger) == PROGRESS,
            data[("record", "code")].as_string() == col(Referral.code),
            ~taken_back.exists(),
        )
        .order_by(col(row.seq))
    )
    return {code: Progress(told["progress"], date.fromisoformat(told["on"])) for code, told in session.execute(query)}
