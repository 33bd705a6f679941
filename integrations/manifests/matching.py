"""Tells the same person again, probable duplicates and new people apart. `intake` keeps one index for many files.

Only people who share a birth day, a phone number or a name that sounds alike in the same years are compared, so that
five thousand rows against a hundred thousand people stay a matter of seconds. Nothing is ever merged here: a probable
duplicate waits for a person with its three best candidates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from integrations.manifests.arrival import ArrivalRow
from integrations.manifests.evidence import (
    ENOUGH,
    MOST,
    Person,
    day_is_known,
    names_alike,
    swapped,
    weigh,
)
from integrations.manifests.names import Spellings, name_key, sound

CANDIDATES: Final = 3

# More people than a household has: the number of an office or a driver, which says nothing about who called from it.
_SHARED_PHONE: Final = 20
_YEARS_APART: Final = 2


class Candidate(NamedTuple):
    """Somebody whom a row might be: 0-100, and why (keys of `evidence.WHY`)."""

    person: Person
    score: int
    why: tuple[str, ...]


class Match(NamedTuple):
    """What the index says of a person: known `again`, or like some `candidates`, or (both empty) new."""

    again: Person | None
    candidates: tuple[Candidate, ...]


class PeopleIndex:
    """Everybody who is known, found by reference, birth day, phone and sound of the name."""

    def __init__(self, spellings: Spellings) -> None:
        self._spellings = spellings
        self._by_reference: dict[str, list[Person]] = defaultdict(list)
        self._by_birth: dict[int, list[Person]] = defaultdict(list)
        self._by_phone: dict[str, list[Person]] = defaultdict(list)
        self._by_name_year: dict[tuple[str, int], list[Person]] = defaultdict(list)

    def person(self, row: ArrivalRow) -> Person:
        """The person of a row, made comparable but not yet in the index."""
        return Person(
            reference=row.reference,
            name_key=name_key(row.family_name, row.given_names),
            sounds=self.sounds(row.family_name, row.given_names),
            sex=row.sex,
            birth_date=row.birth_date,
            birth_precision=row.birth_precision,
            arrival_date=row.arrival_date,
            departure_country=row.departure_country,
            region_pcode=row.region_pcode,
            district_pcode=row.district_pcode,
            phone=row.phone,
        )

    def sounds(self, family_name: str, given_names: str) -> tuple[str, str]:
        """How the two parts of a name sound."""
        return sound(family_name, self._spellings), sound(given_names, self._spellings)

    def add(self, person: Person) -> None:
        """Makes a person known."""
        if person.reference:
            self._by_reference[_reference_key(person.reference)].append(person)
        if person.phone:
            self._by_phone[person.phone].append(person)
        if person.birth_date is not None:
            if day_is_known(person):
                self._by_birth[person.birth_date.toordinal()].append(person)
            self._by_name_year[_name_block(person), person.birth_date.year].append(person)

    def recognise(self, person: Person) -> Match:
        """Whether the person is known, may be, or is new.

        Known again: the same reference, unless names and birth both say that it went to somebody else; or the same
        name, birth day, sex and arrival, unless the two carry different references. A probable duplicate: enough
        evidence, or a reference that somebody else has.
        """
        namesakes = self._by_reference.get(_reference_key(person.reference), ()) if person.reference else ()
        for known in namesakes:
            if names_alike(person, known) or known.birth_date == person.birth_date:
                return Match(known, ())
        near = {id(known): known for known in self._near(person)}
        for known in near.values():
            if _is_same(person, known):
                return Match(known, ())
        found = [Candidate(known, MOST, ("same_reference",)) for known in namesakes]
        for known in near.values():
            bits, why = weigh(person, known, phone_counts=self._phone_counts(person.phone))
            if bits >= ENOUGH:
                found.append(Candidate(known, bits, why))
        return Match(None, _best(found))

    def _near(self, person: Person) -> Iterator[Person]:
        if person.phone and self._phone_counts(person.phone):
            yield from self._by_phone.get(person.phone, ())
        birth = person.birth_date
        if birth is None:
            return
        if day_is_known(person):
            other = swapped(birth)
            for day in (birth, other) if other else (birth,):
                yield from self._by_birth.get(day.toordinal(), ())
        block = _name_block(person)
        for year in range(birth.year - _YEARS_APART, birth.year + _YEARS_APART + 1):
            yield from self._by_name_year.get((block, year), ())

    def _phone_counts(self, phone: str | None) -> bool:
        return phone is not None and len(self._by_phone.get(phone, ())) <= _SHARED_PHONE


def _reference_key(reference: str) -> str:
    return "".join(reference.split()).casefold()


def _name_block(person: Person) -> str:
    """The family name and the first given name as they sound, in either order."""
    family, given = person.sounds
    return " ".join(sorted((family, given.partition(" ")[0])))


def _is_same(one: Person, other: Person) -> bool:
    references_differ = (
        one.reference is not None
        and other.reference is not None
        and _reference_key(one.reference) != _reference_key(other.reference)
    )
    return (
        one.name_key == other.name_key
        and one.birth_date == other.birth_date
        and one.birth_precision == other.birth_precision == "exact"
        and one.sex == other.sex
        and one.arrival_date == other.arrival_date
        and not references_differ
    )


def _best(found: list[Candidate]) -> tuple[Candidate, ...]:
    """The three best, each person once, whatever the number of their returns; scores from bits to 0-100."""
    best: dict[int, Candidate] = {}
    for candidate in sorted(found, key=lambda candidate: -candidate.score):
        person = candidate.person
        if not person.waiting:
            best.setdefault(person.returnee_id or -id(person), candidate)
    return tuple(
        candidate._replace(score=min(100, round(100 * candidate.score / MOST)))
        for candidate in list(best.values())[:CANDIDATES]
    )
