"""Vulnerabilities and guardians: clocks by urgency, what they do to the case, and what no child gets past alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from situations import NOW, Situation
from sqlalchemy import event, select
from sqlmodel import Session, SQLModel
from synthetic_cases import START, Caseload, open_caseload, person

from models import Case, Deadline, Guardian, JournalRow, Task, Vulnerability, WrongUse
from states.casework.guardians import (
    GuardianEnded,
    GuardianRecorded,
    GuardianStep,
    end_guardians,
    record_guardians,
    verify_guardians,
)
from states.casework.vulnerabilities import (
    Dismissal,
    Identified,
    VulnerabilityStep,
    address_vulnerabilities,
    dismiss_vulnerabilities,
    identify_vulnerabilities,
    resolve_vulnerabilities,
)
from states.facts import FACT_GROUPS, AssessmentFact, RecordFact, VulnerabilityFact
from states.gather import gather_facts
from states.guards.protection import guardian_recorded
from states.moves import Outcome, OutcomeKind
from states.pathways.loader import bundled_pathway, load_pathway
from states.pathways.schema import PathwayFile
from states.pathways.shelf import pathways_of
from states.pathways.source import read_yaml
from states.protection import protection_of

LATER = START + timedelta(days=2)
CLOCKS = {"emergency": timedelta(hours=24), "urgent": timedelta(hours=72), "normal": None}
KINDS = {
    "unaccompanied_child": "emergency",
    "trafficking": "urgent",
    "medical": "urgent",
    "distress": "urgent",
    "detention": "normal",
    "disability": "normal",
    "single_parent": "normal",
}


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


@pytest.fixture
def case_id(caseload: Caseload) -> int:
    return caseload.register_many(1)[0]


def rows(caseload: Caseload, table: type[SQLModel], case_id: int) -> list[Any]:
    query = select(table).where(table.case_id == case_id).order_by(table.id)
    return list(caseload.session.scalars(query.execution_options(populate_existing=True)))


def work(caseload: Caseload, case_id: int, code: str) -> set[tuple[str, str]]:
    """Keys and statuses of the tasks and clocks of one record."""
    found = [*rows(caseload, Task, case_id), *rows(caseload, Deadline, case_id)]
    return {(each.key, str(each.status)) for each in found if each.record == code}


def identify(
    caseload: Caseload, case_id: int, kind: str, role: str = "case_worker", **parts: Any
) -> tuple[str, Outcome]:
    code = caseload.new_code()
    found = Identified(**caseload.signed(case_id, role), code=code, kind=kind, **parts)
    (outcome,) = identify_vulnerabilities(caseload.session, [found], now=LATER)
    return code, outcome


def on(caseload: Caseload, case_id: int, code: str, role: str = "vulnerability_focal_point") -> VulnerabilityStep:
    return VulnerabilityStep(**caseload.signed(case_id, role), vulnerability=code)


@pytest.mark.parametrize(("kind", "urgency"), KINDS.items())
def test_each_kind_has_the_clock_of_its_urgency_and_presses_the_case(
    caseload: Caseload, case_id: int, kind: str, urgency: str
) -> None:
    code, outcome = identify(caseload, case_id, kind, note="vu à l'accueil")
    assert outcome.kind is OutcomeKind.MOVED
    (found,) = rows(caseload, Vulnerability, case_id)
    assert (found.code, found.kind, found.urgency, found.status) == (code, kind, urgency, "identified")
    assert (found.identified_at, found.identified_by, found.note) == (
        *(LATER, caseload.staff["case_worker"].id, "vu à l'accueil"),
    )
    guardian = {("find_guardian", "open"), ("guardian_found", "open")} if kind == "unaccompanied_child" else set()
    assert work(caseload, case_id, code) == {(f"vulnerability_{urgency}", "open")} | guardian
    (clock,) = (each for each in rows(caseload, Deadline, case_id) if each.key == f"vulnerability_{urgency}")
    allowed = CLOCKS[urgency]
    assert clock.due_at == LATER + allowed if allowed else clock.due_at > LATER + timedelta(days=13)
    assert caseload.case(case_id).priority == urgency
    journal = rows(caseload, JournalRow, case_id)
    assert not any(kind in f"{row.data}{row.command_id}" or row.note for row in journal)


def test_whoever_finds_it_can_say_that_it_presses_more_or_less(caseload: Caseload, case_id: int) -> None:
    identify(caseload, case_id, "disability", urgency="emergency")
    identify(caseload, case_id, "unaccompanied_child", urgency="normal")
    assert [each.urgency for each in rows(caseload, Vulnerability, case_id)] == ["emergency", "normal"]
    with pytest.raises(WrongUse, match="no urgency with the code 'whenever'"):
        identify(caseload, case_id, "disability", urgency="whenever")
    with pytest.raises(WrongUse, match="no vulnerability with the code 'poor'"):
        identify(caseload, case_id, "poor")


@pytest.mark.parametrize("before", ["normal", "urgent", "emergency"])
@pytest.mark.parametrize("urgency", ["normal", "urgent", "emergency"])
def test_a_case_is_raised_to_what_presses_most_and_never_lowered(
    caseload: Caseload, case_id: int, before: str, urgency: str
) -> None:
    if before != "normal":
        caseload.advance(case_id, "raise_emergency" if before == "emergency" else "raise_urgent")
    triggers = [row.trigger for row in rows(caseload, JournalRow, case_id)]
    identify(caseload, case_id, "medical", urgency=urgency)
    order = ["emergency", "urgent", "normal"]
    assert caseload.case(case_id).priority == min(before, urgency, key=order.index)
    raised = order.index(urgency) < order.index(before)
    made = [row.trigger for row in rows(caseload, JournalRow, case_id)][len(triggers) :]
    assert made == ["identify_vulnerability", *([f"raise_{urgency}"] if raised else [])]


def test_several_found_at_once_raise_the_case_once(caseload: Caseload, case_id: int) -> None:
    found = [
        Identified(**caseload.signed(case_id, "case_worker"), code=caseload.new_code(), kind=kind)
        for kind in ("disability", "medical", "unaccompanied_child", "trafficking")
    ]
    assert {each.kind for each in identify_vulnerabilities(caseload.session, found, now=LATER)} == {OutcomeKind.MOVED}
    assert [row.trigger for row in rows(caseload, JournalRow, case_id)] == [
        *("register", *["identify_vulnerability"] * 4, "raise_emergency"),
    ]


def test_addressed_then_resolved_each_with_who_and_when(caseload: Caseload, case_id: int) -> None:
    first, _ = identify(caseload, case_id, "medical")
    second, _ = identify(caseload, case_id, "medical")
    focal = caseload.staff["vulnerability_focal_point"].id
    (outcome,) = address_vulnerabilities(caseload.session, [on(caseload, case_id, first)], now=LATER)
    assert outcome.kind is OutcomeKind.MOVED
    assert work(caseload, case_id, first) == {("vulnerability_urgent", "done"), ("vulnerability_urgent", "kept")}
    assert work(caseload, case_id, second) == {("vulnerability_urgent", "open")}
    over = LATER + timedelta(days=5)
    resolve_vulnerabilities(caseload.session, [on(caseload, case_id, each) for each in (first, second)], now=over)
    assert work(caseload, case_id, second) == {("vulnerability_urgent", "done"), ("vulnerability_urgent", "late")}
    one, two = rows(caseload, Vulnerability, case_id)
    assert (one.status, one.addressed_at, one.addressed_by) == ("resolved", LATER, focal)
    assert (two.status, two.addressed_at, two.closed_at, two.closed_by) == ("resolved", None, over, focal)
    (again,) = address_vulnerabilities(caseload.session, [on(caseload, case_id, first)], now=over)
    assert [reason.code for reason in again.reasons] == ["wrong_record_state"]


def test_whoever_may_screen_by_the_pathway_sees_what_was_found(caseload: Caseload, case_id: int) -> None:
    identify(caseload, case_id, "medical")
    version = caseload.session.get_one(Case, case_id).pathway_version_id
    table = pathways_of(caseload.session, [version])[version].table.values()
    sees = {role for each in table if each.trigger == "record_screening" for role in each.roles}
    assert sees
    for role in caseload.staff:
        found = protection_of(caseload.session, case_id, version, role)
        assert (found and [each.kind for each in found.vulnerabilities]) == (["medical"] if role in sees else None)


def test_a_dismissal_needs_a_reason_a_note_and_the_right_role(caseload: Caseload, case_id: int) -> None:
    code, _ = identify(caseload, case_id, "trafficking")

    def dismiss(role: str, reason: str, note: str) -> list[str]:
        step = Dismissal(**caseload.signed(case_id, role), vulnerability=code, reason=reason, note=note)
        (outcome,) = dismiss_vulnerabilities(caseload.session, [step], now=LATER)
        return [each.code for each in outcome.reasons]

    assert dismiss("case_worker", "not_confirmed", "Récit vérifié") == ["role_not_allowed"]
    assert dismiss("coordinator", "security", " ") == ["reason_in", "note_given"]
    assert dismiss("coordinator", "not_confirmed", "Récit vérifié") == []
    assert rows(caseload, Vulnerability, case_id)[0].status == "dismissed"
    assert work(caseload, case_id, code) == {("vulnerability_urgent", "cancelled")}


def test_what_is_found_while_the_case_is_on_hold_has_a_running_clock(caseload: Caseload, case_id: int) -> None:
    caseload.advance(case_id, "hold", reason="medical")
    code, outcome = identify(caseload, case_id, "unaccompanied_child")
    assert outcome.kind is OutcomeKind.MOVED
    assert ("vulnerability_emergency", "open") in work(caseload, case_id, code)
    assert caseload.case(case_id).priority == "emergency"


def test_a_closed_case_has_no_new_vulnerability(caseload: Caseload, case_id: int) -> None:
    caseload.advance(case_id, "close", reason="funding_ended")
    _, outcome = identify(caseload, case_id, "medical")
    assert [reason.code for reason in outcome.reasons] == ["wrong_state"]
    assert rows(caseload, Vulnerability, case_id) == []


def test_the_manifest_starts_the_clocks_at_registration(caseload: Caseload) -> None:
    said = ("unaccompanied_child", "medical", "medical", "sans_papiers")
    child, calm = caseload.register(person(1, vulnerabilities=said), person(2))
    assert [(each.kind, each.source, each.identified_by) for each in rows(caseload, Vulnerability, child.case_id)] == [
        ("medical", "manifest", None),
        ("unaccompanied_child", "manifest", None),
    ]
    due = {each.key: each.due_at for each in rows(caseload, Deadline, child.case_id)}
    assert due["vulnerability_emergency"] == START + timedelta(hours=24)
    assert due["vulnerability_urgent"] == START + timedelta(hours=72)
    assert caseload.case(child.case_id).priority == "emergency"
    assert rows(caseload, Vulnerability, calm.case_id) == []
    assert caseload.case(calm.case_id).version == 1
    again = person(3, returnee_id=child.returnee_id, vulnerabilities=("distress",))
    (back,) = caseload.register(again)
    assert [each.kind for each in rows(caseload, Vulnerability, back.case_id)] == ["distress"]


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool) -> None:
        seen.extend([statement] * (len(parameters) if executemany else 1))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    yield seen
    event.remove(connection, "before_cursor_execute", note)


def test_the_same_statements_register_one_vulnerable_person_and_five_hundred(caseload: Caseload) -> None:
    seen = {}
    for number in (1, 500):
        people = [person(line, vulnerabilities=tuple(KINDS)[line % 7 :]) for line in range(7 * number)]
        with statements(caseload.session) as seen[number]:
            caseload.register(*people)
    assert seen[1] == seen[500]


def test_facts_tell_what_was_identified(caseload: Caseload, case_id: int) -> None:
    code, _ = identify(caseload, case_id, "medical")
    facts = gather_facts(caseload.session, [case_id], FACT_GROUPS)[case_id]
    assert facts.identified == {code: VulnerabilityFact("medical", "urgent", "identified")}
    assert facts.records[code] == RecordFact("vulnerability", code, "identified", caseload.staff["case_worker"].id)


def record_guardian(caseload: Caseload, case_id: int, role: str = "case_worker") -> str:
    code = caseload.new_code()
    recorded = GuardianRecorded(
        **caseload.signed(case_id, role), code=code, relation="institution", name="Foyer fictif", phone=None
    )
    (outcome,) = record_guardians(caseload.session, [recorded], now=LATER)
    assert outcome.kind is OutcomeKind.MOVED
    return code


def test_a_guardian_is_recorded_verified_and_replaced(caseload: Caseload, case_id: int) -> None:
    identify(caseload, case_id, "unaccompanied_child")
    code = record_guardian(caseload, case_id)
    step = GuardianStep(**caseload.signed(case_id, "case_worker"), guardian=code)
    (refused,) = verify_guardians(caseload.session, [step], now=LATER)
    assert [reason.code for reason in refused.reasons] == ["role_not_allowed"]
    step = GuardianStep(**caseload.signed(case_id, "coordinator"), guardian=code)
    verify_guardians(caseload.session, [step], now=LATER)
    end = GuardianEnded(**caseload.signed(case_id, "case_worker"), guardian=code, still_needed=True)
    (ended,) = end_guardians(caseload.session, [end], now=LATER)
    assert ended.kind is OutcomeKind.MOVED
    open_tasks = {task.key for task in rows(caseload, Task, case_id) if task.status == "open"}
    assert "replace_guardian" in open_tasks
    (row,) = rows(caseload, Guardian, case_id)
    assert (row.status, row.verified_at, row.ended_at) == ("ended", LATER, LATER)
    record_guardian(caseload, case_id)
    open_tasks = {task.key for task in rows(caseload, Task, case_id) if task.status == "open"}
    assert "replace_guardian" not in open_tasks
    assert not any("fictif" in str(row.data) for row in rows(caseload, JournalRow, case_id))


def test_a_guardian_of_whoever_is_of_age_is_not_replaced(caseload: Caseload, case_id: int) -> None:
    code = record_guardian(caseload, case_id)
    end = GuardianEnded(**caseload.signed(case_id, "coordinator"), guardian=code, still_needed=False)
    end_guardians(caseload.session, [end], now=LATER)
    assert "replace_guardian" not in {task.key for task in rows(caseload, Task, case_id)}
    with pytest.raises(WrongUse, match="no relation with the code 'neighbour'"):
        record_guardians(
            caseload.session,
            [
                GuardianRecorded(
                    **caseload.signed(case_id, "coordinator"), code="X", relation="neighbour", name="Fictif"
                )
            ],
            now=LATER,
        )


TODAY = NOW.date()
LAST_YEAR = date(TODAY.year - 1, 11, 3)


@pytest.mark.parametrize(
    ("born", "precision", "arrived", "child"),
    [
        (None, "exact", LAST_YEAR, True),
        (date(TODAY.year - 18, TODAY.month, TODAY.day), "exact", LAST_YEAR, False),
        (date(TODAY.year - 18, TODAY.month, TODAY.day + 1), "exact", LAST_YEAR, True),
        (date(2004, 2, 29), "exact", date(2022, 2, 28), False),
        (date(TODAY.year - 18, 1, 1), "year", LAST_YEAR, True),
        (date(TODAY.year - 19, 1, 1), "year", LAST_YEAR, False),
        (date(TODAY.year - 19, 1, 1), "approximate", LAST_YEAR, True),
        # Of age on arrival already: then either the date or whoever saw a child is wrong, and a person decides.
        (date(TODAY.year - 19, 1, 1), "exact", LAST_YEAR, True),
        (date(TODAY.year - 30, 1, 1), "year", LAST_YEAR, True),
    ],
)
def test_an_age_that_is_not_known_for_certain_is_a_childs(
    born: date | None, precision: str, arrived: date, child: bool
) -> None:
    facts = {"birth_date": born, "birth_precision": precision, "vulnerabilities": frozenset({"unaccompanied_child"})}
    situation = Situation(facts | {"arrival_date": arrived})
    assert guardian_recorded(situation.as_facts(), situation.as_move(), NOW) is not child


CHILD = "unaccompanied_child"


@pytest.mark.parametrize(
    ("identified", "manifest", "screened", "guardian", "holds"),
    [
        ([], False, False, None, True),
        ([], True, False, None, False),
        ([], False, True, None, False),
        ([], True, True, "verified", True),
        (["identified"], True, False, None, False),
        (["addressed"], False, False, None, False),
        (["resolved"], False, False, None, False),
        (["dismissed"], True, True, None, True),
        (["dismissed", "identified"], False, False, None, False),
        (["taken_back"], True, False, None, False),
        (["taken_back"], False, False, None, True),
        (["identified"], True, False, "recorded", True),
        (["identified"], True, False, "ended", False),
        (["identified"], True, False, "taken_back", False),
    ],
)
def test_a_child_who_came_alone_needs_somebody_until_it_is_dismissed(
    identified: list[str], manifest: bool, screened: bool, guardian: str | None, holds: bool
) -> None:
    flags = frozenset({CHILD}) if screened else frozenset()
    facts: dict[str, Any] = {
        "birth_date": date(TODAY.year - 15, 1, 1),
        "identified": {str(place): VulnerabilityFact(CHILD, "emergency", each) for place, each in enumerate(identified)}
        | {"other": VulnerabilityFact("medical", "urgent", "identified")},
        "vulnerabilities": frozenset({CHILD}) if manifest else frozenset(),
        "assessments": {"vulnerability": AssessmentFact("vulnerability", len(flags), None, flags, NOW)},
        "records": {"G": RecordFact("guardian", "G", guardian, None)} if guardian else {},
    }
    situation = Situation(facts)
    assert guardian_recorded(situation.as_facts(), situation.as_move(), NOW) is holds


def test_no_way_leads_past_screening_but_through_the_guard() -> None:
    """From registration on, whatever is tried: without the guarded way a case stays in what comes before the plan."""
    file = PathwayFile.model_validate(read_yaml(bundled_pathway("mali"), "mali.yaml").value)
    pathway = load_pathway(bundled_pathway("mali"), "mali.yaml")
    guarded = {
        (state, part.trigger)
        for part in file.transitions
        for state in part.from_
        if any(guard.guard == "guardian_recorded" and guard.when is None for guard in part.guards)
    }
    assert guarded == {("screening", "begin_planning")}
    reached: set[tuple[str, str | None]] = {(file.initial, None)}
    waiting = list(reached)
    while waiting:
        state, previous = waiting.pop()
        for (source, trigger), transition in pathway.table.items():
            if source != state or (source, trigger) in guarded:
                continue
            goals = (
                [previous] if transition.to_previous else [branch.to_state for branch in transition.branches.values()]
            )
            for goal in goals:
                active = file.states[str(goal)].kind == "active"
                came = None if active else state if file.states[state].kind == "active" else previous
                if goal is not None and (goal, came) not in reached:
                    reached.add((goal, came))
                    waiting.append((goal, came))
    assert {state for state, _ in reached} == {"registered", "arrived", "screening", "on_hold", "closed"}


def test_the_urgency_of_every_kind_is_the_pathways_policy(caseload: Caseload) -> None:
    assert dict(caseload.pathway.vulnerabilities) == KINDS
    assert caseload.session.scalars(select(Case)).all() == []
