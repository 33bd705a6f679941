"""Registers returnees: person, household, case, first journal row, tasks, clocks, event and consent, in sets.

Intake calls it for a manifest's rows, staff's edges for a single person; they commit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Integer, String
from sqlmodel import Session

from models.types import utc_text
from states.bulk import SetStatement, insert_into
from states.casework.vulnerabilities import identify_from_manifest
from states.chain import GENESIS
from states.decide import REGISTER, registration_effects
from states.entries import new_entry, write_entries
from states.gather import CaseRow, facts_of, load_cases
from states.moves import Actor, Move
from states.pathway import Pathway
from states.pathways.shelf import pathways_of


@dataclass(frozen=True, slots=True)
class Registration:
    """A person who returned. `returnee_id` names one who is known already and returns again: their row stays as it is.

    `manifest_checksum` and `manifest_line` say which row of which file it was; the same place is registered once.
    `consent_to_share` none: not asked.
    """

    family_name: str
    given_names: str
    name_key: str
    sex: str
    birth_date: date | None
    birth_precision: str
    arrival_date: date
    departure_country: str
    nationality: str | None = None
    reference: str | None = None
    phone: str | None = None
    vulnerabilities: tuple[str, ...] = ()
    remarks: str | None = None
    household_size: int | None = None
    departure_place: str | None = None
    region_pcode: str | None = None
    district_pcode: str | None = None
    office_id: int | None = None
    manifest_checksum: str | None = None
    manifest_line: int | None = None
    consent_to_share: bool | None = None
    returnee_id: int | None = None

    @property
    def place(self) -> tuple[str, int] | None:
        """Where in which file it stands."""
        if self.manifest_checksum is None or self.manifest_line is None:
            return None
        return self.manifest_checksum, self.manifest_line


class Registered(NamedTuple):
    """What became of a registration; `already_known`: its place in the file has its case already."""

    kind: Literal["registered", "already_known"]
    case_id: int
    case_code: str
    returnee_id: int


_LOCK_MANIFESTS = SetStatement(
    "SELECT pg_advisory_xact_lock(hashtextextended(s.checksum, 0)) "
    "FROM (SELECT r.checksum FROM {rows} ORDER BY r.checksum) AS s",
    checksum=String(),
)
_KNOWN = SetStatement(
    'SELECT c.manifest_checksum, c.manifest_line, c.id, c.code, c.returnee_id FROM "case" AS c JOIN {rows} '
    "ON c.manifest_checksum = r.checksum AND c.manifest_line = r.line",
    checksum=String(),
    line=Integer(),
)
_INSERT_HOUSEHOLDS = insert_into("household", "code", "size", "created_at", returning="code, id")
_INSERT_MEMBERS = insert_into("household_member", "household_id", "returnee_id", "role", "since", "recorded_by")
_INSERT_RETURNEES = insert_into(
    "returnee",
    *("code", "reference", "family_name", "given_names", "name_key", "sex", "birth_date", "birth_precision"),
    *("nationality", "phone", "vulnerabilities", "remarks", "created_at"),
    returning="code, id",
)
_INSERT_CASES = insert_into(
    "case",
    *("code", "returnee_id", "pathway_version_id", "state", "entered_state_at", "version", "events", "journal_head"),
    *("priority", "office_id", "arrival_date", "departure_country", "departure_place", "region_pcode"),
    *("district_pcode", "manifest_checksum", "manifest_line", "registered_at"),
    returning="code, id",
)
_INSERT_CONSENTS = insert_into(
    "consent",
    *("code", "case_id", "status", "purpose", "any_partner", "information", "source", "recorded_at", "recorded_by"),
)


def register_cases(
    session: Session,
    registrations: Sequence[Registration],
    *,
    pathway_version_id: int,
    now: datetime,
    actor: Actor,
    correlation_id: str,
    new_code: Callable[[], str],
) -> list[Registered]:
    """Register people, in the caller's transaction; one answer each, in the same order.

    The number of SQL statements does not depend on how many there are (but, by a little, on the most vulnerabilities
    that one of them has: each is identified, and its clock starts here). `new_code` gives a code never given before
    (see `states.codes`). Raises WrongUse for a pathway version that is not published.
    """
    session.flush()
    pathway = pathways_of(session, [pathway_version_id])[pathway_version_id]
    known = _known(session, registrations)
    fresh: dict[object, Registration] = {}
    for index, registration in enumerate(registrations):
        if registration.place not in known:
            fresh.setdefault(registration.place or index, registration)
    people = _insert_people(session, fresh.values(), now, actor, new_code)
    cases = _insert_cases(session, fresh.values(), people, pathway, pathway_version_id, now, new_code)
    _begin(session, pathway, cases, actor, correlation_id, now)
    _insert_consents(session, fresh.values(), cases, now, actor, new_code)
    said = zip(cases, (registration.vulnerabilities for registration in fresh.values()), strict=True)
    identify_from_manifest(session, pathway, said, correlation_id=correlation_id, new_code=new_code, now=now)
    made = {
        key: Registered("registered", case.id, case.code, returnee_id)
        for key, case, returnee_id in zip(fresh, cases, people, strict=True)
    }
    answers = []
    for index, registration in enumerate(registrations):
        key = registration.place or index
        answers.append(known[key] if key in known else made[key])
        known[key] = answers[-1]._replace(kind="already_known")
    return answers


def _known(session: Session, registrations: Sequence[Registration]) -> dict[object, Registered]:
    """The cases of places in files that were registered before. Nobody else registers from these files meanwhile."""
    places = list({registration.place: None for registration in registrations if registration.place})
    if not places:
        return {}
    if session.connection().dialect.name == "postgresql":
        _LOCK_MANIFESTS.execute(session, list({(checksum,) for checksum, _ in places}))
    return {
        (checksum, line): Registered("already_known", case_id, code, returnee_id)
        for checksum, line, case_id, code, returnee_id in _KNOWN.execute(session, places)
    }


def _insert_people(
    session: Session,
    registrations: Collection[Registration],
    now: datetime,
    actor: Actor,
    new_code: Callable[[], str],
) -> list[int]:
    """Returnee ids in the order of the registrations; people who are known keep theirs."""
    new = [registration for registration in registrations if registration.returnee_id is None]
    codes = [new_code() for _ in new]
    returnees = [
        (
            *(code, person.reference, person.family_name, person.given_names, person.name_key, person.sex),
            *(person.birth_date, person.birth_precision, person.nationality, person.phone, person.vulnerabilities),
            *(person.remarks, utc_text(now)),
        )
        for code, person in zip(codes, new, strict=True)
    ]
    ids = _ids(_INSERT_RETURNEES, session, returnees)
    _insert_households(
        session, [(ids[code], person) for code, person in zip(codes, new, strict=True)], now, actor, new_code
    )
    made = iter(codes)
    return [
        ids[next(made)] if registration.returnee_id is None else registration.returnee_id
        for registration in registrations
    ]


def _insert_households(
    session: Session,
    people: Sequence[tuple[int, Registration]],
    now: datetime,
    actor: Actor,
    new_code: Callable[[], str],
) -> None:
    """A household for each person whose manifest gave its size; who else is in it, the manifest does not say."""
    at = utc_text(now)
    of_person = {new_code(): (id_, each.household_size) for id_, each in people if each.household_size is not None}
    ids = _ids(_INSERT_HOUSEHOLDS, session, [(code, size, at) for code, (_, size) in of_person.items()])
    members = [(ids[code], returnee_id, "unknown", at, actor.id) for code, (returnee_id, _) in of_person.items()]
    if members:
        _INSERT_MEMBERS.execute(session, members)


def _insert_cases(
    session: Session,
    registrations: Collection[Registration],
    people: Sequence[int],
    pathway: Pathway,
    pathway_version_id: int,
    now: datetime,
    new_code: Callable[[], str],
) -> list[CaseRow]:
    """The cases as they stand before their first journal row, in the order of the registrations."""
    at = utc_text(now)
    codes = [new_code() for _ in registrations]
    rows = [
        (
            *(code, returnee_id, pathway_version_id, pathway.initial, at, 0, 0, GENESIS, "normal", new.office_id),
            *(new.arrival_date, new.departure_country, new.departure_place, new.region_pcode, new.district_pcode),
            *(new.manifest_checksum, new.manifest_line, at),
        )
        for code, returnee_id, new in zip(codes, people, registrations, strict=True)
    ]
    ids = _ids(_INSERT_CASES, session, rows)
    cases = load_cases(session, ids.values())
    return [cases[ids[code]] for code in codes]


def _begin(
    session: Session, pathway: Pathway, cases: Sequence[CaseRow], actor: Actor, correlation_id: str, now: datetime
) -> None:
    """Write the first journal row of each case, and what begins with it."""
    facts = facts_of(session, cases, ())
    entries = []
    for case in cases:
        move = Move(case.id, REGISTER, actor, f"{REGISTER}:{case.code}", correlation_id)
        effects = registration_effects(pathway, facts[case.id], now)
        entries.append(new_entry(pathway, case, move, None, pathway.initial, effects, now))
    write_entries(session, entries, now)


def _insert_consents(
    session: Session,
    registrations: Collection[Registration],
    cases: Sequence[CaseRow],
    now: datetime,
    actor: Actor,
    new_code: Callable[[], str],
) -> None:
    """What the manifest says of sharing: it names no receiver and no information, so no referral can lean on it."""
    rows: list[tuple[object, ...]] = [
        (
            *(new_code(), case.id, "given" if registration.consent_to_share else "refused", "sharing", False, []),
            *("manifest", utc_text(now), actor.id),
        )
        for case, registration in zip(cases, registrations, strict=True)
        if registration.consent_to_share is not None
    ]
    if rows:
        _INSERT_CONSENTS.execute(session, rows)


def _ids(statement: SetStatement, session: Session, rows: list[tuple[Any, ...]]) -> dict[str, int]:
    """The ids of the inserted rows by their code."""
    return dict(map(tuple, statement.execute(session, rows))) if rows else {}
