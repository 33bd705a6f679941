"""The people that the database knows, as an index to recognise rows by. `intake` keeps it up to date file by file.

An edge makes one for a folder of manifests and passes it to each `take_in`; after a rollback it makes a new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from integrations.manifests.arrival import ArrivalRow
from integrations.manifests.evidence import Person
from integrations.manifests.matching import Match, PeopleIndex
from integrations.manifests.profile import Profile
from models.case import Case
from models.manifest import ManifestRow
from models.returnee import Returnee

_FETCHED: Final = 2_000

_RETURNS = select(
    col(Case.id),
    col(Case.returnee_id),
    col(Returnee.reference),
    col(Returnee.family_name),
    col(Returnee.given_names),
    col(Returnee.name_key),
    col(Returnee.sex),
    col(Returnee.birth_date),
    col(Returnee.birth_precision),
    col(Case.arrival_date),
    col(Case.departure_country),
    col(Case.region_pcode),
    col(Case.district_pcode),
    col(Returnee.phone),
).join_from(Case, Returnee, col(Case.returnee_id) == col(Returnee.id))

# Rows that wait, and rows that somebody said are a known person: their references and spellings count from then on.
_SAID_TO_BE_KNOWN: Final = ("same", "returned_again")
_ROWS = (
    select(col(ManifestRow.id), col(ManifestRow.raw), col(ManifestRow.case_id), col(Case.returnee_id))
    .join_from(ManifestRow, Case, col(ManifestRow.case_id) == col(Case.id), isouter=True)
    .where((col(ManifestRow.outcome) == "waiting") | col(ManifestRow.decision).in_(_SAID_TO_BE_KNOWN))
)


class KnownPeople:
    """Everybody with a case, and everybody who waits for a decision; filled by `catch_up`."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._index = PeopleIndex(profile.spellings)
        self._last_case = self._last_row = 0

    def catch_up(self, session: Session) -> None:
        """Adds who was registered, or began to wait, since the last time: two queries, whatever the number."""
        for case_id, returnee_id, reference, family_name, given_names, *rest in self._since(
            session, _RETURNS, col(Case.id), self._last_case
        ):
            name_key, sex, birth_date, birth_precision, *others = rest
            sounds = self._index.sounds(family_name, given_names)
            person = Person(reference, name_key, sounds, sex, birth_date, birth_precision, *others)
            person.case_id, person.returnee_id = case_id, returnee_id
            self._index.add(person)
            self._last_case = case_id
        for row_id, raw, case_id, returnee_id in self._since(session, _ROWS, col(ManifestRow.id), self._last_row):
            self._last_row = row_id
            if raw is None:
                continue  # erased when its retention ended
            person = self._index.person(ArrivalRow.from_json(raw))
            person.case_id, person.returnee_id, person.waiting = case_id, returnee_id, case_id is None
            self._index.add(person)

    def recognise(self, row: ArrivalRow) -> tuple[Person, Match]:
        """The person of a row, and whether they are known, may be, or are new."""
        person = self._index.person(row)
        return person, self._index.recognise(person)

    def add(self, person: Person) -> None:
        """Makes somebody known before the database does, for the rows that follow in the same file."""
        self._index.add(person)

    def saw_all(self, session: Session) -> None:
        """Says that whoever the database knows by now was added: a file's own people were, while it was read."""
        newest = select(
            select(func.max(col(Case.id))).scalar_subquery(), select(func.max(col(ManifestRow.id))).scalar_subquery()
        )
        case_id, row_id = session.execute(newest).one()
        self._last_case, self._last_row = case_id or 0, row_id or 0

    def _since(self, session: Session, query: Any, identifier: Any, last: int) -> Iterator[Any]:
        newer = query.where(identifier > last).order_by(identifier)
        yield from session.execute(newer, execution_options={"yield_per": _FETCHED})
