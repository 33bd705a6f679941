"""Judges the rows of a manifest one after the other: rejected, known already, waiting, or new. `intake` calls it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from integrations.manifests.arrival import ArrivalRow
from integrations.manifests.evidence import Person
from integrations.manifests.known import KnownPeople
from integrations.manifests.matching import Candidate
from integrations.manifests.problems import RejectedRow
from integrations.manifests.rows import parse_row
from integrations.manifests.table import ManifestTable


@dataclass(slots=True)
class SortedRows:
    """The rows of a file by outcome, in the order of the file."""

    rejected: list[RejectedRow] = field(default_factory=list)
    known: list[tuple[ArrivalRow, Person]] = field(default_factory=list)
    waiting: list[tuple[ArrivalRow, tuple[Candidate, ...]]] = field(default_factory=list)
    new: list[tuple[ArrivalRow, Person]] = field(default_factory=list)


def sort_rows(table: ManifestTable, people: KnownPeople, today: date) -> SortedRows:
    """Judges the rows in order, so that somebody listed twice in one file is found too."""
    found = SortedRows()
    for raw in table.rows:
        row = parse_row(raw, table, people.profile, today)
        if isinstance(row, RejectedRow):
            found.rejected.append(row)
            continue
        person, match = people.recognise(row)
        if match.again is not None:
            found.known.append((row, match.again))
        elif match.candidates:
            person.waiting = True
            people.add(person)
            found.waiting.append((row, match.candidates))
        else:
            people.add(person)
            found.new.append((row, person))
    return found
