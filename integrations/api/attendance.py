"""`POST /v1/attendance`: who came to a partner's courses on which day, a sheet of many people at once.

Each entry is taken by itself: those that cannot be are told by their number, and keep none of the others out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from integrations.api.calls import answer
from integrations.api.problems import Language, answers
from integrations.api.reports import CourseCode, Reporter
from integrations.api.requests import Answer
from integrations.api.taken_on import (
    NO_ENROLMENT,
    NOT_TAKEN_ON,
    Enrolment,
    OwnReferral,
    enrolments,
    of_the_course,
    own_referrals,
)
from states.casework.training import AttendanceSheet, record_attendance
from states.guards.contacts import TAKEN_ON
from states.moves import OutcomeKind, Reason

router = APIRouter(tags=["reports"])

MOST: Final = 500
_NO_REFERRAL: Final = Reason(
    "not_found",
    "Il n'y a pas d'orientation vers vous sous ce code : vérifiez `referral`.",
    "There is no referral to you with this code: check `referral`.",
    "referral",
)
_NO_DAY: Final = Reason(
    "not_a_day_of_the_course",
    "Ce n'est pas un jour déjà venu de la formation : donnez un jour entre son début et aujourd'hui.",
    "This is no day of the course that has come: give one between its first day and today.",
    "day",
)
_TWICE: Final = Reason(
    "named_twice",
    "Une entrée précédente parle du même jour de la même personne : gardez-en une.",
    "An earlier entry is about the same day of the same person: keep one of them.",
    "day",
)


class AttendanceEntry(BaseModel):
    """Whether a person came to your course on a day. A day that was recorded before is corrected."""

    model_config = ConfigDict(extra="forbid")

    referral: str = Field(pattern=r"^[0-9A-Z-]{1,40}$", description="Code of the referral, which you have accepted")
    course: CourseCode
    day: date
    present: bool = Field(strict=True)


class AttendanceBody(BaseModel):
    """A sheet."""

    model_config = ConfigDict(extra="forbid")

    entries: Annotated[list[AttendanceEntry], Field(min_length=1, max_length=MOST)]


class EntryReason(BaseModel):
    """Why an entry was not recorded, and what to do."""

    code: str = Field(description="Stable code of the reason")
    field: str | None = Field(description="The field that it is about; null: none in particular")
    text: str


class EntryResult(BaseModel):
    """What became of an entry."""

    entry: int = Field(description="Its number in the sheet; the first is 0")
    status: Literal["recorded", "refused"]
    reasons: list[EntryReason]


class SheetBody(BaseModel):
    """What became of a sheet, entry by entry, in its order."""

    recorded: int
    refused: int
    results: list[EntryResult]


@router.post("/attendance", response_model=SheetBody, responses=answers(409, 412, 415))
def report_attendance(body: AttendanceBody, write: Reporter) -> Response:
    """Who came to your courses, of the people whom you took on; up to 500 entries, a result for each."""
    call = write.call

    def work(session: Session) -> Answer:
        partner_id, entries = call.caller.partner_id, body.entries
        own = own_referrals(session, partner_id, {each.referral for each in entries})
        wanted = {(own[each.referral].case_id, each.course) for each in entries if each.referral in own}
        places = enrolments(session, partner_id, wanted)
        refused: dict[int, tuple[Reason, ...]] = {}
        sheets: dict[str, list[int]] = defaultdict(list)
        cases: dict[str, int] = {}
        days: set[tuple[str, date]] = set()
        for number, entry in enumerate(entries):
            found = _place(entry, own, places, call.now.date())
            if isinstance(found, Reason):
                refused[number] = (found,)
            elif (found.code, entry.day) in days:
                refused[number] = (_TWICE,)
            else:
                days.add((found.code, entry.day))
                sheets[found.code].append(number)
                cases[found.code] = own[entry.referral].case_id
        said = [
            AttendanceSheet(
                case_id=cases[code],
                actor=call.actor,
                command_id=f"{write.command_id}-{code}",
                correlation_id=call.id,
                enrolment=code,
                days=tuple((entries[number].day, entries[number].present) for number in numbers),
            )
            for code, numbers in sheets.items()
        ]
        outcomes = record_attendance(session, said, now=call.now)
        for sheet, outcome in zip(said, outcomes, strict=True):
            if outcome.kind not in (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE):
                refused |= dict.fromkeys(sheets[sheet.enrolment], of_the_course(outcome.reasons))
        return answer(_sheet(len(entries), refused, call.language))

    return write.once(work)


def _place(
    entry: AttendanceEntry,
    own: Mapping[str, OwnReferral],
    places: Mapping[tuple[int, str], Enrolment],
    today: date,
) -> Enrolment | Reason:
    """The place on the course that the entry is about, or what stands against it."""
    referral = own.get(entry.referral)
    if referral is None:
        return _NO_REFERRAL
    if referral.status not in TAKEN_ON:
        return NOT_TAKEN_ON
    place = places.get((referral.case_id, entry.course))
    if place is None:
        return NO_ENROLMENT
    if not place.course.starts_on <= entry.day <= min(place.course.ends_on, today):
        return _NO_DAY
    return place


def _sheet(number: int, refused: Mapping[int, Sequence[Reason]], language: Language) -> SheetBody:
    def told(reason: Reason) -> EntryReason:
        field = reason.missing if reason.missing in AttendanceEntry.model_fields else None
        text = reason.text_fr if language == "fr" else reason.text_en
        return EntryReason(code=reason.code, field=field, text=text)

    results = [
        EntryResult(
            entry=place,
            status="refused" if place in refused else "recorded",
            reasons=[told(each) for each in refused.get(place, ())],
        )
        for place in range(number)
    ]
    return SheetBody(recorded=number - len(refused), refused=len(refused), results=results)
