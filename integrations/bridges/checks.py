"""What a mapping file names: sources, tables and codes that there are, lists and dates where they belong.

`loader` calls `mapping_problems` once the file has its shape; `segin bridge check` shows the warnings too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from integrations.bridges.mapping import SERVICE, SOURCES, Dhis2Mapping, PrimeroMapping, Value, is_uid
from integrations.bridges.mapping import Mapping as MappingFile
from integrations.bridges.sayings import CHECKS
from states.pathways.problems import Listed, Problem, listed, problem
from states.pathways.source import Path, Source
from states.record_words import PRIORITY_WORDS, VULNERABILITY_WORDS
from states.referral_words import SERVICE_WORDS

CODES: Final[dict[str, frozenset[str]]] = {
    "sex": frozenset({"male", "female"}),
    "birth_precision": frozenset({"exact", "year", "approximate"}),
    "priority": frozenset(PRIORITY_WORDS),
    "vulnerabilities": frozenset(VULNERABILITY_WORDS),
    "referral_priority": frozenset(PRIORITY_WORDS),
    "referral_services": frozenset(SERVICE_WORDS),
}
"""The fields whose codes are known beforehand, so that a table can be seen to lack one."""

_DATES: Final = [name for name, kind in SOURCES.items() if kind in ("date", "time")]
_LISTS: Final = [name for name, kind in SOURCES.items() if kind == "list"]


class Placed(NamedTuple):
    """A value of the mapping, and where it stands; `service` is the list whose codes `from: service` takes."""

    path: Path
    value: Value
    service: str | None = None


def values_of(mapping: MappingFile) -> Iterator[Placed]:
    """Every value of a mapping, in the order of the file."""
    if isinstance(mapping, PrimeroMapping):
        yield from (Placed(("case", name), value) for name, value in mapping.case.items())
        for name, value in mapping.services.fields.items():
            yield Placed(("services", "fields", name), value, mapping.services.each)
        return
    for part, filled, named in (
        (mapping.tracked_entity, "tracked_entity", "attributes"),
        (mapping.enrollment, "enrollment", "attributes"),
        (mapping.event, "event", "data_values"),
    ):
        yield Placed((filled, "org_unit"), part.org_unit)
        values: dict[str, Value] = getattr(part, named)
        yield from (Placed((filled, named, uid), value) for uid, value in values.items())


def sources_of(mapping: MappingFile) -> dict[str, bool]:
    """The fields of a referral that the mapping asks for, and whether it cannot do without them."""
    asked: dict[str, bool] = {}
    for placed in values_of(mapping):
        source = placed.value.from_
        if source is not None and source != SERVICE:
            needed = placed.value.required or placed.path[-1] == "org_unit"
            asked[source] = asked.get(source, False) or needed
    if isinstance(mapping, PrimeroMapping):
        asked[mapping.services.each] = asked.get(mapping.services.each, False) or mapping.services.required
    else:
        asked |= {name: True for _, name in _moments(mapping)}
    return asked


def mapping_problems(mapping: MappingFile, source: Source) -> list[Problem]:
    """Everything wrong or doubtful in what the mapping names, in the order of the lines."""
    looking = _Looking(mapping, source)
    for placed in values_of(mapping):
        looking.at(placed)
    if isinstance(mapping, PrimeroMapping):
        looking.list_at(("services", "each"), mapping.services.each)
        if "services_section" in mapping.case:
            looking.add(("case", "services_section"), "filled_by_segin")
    else:
        for path, name in _moments(mapping):
            looking.date_at(path, name)
    used = {placed.value.table for placed in values_of(mapping)}
    for name in mapping.tables:
        if name not in used:
            looking.add(("tables", name), "table_unused", key=name)
    return sorted(looking.problems, key=lambda each: each.line)


def _moments(mapping: Dhis2Mapping) -> Iterator[tuple[Path, str]]:
    yield ("enrollment", "enrolled_at"), mapping.enrollment.enrolled_at
    if mapping.enrollment.occurred_at is not None:
        yield ("enrollment", "occurred_at"), mapping.enrollment.occurred_at
    yield ("event", "occurred_at"), mapping.event.occurred_at


class _Looking:
    """The problems found so far in one mapping."""

    def __init__(self, mapping: MappingFile, source: Source) -> None:
        self.problems: list[Problem] = []
        self._mapping = mapping
        self._source = source

    def add(self, path: Path, code: str, /, **values: Any) -> None:
        where = Listed(".".join(map(str, path)))
        line = self._source.line(path)
        self.problems.append(problem(self._source.file, line, code, CHECKS[code], {"where": where, **values}))

    def at(self, placed: Placed) -> None:
        path, value, service = placed
        if service is None and SERVICE in (value.from_, value.uuid):
            self.add(path, "no_service_here")
            return
        if value.from_ is not None and value.from_ != SERVICE and not self._known(path, value.from_):
            return
        said = service if value.from_ == SERVICE else value.from_
        is_list = value.from_ is not None and SOURCES.get(value.from_) == "list"
        if value.join is not None and not is_list:
            self.add(path, "not_a_list", key=value.from_, known=listed(_LISTS))
        if is_list and value.join is None and isinstance(self._mapping, Dhis2Mapping):
            self.add(path, "list_not_joined", key=value.from_)
        table = self._table(path, value, said)
        if path[-1] == "org_unit" and not _gives_uid(value, table):
            self.add(path, "no_org_unit")

    def list_at(self, path: Path, name: str) -> None:
        if self._known(path, name) and SOURCES[name] != "list":
            self.add(path, "not_a_list", key=name, known=listed(_LISTS))

    def date_at(self, path: Path, name: str) -> None:
        if self._known(path, name) and name not in _DATES:
            self.add(path, "not_a_date", key=name, known=listed(_DATES))

    def _known(self, path: Path, name: str) -> bool:
        if name in SOURCES:
            return True
        close = get_close_matches(name, SOURCES, 1)
        if close:
            self.add(path, "source_misspelt", key=name, close=close[0])
        else:
            self.add(path, "source_unknown", key=name, known=listed([*SOURCES], len(SOURCES)))
        return False

    def _table(self, path: Path, value: Value, said: str | None) -> Mapping[str, Any] | None:
        if value.table is None:
            return None
        table = self._mapping.tables.get(value.table)
        if table is None:
            self.add(path, "table_unknown", key=value.table)
            return None
        codes = CODES.get(said or "")
        if codes is not None:
            missing, unknown = sorted(codes - table.keys()), sorted(table.keys() - codes)
            if missing:
                self.add(path, "codes_missing", key=value.table, codes=listed(missing, len(missing)))
            if unknown:
                self.add(path, "codes_unknown", key=value.table, codes=listed(unknown))
        return table


def _gives_uid(value: Value, table: Mapping[str, Any] | None) -> bool:
    if value.constant is not None:
        return is_uid(value.constant)
    if value.from_ is None or SOURCES[value.from_] == "list":
        return False
    # A table that is not there is a problem of its own.
    return value.table is not None and all(map(is_uid, (table or {}).values()))
