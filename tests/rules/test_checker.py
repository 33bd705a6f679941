"""What a pathway says and cannot mean is found, with its line, a remedy in both languages and a walk that shows it."""

from __future__ import annotations

import pytest
from large_pathway import large_pathway
from small_pathway import SMALL, spoiled

from states.pathways.checker import check_pathway, errors_of
from states.pathways.loader import bundled_pathway
from states.pathways.problems import Problem, Severity, walk_in_words

APPROVED = SMALL.replace("- plan_approved", "- note_given")
"""The small pathway without its guard on what nothing in it records."""

END_GUARDS = "      - {guard: reason_in, with: {reasons: [done, absent]}}"
RECORDS = """\
records:
  plan:
    title: {fr: Plan, en: Plan}
    states: {draft: {fr: projet, en: draft}, approved: {fr: approuvé, en: approved}}
tasks:
  greet:"""
DRAFTING = """\
transitions:
  - trigger: draft
    from: waiting
    record: {kind: plan, to: draft}
    roles: [worker]
  - trigger: approve
    from: helped
    record: {kind: plan, from: draft, to: approved}
    roles: [chief]
"""


def found_in(text: str, **asked: frozenset[str]) -> list[Problem]:
    problems = check_pathway(text, "small.yaml", **asked)
    for problem in problems:
        assert all((*problem.what, *problem.remedy)), problem.code
        assert "{" not in "".join((*problem.what, *problem.remedy))
    return problems


def codes(text: str) -> list[str]:
    return [problem.code for problem in found_in(text)]


def the_one(text: str, code: str) -> Problem:
    (problem,) = [problem for problem in found_in(text) if problem.code == code]
    return problem


@pytest.mark.parametrize(
    ("text", "name"), [(bundled_pathway("mali"), "mali.yaml"), (APPROVED, "small.yaml"), (large_pathway(40), "l.yaml")]
)
def test_what_is_right_is_left_alone(text: str, name: str) -> None:
    assert check_pathway(text, name) == []


# What is changed, what stands there then, the code, how many lines below the change, the walk that shows it.
MEANT = {
    "two guards that exclude each other": (
        END_GUARDS,
        f"{END_GUARDS}\n      - {{guard: reason_in, with: {{reasons: [ill]}}}}",
        "guards_contradict",
        1,
        "waiting –end→ ended",
    ),
    "guards that exclude each other in every case": (
        END_GUARDS,
        f"{END_GUARDS}\n      - {{guard: priority_in, with: {{priorities: [normal]}}, when: {{reason: done}}}}\n"
        "      - {guard: priority_in, with: {priorities: [urgent]}, when: {reason: absent}}\n"
        "      - {guard: priority_in, with: {priorities: [emergency]}}",
        "guards_contradict",
        3,
        "waiting –end→ ended",
    ),
    "a guard that none of the roles passes": (
        "      - plan_approved",
        "      - {guard: actor_in, with: {roles: [chief]}}",
        "guard_never_holds",
        0,
        "waiting –help→ helped",
    ),
    "a timer without the reason that is asked": (
        "    reason: absent\n",
        "    reason: ill\n",
        "timer_always_refused",
        -6,
        "waiting –end→ ended",
    ),
    "a timer that is asked for a note": (
        END_GUARDS,
        f"{END_GUARDS}\n      - {{guard: note_given, when: {{reason: absent}}}}",
        "timer_always_refused",
        None,
        "waiting –end→ ended",
    ),
    "a guard that never counts": (
        END_GUARDS,
        f"{END_GUARDS}\n      - {{guard: note_given, when: {{reason: ill}}}}",
        "guard_never_asked",
        1,
        "waiting –end→ ended",
    ),
    "a guard that refuses whenever it counts": (
        "[chief, system]\n    guards:\n",
        "[chief, system]\n    guards:\n      - {guard: actor_in, with: {roles: [worker]}, when: {priority: urgent}}\n",
        "guard_always_refuses",
        2,
        "waiting –end→ ended",
    ),
    "a role that the guards leave out": (
        END_GUARDS,
        f"{END_GUARDS}\n      - {{guard: actor_in, with: {{roles: [system]}}}}",
        "role_never_passes",
        -2,
        "waiting –end→ ended",
    ),
    "a reason that the guards leave out": (
        END_GUARDS,
        f"{END_GUARDS}\n      - {{guard: actor_in, with: {{roles: [worker]}}, when: {{reason: done}}}}",
        "choice_never_passes",
        0,
        "waiting –end→ ended",
    ),
    "an effect that never comes": (
        "- {task: write, when: {data: {week: 1}}}",
        "- {task: write, when: {data: {week: 3}}}",
        "effect_never",
        0,
        "waiting –help→ helped –note→ helped",
    ),
    "an effect under another priority than the move sets": (
        "    guards:\n      - guard: data_in\n        with: {field: week, values: [1, 2]}\n    tasks:\n      open:\n"
        "        - {task: write, when: {data: {week: 1}}}",
        "    priority: urgent\n    tasks:\n      open:\n        - {task: write, when: {priority: normal}}",
        "effect_never",
        3,
        "waiting –help→ helped –note→ helped",
    ),
    "a transition that nobody asks for": (
        "  - trigger: note\n    from: helped\n    roles: [worker]",
        "  - trigger: note\n    from: helped\n    roles: [system]",
        "nobody_asks",
        0,
        "waiting –help→ helped –note→ helped",
    ),
    "a clock that cannot run yet": (
        "      - plan_approved",
        "      - {guard: ran_out, with: {deadline: answered}}",
        "clock_never_runs",
        0,
        "waiting –help→ helped",
    ),
    "a task that nothing can have opened yet": (
        "{complete: [greet]}",
        "{complete: [greet, write]}",
        "never_open_here",
        0,
        "waiting –help→ helped",
    ),
    "a deadline that nothing can have begun yet": (
        "{cancel: [absent]}",
        "{cancel: [absent, answered]}",
        "never_open_here",
        0,
        "waiting –help→ helped",
    ),
    "what nothing records": (
        "      - plan_approved",
        "      - plan_approved",
        "never_recorded",
        0,
        "waiting –help→ helped",
    ),
    "the same text twice": (
        "{fr: Petit parcours, en: Small pathway}",
        "{fr: Au Mali, en: Au Mali}",
        "same_text",
        0,
        "",
    ),
}


@pytest.mark.parametrize("name", MEANT)
def test_what_cannot_be_meant_is_found(name: str) -> None:
    before, after, code, below, walk = MEANT[name]
    start = APPROVED.replace("- note_given", "- plan_approved") if "plan_approved" in before else APPROVED
    line = start[: start.index(before)].count("\n") + 1
    problem = the_one(start.replace(before, after, 1), code)
    assert below is None or problem.line == line + below
    assert walk_in_words(problem.walk) == walk


def test_two_guards_are_named_and_no_third_one() -> None:
    guards = "- note_given\n      - {guard: reason_in, with: {reasons: [ill]}}"
    problem = the_one(APPROVED.replace(END_GUARDS, f"{END_GUARDS}\n      {guards}"), "guards_contradict")
    assert problem.what.en == ("'end' is never possible: the guard reason_in (ill) excludes reason_in (done, absent).")
    assert problem.what.fr.startswith("« end » n'est jamais possible : la garde reason_in (ill) exclut reason_in")
    assert problem.severity is Severity.ERROR


def test_states_behind_what_nobody_can_fire_are_named_too() -> None:
    text = APPROVED.replace("      - note_given", "      - {guard: actor_in, with: {roles: [chief]}}")
    assert codes(text) == ["never_entered_so", "guard_never_holds"]
    text = APPROVED.replace(END_GUARDS, "      - {guard: actor_in, with: {roles: [worker]}}")
    closing = [problem for problem in found_in(text) if problem.code == "never_closed_so"]
    assert [walk_in_words(problem.walk) for problem in closing] == ["waiting", "waiting –help→ helped"]
    assert len(errors_of(found_in(text))) == 4  # these two, the end never entered, and the guard


def test_a_guard_on_a_record_that_no_step_before_it_brings_there() -> None:
    text = SMALL.replace("tasks:\n  greet:", RECORDS).replace("transitions:\n", DRAFTING)
    text = text.replace(
        "triggers:\n", "triggers:\n  draft: {fr: Rédiger, en: Draft}\n  approve: {fr: Agréer, en: Agree}\n"
    )
    problem = the_one(text, "record_never_there")
    assert "asks for a 'plan' that is approved" in problem.what.en
    assert walk_in_words(problem.walk) == "waiting –help→ helped"
    assert "record_never_there" not in codes(text.replace("from: helped\n    record", "from: waiting\n    record"))


def test_records_that_never_end() -> None:
    text = APPROVED.replace("tasks:\n  greet:", RECORDS).replace("transitions:\n", DRAFTING)
    text = text.replace(
        "triggers:\n", "triggers:\n  draft: {fr: Rédiger, en: Draft}\n  approve: {fr: Agréer, en: Agree}\n"
    )
    assert codes(text) == []
    again = "  - trigger: draft\n    from: helped\n    record: {kind: plan, from: approved, to: draft}\n"
    text = text.replace("    roles: [chief]\n", f"    roles: [chief]\n{again}    roles: [chief]\n", 1)
    problems = [problem for problem in found_in(text) if problem.code == "record_never_ends"]
    assert [problem.line for problem in problems] == [problem.line for problem in problems][:1] * 2
    assert "round in circles" in problems[0].what.en


def test_roles_that_nobody_has_are_named_with_what_waits_for_them() -> None:
    assert found_in(APPROVED, staffed=frozenset({"worker", "chief"})) == []
    (problem,) = found_in(APPROVED, staffed=frozenset({"worker"}))
    assert (problem.code, problem.severity) == ("nobody_has_role", Severity.WARNING)
    assert "3 escalation step(s)" in problem.what.en
    assert "3 marche(s)" in problem.what.fr
    assert problem.line == APPROVED[: APPROVED.index("  chief:")].count("\n") + 1


def test_what_cannot_be_loaded_is_all_that_is_said() -> None:
    text, line = spoiled("due: P3D", "due: soon")
    (problem,) = check_pathway(text, "small.yaml")
    assert (problem.code, problem.line) == ("not_like_this", line)
    assert "« soon » n'est pas une durée" in problem.what.fr
