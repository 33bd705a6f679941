"""Errors in a pathway file name the file, the line, what is wrong and the remedy; all of them, not only the first."""

from __future__ import annotations

import pytest
from small_pathway import SMALL, spoiled

from states.pathways.loader import PathwayError, load_pathway


def problems_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PathwayError) as caught:
        load_pathway(text, "small.yaml")
    assert all(problem.file == "small.yaml" and problem.remedy for problem in caught.value.problems)
    return [(problem.line, problem.what.en) for problem in caught.value.problems]


def test_the_small_pathway_loads() -> None:
    pathway = load_pathway(SMALL, "small.yaml")
    assert (pathway.name, pathway.version, pathway.initial) == ("small", 1, "waiting")
    assert set(pathway.states) == {"waiting", "helped", "paused", "ended"}


# What is changed, what stands there then, how many lines below the change the error is shown, what it says.
SPOILED = {
    "a misspelt key": ("timezone: Africa", "timezome: Africa", 0, "'timezome' is not known here"),
    "a version that is text": ("version: 1", "version: one", 0, "version: Input should be a valid integer"),
    "a version of zero": ("version: 1", "version: 0", 0, "greater than or equal to 1"),
    "a quoted version": ("version: 1", "version: '1'", 0, "version: Input should be a valid integer"),
    "an unknown time zone": ("Africa/Bamako", "Africa/Atlantis", 0, "this time zone is not known"),
    "a folder of time zones": ("Africa/Bamako", "Africa", 0, "this time zone is not known"),
    "a path as time zone": ("Africa/Bamako", "../../etc/passwd", 0, "this time zone is not known"),
    "an unknown country": ("holidays: ML", "holidays: XX", 0, "no list of public holidays"),
    "a week of rest": (
        "[saturday, sunday]",
        "[monday, monday, monday, monday, monday, monday, monday]",
        0,
        "at most 6",
    ),
    "an unknown day": ("[saturday, sunday]", "[caturday]", 0, "Input should be 'monday'"),
    "an unknown initial state": ("initial: waiting", "initial: wating", 0, "There is no state 'wating'"),
    "a final initial state": ("initial: waiting", "initial: ended", 0, "cannot begin in a hold or final state"),
    "a missing translation": ("{fr: chef, en: chief}", "{fr: chef}", 0, "'en' is missing"),
    "an empty translation": ("{fr: chef, en: chief}", "{fr: chef, en: ''}", 0, "at least 1 character"),
    "a blank translation": ("{fr: chef, en: chief}", "{fr: chef, en: ' '}", 0, "cannot stand here"),
    "a third language": ("{fr: chef, en: chief}", "{fr: chef, en: chief, de: Chef}", 0, "'de' is not known here"),
    "a name with a space": ("  chief: {fr", "  the chief: {fr", 0, "cannot stand here"),
    "an unknown kind": ("kind: hold", "kind: held", 0, "Input should be 'active', 'hold' or 'final'"),
    "no span": ("due: P3D", "due: three days", 0, "'three days' is no span"),
    "a span that is a number": ("due: P3D", "due: 3", 0, "a span is text such as"),
    "an unknown role of a task": ("    role: worker", "    role: wörker", 0, "cannot stand here"),
    "an undefined role of a task": ("    role: worker", "    role: helper", 0, "There is no role 'helper'"),
    "an undefined owner": ("    owner: worker", "    owner: helper", 0, "There is no role 'helper'"),
    "an undefined role in a ladder": ("{after: P1D, role: chief}", "{after: P1D, role: boss}", 0, "no role 'boss'"),
    "an undefined state of a task": (
        "    state: waiting\n    due: P3D",
        "    state: elsewhere\n    due: P3D",
        0,
        "no state",
    ),
    "an undefined state of a deadline": (
        "    state: helped\n    due",
        "    state: elsewhere\n    due",
        0,
        "no state 'elsewhere'",
    ),
    "an unknown task on entry": ("open: [greet]", "open: [great]", 0, "There is no task 'great'"),
    "an unknown deadline on entry": ("set: [help_given]", "set: [halp_given]", 0, "There is no deadline or timer"),
    "a task of another state": (
        "set: [help_given]",
        "open: [greet]\n      set: [help_given]",
        0,
        "belongs to 'waiting'",
    ),
    "an undefined trigger": ("- trigger: help", "- trigger: halp", 0, "There is no trigger 'halp'"),
    "an undefined source": ("from: waiting", "from: wating", 0, "There is no state 'wating'"),
    "an undefined goal": ("to: helped", "to: healed", 0, "There is no state 'healed'"),
    "a goal that is the source": ("to: helped", "to: waiting", 0, "'waiting' leads to itself"),
    "a way back from an active state": ("to: helped", "to: previous", 0, "'waiting' is an active state"),
    "a way on from a hold": ("to: previous", "to: helped", 0, "goes back to where it came from"),
    "an undefined role of a transition": ("[chief, system]", "[chief, system, boss]", 0, "There is no role 'boss'"),
    "no role at all": ("[chief, system]", "[]", 0, "at least 1 item"),
    "an unknown guard": ("- plan_approved", "- plan_aproved", 0, "There is no guard 'plan_aproved'"),
    "an unknown parameter": ("{reasons: [done, absent]}", "{reason: [done]}", 0, "has no parameter 'reason'"),
    "a missing parameter": (
        "{guard: reason_in, with: {reasons: [done, absent]}}",
        "reason_in",
        0,
        "needs the parameter",
    ),
    "a parameter of the wrong kind": ("{reasons: [done, absent]}", "{reasons: done}", 0, "is not usable"),
    "an unknown reason in a guard": ("{reasons: [done, absent]}", "{reasons: [done, asleep]}", 0, "no reason 'asleep'"),
    "an unknown field in a guard": ("{field: week,", "{field: month,", 0, "There is no field 'month'"),
    "an unknown reason of a timer": ("    reason: absent", "    reason: asleep", 0, "There is no reason 'asleep'"),
    "a timer's unknown trigger": ("    trigger: end", "    trigger: finish", 0, "There is no trigger 'finish'"),
    "a timer's impossible trigger": (
        "    trigger: end",
        "    trigger: note",
        0,
        "is not possible in its state 'waiting'",
    ),
    "a timer without leave": ("    trigger: end", "    trigger: help", 0, "Timers act as 'system'"),
    "a timer's unknown state": (
        "    state: waiting\n    due: P60D",
        "    state: nowhere\n    due: P60D",
        0,
        "no state 'nowhere'",
    ),
    "an unknown event": ("[case.advanced]", "[case.advances]", 0, "There is no event type 'case.advances'"),
    "an unknown event at registration": ("[case.registered]", "[case.born]", 0, "no event type 'case.born'"),
    "a change that nobody hears of": ("    announce: [case.closed]\n", "", -6, "and no event says so"),
    "an announcement of a secret state": ("    reminders: [P3D]", "    announce: deadline.overdue", 0, "is not shared"),
    "a task ended that is not there": ("{complete: [greet]}", "{complete: [great]}", 0, "There is no task 'great'"),
    "a deadline of elsewhere ended": ("{cancel: [absent]}", "{cancel: [help_given]}", 0, "cannot be open here"),
    "a task ended twice": ("{complete: [greet]}", "{complete: [greet], cancel: [greet]}", 0, "'greet' ends twice"),
    "a deadline begun twice": ("set: [answered]", "set: [answered, answered]", 0, "'answered' begins twice"),
    "two conditions for one key": (
        "- {task: write, when: {data: {week: 1}}}",
        "- {task: write, when: {data: {week: 1}}}\n      complete: [{task: write, when: {data: {week: 2}}}]",
        1,
        "begins anew under another",
    ),
    "an unknown reason in a condition": ("when: {data: {week: 1}}", "when: {reason: asleep}", 0, "no reason 'asleep'"),
    "an unknown need in a condition": ("when: {data: {week: 1}}", "when: {need: shelter}", 0, "no state 'shelter'"),
    "an unknown record in a condition": (
        "when: {data: {week: 1}}",
        "when: {without: shelter}",
        0,
        "'grant' or 'enrolment'",
    ),
    "an unknown priority in a condition": ("when: {data: {week: 1}}", "when: {priority: high}", 0, "'emergency'"),
    "a state called previous": ("  paused:\n", "  previous:\n", 0, "has a meaning of its own"),
    "a trigger called migrate": ("  note: {fr", "  migrate: {fr", 0, "'migrate' has a meaning of its own"),
    "a timer with a deadline's name": ("timers:\n  absent:", "timers:\n  answered:", 1, "is also a deadline"),
    "a trigger with two meanings": (
        "- trigger: note\n    from: helped",
        "- trigger: help\n    from: waiting",
        1,
        "has one meaning",
    ),
    "a trigger twice from one state": (
        "from: [waiting, helped]\n    to: paused",
        "from: [waiting, waiting]\n    to: paused",
        0,
        "one meaning",
    ),
    "a reminder before the clock starts": ("reminders: [P3D]", "reminders: [P10D]", 0, "comes before its clock starts"),
    "a reminder in days of hours": ("reminders: [PT2H]", "reminders: [P1D]", 0, "needs reminders in hours"),
    "a ladder out of order": ("{after: P5D, role: chief}", "{after: P1D, role: chief}", 0, "does not come after"),
    "a timer that ends before it starts": (
        "due: P60D",
        "due: P60D\n    before: P2M15D",
        1,
        "would run out before it starts",
    ),
    "a deadline without a ladder": ("ladder: [{after: PT1H, role: chief}]", "ladder: []", 0, "at least 1 item"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_an_error_names_its_line_and_a_remedy(name: str) -> None:
    before, after, below, expected = SPOILED[name]
    text, line = spoiled(before, after)
    found = problems_of(text)
    assert any(expected in what for _, what in found), found
    assert any(at == line + below and expected in what for at, what in found), found


def test_every_error_is_listed_in_the_order_of_the_lines() -> None:
    text = SMALL.replace("- plan_approved", "- plan_aproved").replace("[chief, system]", "[boss, system]")
    text = text.replace("open: [greet]", "open: [great]")
    found = problems_of(text)
    assert len(found) >= 3
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    with pytest.raises(PathwayError) as caught:
        load_pathway(text, "small.yaml")
    error = caught.value
    assert (error.file, error.line) == ("small.yaml", found[0][0])
    assert error.remedy == "Did you mean 'greet'?"
    assert str(error).count("\n") == len(found) - 1
    assert f"small.yaml:{found[0][0]}: " in str(error)
    assert error.exit_code == 2
