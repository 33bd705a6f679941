"""The filter of the caseload, on both databases, against a predicate that looks at one case after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session
from synthetic_rows import SyntheticRows

from models import Case, Deadline, JournalRow, PathwayVersion, Task, WrongUse
from models.caseload import CaseFilter, count_cases, list_cases

NOW = datetime(2024, 3, 6, 12, tzinfo=UTC)
DAYS = st.integers(-1, 6)
INSTANTS = DAYS.map(lambda days: NOW - timedelta(days=days))
DATES = DAYS.map(lambda days: date(2024, 3, 6) - timedelta(days=days))
FILTERS = st.builds(
    CaseFilter,
    state=st.sampled_from([None, None, "arrived", "on_hold"]),
    region=st.sampled_from([None, None, None, "ML01", "ML02"]),
    office=st.sampled_from([None, None, None, "OFF1", "OFF2"]),
    priority=st.sampled_from([None, None, None, "emergency", "normal"]),
    overdue=st.sampled_from([False, False, True]),
    assignee=st.sampled_from([None, None, None, "staff3", "staff4"]),
    hold_reason=st.sampled_from([None, None, None, "security", "medical"]),
    pathway_version=st.sampled_from([None, None, None, 1, 2]),
    arrived_from=st.none() | DATES,
    arrived_to=st.none() | DATES,
    registered_until=st.none() | INSTANTS,
    in_state_since=st.none() | INSTANTS,
    still_since=st.none() | INSTANTS,
)


class Pile:
    """A hundred cases of every kind, with what hangs on them, as objects for the naive predicate."""

    def __init__(self, session: Session) -> None:
        self.session = session
        versions = [
            PathwayVersion(name="synthetic", version=number, content_hash=f"h{number}", body="", published_at=NOW)
            for number in (1, 2)
        ]
        session.add_all(versions)
        session.flush()
        self.versions = {version.id: version.version for version in versions}
        rows, random = SyntheticRows(session, versions[0].id), Random(5)
        self.offices = {office.id: office.code for office in (rows.office(), rows.office())}
        self.people = {person.id: person.login for person in (rows.staff(), rows.staff())}
        self.cases, self.tasks, self.deadlines, self.journal = [], [], [], []
        for number in range(100):
            self._case(session, rows, random, number)
        session.flush()

    cases: list[Case]
    tasks: list[Task]
    deadlines: list[Deadline]
    journal: list[JournalRow]

    def _case(self, session: Session, rows: SyntheticRows, random: Random, number: int) -> None:
        past = [NOW - timedelta(days=random.randint(0, 5)) for _ in range(4)]
        registered, entered, happened = sorted(past)[:3]
        held = random.random() < 0.4
        case = rows.case(
            state="on_hold" if held else "arrived",
            held_at=entered if held else None,
            region_pcode=random.choice([None, "ML01", "ML02"]),
            priority=random.choice(["emergency", "urgent", "normal"]),
            arrival_date=date(2024, 3, 6) - timedelta(days=random.randint(0, 5)),
            registered_at=registered,
            entered_state_at=entered,
            pathway_version_id=random.choice(list(self.versions)),
            version=3,
        )
        case.office_id = random.choice([None, *self.offices])
        self.cases.append(case)
        for seq, at, before, reason in (
            (1, registered, "registered", None),
            (2, entered, "arrived" if held else "registered", random.choice(["security", "medical"]) if held else None),
            (3, happened, case.state, random.choice([None, "security"])),
        ):
            row = JournalRow(
                case_id=case.id or 0,
                seq=seq,
                at=at,
                trigger="synthetic",
                from_state=before,
                to_state=case.state if seq > 1 else "registered",
                role="system",
                reason=reason,
                pathway_version_id=case.pathway_version_id,
                command_id=f"{number}-{seq}",
                correlation_id="synthetic",
                previous_hash="",
                hash="",
            )
            session.add(row)
            self.journal.append(row)
        for _ in range(random.randint(0, 2)):
            owner = random.choice([None, *self.people])
            self.tasks.append(rows.task(case, staff_id=owner, status=random.choice(["open", "done"])))
        for key in ("one", "two")[: random.randint(0, 2)]:
            status, overdue = random.choice(["open", "kept", "held"]), random.choice([None, NOW])
            self.deadlines.append(rows.deadline(case, key, NOW, status=status, overdue_at=overdue))

    def fits(self, case: Case, wanted: CaseFilter) -> bool:
        """Every field that is set, one after the other."""
        tasks = [task for task in self.tasks if task.case_id == case.id and task.status == "open"]
        late = [one for one in self.deadlines if one.case_id == case.id and one.status == "open" and one.overdue_at]
        rows = [row for row in self.journal if row.case_id == case.id]
        began = [row.reason for row in rows if row.to_state == "on_hold" and row.from_state != "on_hold"]
        rules: dict[str, Callable[[Any], bool]] = {
            "state": lambda given: case.state == given,
            "region": lambda given: case.region_pcode == given,
            "office": lambda given: self.offices.get(case.office_id) == given,
            "priority": lambda given: case.priority == given,
            "overdue": lambda _: bool(late),
            "assignee": lambda given: any(task.staff_id and self.people[task.staff_id] == given for task in tasks),
            "hold_reason": lambda given: case.state == "on_hold" and began == [given],
            "pathway_version": lambda given: self.versions[case.pathway_version_id] == given,
            "arrived_from": lambda given: case.arrival_date >= given,
            "arrived_to": lambda given: case.arrival_date <= given,
            "registered_until": lambda given: case.registered_at <= given,
            "in_state_since": lambda given: case.entered_state_at <= given,
            "still_since": lambda given: max(row.at for row in rows) <= given,
        }
        assert rules.keys() == {each.name for each in fields(CaseFilter)}
        return all(rules[name](given) for name in rules if (given := getattr(wanted, name)))


@pytest.fixture
def pile(session: Session) -> Pile:
    return Pile(session)


# The examples only read.
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=FILTERS)
def test_the_filter_finds_what_a_look_at_each_case_finds(pile: Pile, wanted: CaseFilter) -> None:
    expected = [case.code for case in pile.cases if pile.fits(case, wanted)]
    assert [line.case.code for line in list_cases(pile.session, wanted, limit=1000)] == expected
    assert count_cases(pile.session, wanted) == len(expected)


def test_each_field_narrows_the_list_by_itself(pile: Pile) -> None:
    singles: list[dict[str, Any]] = [
        *({"state": "on_hold"}, {"region": "ML01"}, {"office": "OFF1"}, {"priority": "urgent"}, {"overdue": True}),
        *({"assignee": "staff3"}, {"hold_reason": "medical"}, {"pathway_version": 2}),
        *({"arrived_from": date(2024, 3, 4)}, {"arrived_to": date(2024, 3, 4)}),
        *({name: NOW - timedelta(days=3)} for name in ("registered_until", "in_state_since", "still_since")),
    ]
    assert {name for one in singles for name in one} == {each.name for each in fields(CaseFilter)}
    for one in singles:
        wanted = CaseFilter(**one)
        expected = sum(pile.fits(case, wanted) for case in pile.cases)
        assert 0 < count_cases(pile.session, wanted) == expected < 100


def test_pages_are_the_whole_list(pile: Pile) -> None:
    wanted, codes = CaseFilter(state="arrived"), list[str]()
    while page := list_cases(pile.session, wanted, limit=7, after=codes[-1] if codes else None):
        codes += [line.case.code for line in page]
    assert len(codes) == len(set(codes)) == count_cases(pile.session, wanted)


def test_what_nobody_knows_is_refused_and_a_filter_is_kept_as_a_document(pile: Pile) -> None:
    for wanted in (CaseFilter(office="NONE"), CaseFilter(assignee="nobody")):
        with pytest.raises(WrongUse):
            count_cases(pile.session, wanted)
    full = CaseFilter(state="arrived", pathway_version=2, arrived_to=date(2024, 3, 4), still_since=NOW)
    assert full.document() == {
        "state": "arrived",
        "pathway_version": 2,
        "arrived_to": "2024-03-04",
        "still_since": "2024-03-06T12:00:00+00:00",
    }
