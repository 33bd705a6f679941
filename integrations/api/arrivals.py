"""Lists of people who arrive: announced as JSON (`POST /v1/arrivals`) or sent as a file (`POST /v1/manifests`).

Both go through the intake of manifests. Who of them is known in Segin already, the sender does not learn: the answer
counts those that were taken in, and names by number those that could not be.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from integrations.api.calls import Write, answer, writes
from integrations.api.installation import Here, Installation
from integrations.api.problems import Language, Problem, answers
from integrations.api.requests import Answer
from integrations.manifests.announcement import announced
from integrations.manifests.headers import FIELDS
from integrations.manifests.intake import take_in_table
from integrations.manifests.known import KnownPeople
from integrations.manifests.problems import REASONS
from integrations.manifests.reader import read_rows
from integrations.manifests.registrar import Registrar
from integrations.manifests.table import Cell, ManifestTable
from integrations.manifests.unreadable import TEXTS, UnreadableManifest
from models.manifest import ManifestRow
from states.codes import case_code
from states.pathway import Text
from states.pathways.shelf import publish

router = APIRouter(tags=["arrivals"])

MOST: Final = 1_000
MOST_TOLD: Final = 500
FILES: Final = ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_PATIENCE: Final = 3.0
# The places of texts about a file that are filled with words from it.
_THEIRS: Final = ("{found}", "{sheet}", "{part}")

Announcer = Annotated[Write, Depends(writes("arrivals:write"))]
Uploader = Annotated[Write, Depends(writes("arrivals:write", *FILES))]
Words = Annotated[str | None, Field(max_length=500)]


class PersonBody(BaseModel):
    """A person who arrives, by the fields of a manifest. Without name, sex, birth date, country of departure and day of
    arrival a person is rejected; what else is not understood is kept as a remark."""

    model_config = ConfigDict(extra="forbid")

    reference: Words = Field(default=None, description="Your own reference of the person")
    family_name: Words = None
    given_names: Words = None
    sex: Words = Field(default=None, examples=["F"])
    birth_date: Words = Field(default=None, description="A date, or the year alone", examples=["1995-04-03"])
    nationality: Words = None
    departure_country: Words = Field(default=None, description="Name or ISO code", examples=["NER"])
    departure_place: Words = None
    arrival_date: Words = Field(default=None, examples=["2026-11-30"])
    transport: Words = None
    region: Words = None
    district: Words = None
    place: Words = None
    phone: Words = None
    household_size: int | None = Field(default=None, strict=True, ge=1, le=100)
    vulnerabilities: list[Annotated[str, Field(max_length=100)]] = Field(default=[], max_length=20)
    consent: bool | None = Field(default=None, strict=True, description="The person lets you share; null: not asked")
    remarks: Annotated[str | None, Field(max_length=2_000)] = None

    def cells(self) -> dict[str, Cell]:
        """The person as a row of a manifest."""
        said: dict[str, Any] = self.model_dump()
        said["vulnerabilities"] = "; ".join(self.vulnerabilities)
        said["consent"] = None if self.consent is None else str(self.consent).lower()
        return {name: said[name] for name in FIELDS}


class ArrivalsBody(BaseModel):
    """Who arrives."""

    model_config = ConfigDict(extra="forbid")

    people: Annotated[list[PersonBody], Field(min_length=1, max_length=MOST)]


class RowReason(BaseModel):
    """What is wrong with a person's row, and what should be there."""

    code: str = Field(description="Stable code of the reason")
    text: str
    expected: str


class RejectedBody(BaseModel):
    """A person who could not be taken in."""

    number: int = Field(description="Place in the announcement, the first is 0; or line in the file, the first is 1")
    reasons: list[RowReason]


class TakenBody(BaseModel):
    """What became of a list. The same list again changes nothing and has the same answer."""

    people: int = Field(description="How many the list has")
    taken: int = Field(description="Those that were taken in, now or before")
    rejected: int
    rejections: list[RejectedBody] = Field(description=f"The first {MOST_TOLD} of those that were rejected")


@router.post("/arrivals", response_model=TakenBody, responses=answers(409, 412, 415))
def announce_arrivals(body: ArrivalsBody, write: Announcer, here: Here) -> Response:
    """Announce up to 1,000 people who arrive; each is taken in, or rejected by number."""
    people = [person.cells() for person in body.people]
    table = announced(people, _name_of(write), write.call.caller.partner)
    return _take(write, here, table, first=0)


@router.post(
    "/manifests",
    response_model=TakenBody,
    responses=answers(409, 412, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in FILES},
        }
    },
)
def upload_manifest(write: Uploader, here: Here) -> Response:
    """Send the list as the file that it is: .csv or .xlsx, at most 1 MB; each row is taken in, or rejected by line."""
    try:
        table = read_rows(write.call.body, _name_of(write), here.intake.layouts)
    except UnreadableManifest as error:
        raise Problem("invalid", errors=[(f"body.{error.code}", _told(error))]) from None
    return _take(write, here, table, first=1)


def _name_of(write: Write) -> str:
    """What the list is called in Segin: whose it is and which request brought it. A file's own name may name people."""
    return f"{write.call.caller.partner} {write.call.id}"


def _take(write: Write, here: Installation, table: ManifestTable, *, first: int) -> Response:
    call, intake = write.call, here.intake

    def work(session: Session) -> Answer:
        version = publish(session, intake.pathway, call.now)
        new_code = partial(case_code, intake.random_bytes)
        registrar = Registrar(version.id or 0, call.now, call.actor, call.id, new_code)
        summary = take_in_table(session, table, KnownPeople(intake.profile), registrar)
        lines = _rejected(session, summary.manifest_id)
        rejections = [
            RejectedBody(number=line - 1 + first, reasons=[_reason(code, call.language) for code in codes])
            for line, codes in lines
        ]
        taken = summary.rows - summary.rejected
        return answer(TakenBody(people=summary.rows, taken=taken, rejected=summary.rejected, rejections=rejections))

    with _one_list():
        return write.once(work)


_at_work = threading.Lock()


@contextmanager
def _one_list() -> Iterator[None]:
    """One list at a time in this process: each holds everybody whom Segin knows in memory, to recognise people by."""
    if not _at_work.acquire(timeout=_PATIENCE):
        raise Problem("unavailable", headers={"Retry-After": "5"})
    try:
        yield
    finally:
        _at_work.release()


def _rejected(session: Session, manifest_id: int) -> list[tuple[int, Sequence[str]]]:
    """The lines of a manifest that were rejected, each with the codes of its reasons."""
    rows = session.execute(
        select(col(ManifestRow.line), col(ManifestRow.reason), col(ManifestRow.raw))
        .where(col(ManifestRow.manifest_id) == manifest_id, col(ManifestRow.outcome) == "rejected")
        .order_by(col(ManifestRow.line))
        .limit(MOST_TOLD)
    )
    # What a row held is erased when its retention ends; its first reason stays.
    return [
        (line, list(dict.fromkeys(code for _, code, _ in raw["problems"])) if raw else [str(reason)])
        for line, reason, raw in rows
    ]


def _reason(code: str, language: Language) -> RowReason:
    words = REASONS[code]
    message, expected = Text(words.message_fr, words.message_en), Text(words.expected_fr, words.expected_en)
    return RowReason(code=code, text=message.in_(language), expected=expected.in_(language))


def _told(error: UnreadableManifest) -> Text:
    """Why the file as a whole cannot be read and what to do, without a word from it."""
    texts = TEXTS[error.code]
    return Text(
        _without_theirs(error.message_fr.removeprefix(f"{error.file} : "), texts.what_fr)
        + _without_theirs(str(error.remedy_fr), texts.remedy_fr),
        _without_theirs(error.message_en.removeprefix(f"{error.file}: "), texts.what_en)
        + _without_theirs(str(error.remedy), texts.remedy_en),
    )


def _without_theirs(sentences: str, template: str) -> str:
    """The sentences, or as many of them as hold nothing from the file."""
    theirs = [template.find(place) for place in _THEIRS if place in template]
    ours = template[: min(theirs)].rpartition(". ")[0] if theirs else sentences.removesuffix(".")
    return f"{ours}. " if ours else ""
