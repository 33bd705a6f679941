"""What moving a case to another version does to it, decided on values alone: nobody in here exists."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from changing_pathways import NEW, OLD, RENAMED, change_of, newer
from hypothesis import given
from hypothesis import strategies as st

from states.calendar import Span
from states.change.caseload import Running, RunningClock, RunningTask
from states.change.images import effects_of_image, image_of
from states.change.mapping import names_of, read_names
from states.change.passage import Passage, breaches, clock_as_it_is, crossing, task_as_it_is
from states.change.verdicts import Verdict, objections, verdict_of
from states.facts import Facts, RecordFact
from states.gather import CaseRow
from states.moves import (
    Announce,
    Effect,
    EndDeadline,
    EndTask,
    OpenTask,
    RewriteDeadline,
    RewriteTask,
    SetDeadline,
    SetRecord,
)

START = datetime(2024, 1, 8, 8, tzinfo=UTC)
NOW = START + timedelta(days=5)
RECORDS = """\
records:
  referral:
    title: {fr: orientation, en: referral}
    states: {asked: {fr: demandée, en: asked}, accepted: {fr: acceptée, en: accepted}}
fields:
"""
STEPS = """\
  - {trigger: refer, record: {kind: referral, to: asked}, from: "*", roles: [worker], announce: [referral.made]}
  - {trigger: accept, record: {kind: referral, from: asked, to: accepted}, from: "*", roles: [worker],
     announce: [referral.answered]}
"""
TRIGGERS = "  refer: {fr: Orienter, en: Refer}\n  accept: {fr: Accepter, en: Accept}\n"
WITH_RECORDS = OLD.replace("fields:\n", RECORDS).replace("  end: {fr: Finir", f"{TRIGGERS}  end: {{fr: Finir") + STEPS


def task(key: str, **changes: Any) -> RunningTask:
    plain = RunningTask(
        *(1, 7, key, None, "waiting", "worker", 3, "normal", "open", START),
        *(START + timedelta(days=3), START + timedelta(days=3)),
    )
    return plain._replace(**changes)


def clock(key: str, due_at: datetime, **changes: Any) -> RunningClock:
    plain = RunningClock(
        *(2, 7, key, "deadline", None, "helped", "open", due_at, due_at, due_at, 0, None, None, START),
    )
    return plain._replace(**changes)


def running(
    state: str, *, tasks: tuple[RunningTask, ...] = (), clocks: tuple[RunningClock, ...] = (), **changes: Any
) -> Running:
    """One case in this state."""
    facts = Facts(7, state, 3, START, START.date(), START, **changes)
    values = dict.fromkeys(CaseRow._fields) | {
        "id": 7,
        "code": "C-7",
        "state": state,
        "previous_state": facts.previous_state,
        "version": 3,
        "events": 1,
        "priority": facts.priority,
        "arrival_date": facts.arrival_date,
        "journal_head": "0" * 64,
    }
    return Running(CaseRow(**values), facts, tasks, clocks)  # type: ignore[arg-type]


def end_of(day: int) -> datetime:
    """The end of the day that lies so many days after the start."""
    return datetime(2024, 1, 9 + day, tzinfo=UTC)


CHANGED = change_of(OLD, NEW, RENAMED)
WAY = CHANGED.way


def test_a_case_on_the_same_rules_is_not_changed_at_all() -> None:
    way = change_of(OLD, newer()).way
    case = running("helped", tasks=(task("write", state=None),), clocks=(clock("help_given", end_of(10)),))
    assert objections(way, case) == []
    assert crossing(way, case, NOW) == ()


def test_a_clock_is_reckoned_anew_from_its_start_and_keeps_the_time_that_it_stood_still() -> None:
    (effect,) = (
        each
        for each in crossing(WAY, running("helped", clocks=(clock("help_given", end_of(10)),)), NOW)
        if isinstance(each, RewriteDeadline)
    )
    assert (effect.state, effect.due_at, effect.first_due_at, effect.next_at) == (
        "assisted",
        *(end_of(8), end_of(8), end_of(8)),
    )
    later = clock("help_given", end_of(14), first_due_at=end_of(10))
    (effect,) = (
        each for each in crossing(WAY, running("helped", clocks=(later,)), NOW) if isinstance(each, RewriteDeadline)
    )
    assert (effect.due_at, effect.first_due_at) == (end_of(12), end_of(8))


def test_running_clocks_keep_their_due_times_when_asked() -> None:
    way = change_of(OLD, NEW, RENAMED, keep_deadlines=True).way
    effects = crossing(way, running("helped", clocks=(clock("help_given", end_of(10)),)), NOW)
    assert effects[0] == clock_as_it_is(clock("help_given", end_of(10)))._replace(state="assisted")
    kept = crossing(way, running("waiting", tasks=(task("greet"),)), NOW)[0]
    assert isinstance(kept, RewriteTask)
    assert (kept.role, kept.staff_id, kept.due_at) == ("chief", None, START + timedelta(days=3))


@pytest.mark.parametrize(
    ("status", "overdue", "run_out", "next_at", "level"),
    [("open", None, 1, end_of(8), 1), ("held", None, 0, end_of(8), 1), ("open", end_of(7), 0, end_of(8), 1)],
)
def test_a_clock_that_runs_out_by_the_move_is_a_breach(
    status: str, overdue: datetime | None, run_out: int, next_at: datetime, level: int
) -> None:
    """Unless it stands still, or was late before."""
    late = end_of(9)
    due = end_of(7) if overdue else end_of(10)
    case = running("helped", clocks=(clock("help_given", due, status=status, overdue_at=overdue, level=1),))
    case = case._replace(clocks=(case.clocks[0]._replace(first_due_at=due),))
    effects = crossing(WAY, case, late)
    (effect,) = (each for each in effects if isinstance(each, RewriteDeadline))
    assert breaches(case, effects, late) == run_out
    assert (effect.due_at, effect.next_at, effect.level, effect.overdue_at) == (end_of(8), next_at, level, overdue)


def test_what_is_not_late_any_more_starts_its_ladder_anew() -> None:
    back = change_of(NEW, OLD.replace("version: 1", "version: 3"), "assisted=helped").way
    late = clock("help_given", end_of(8), state="assisted", level=2, overdue_at=end_of(8), escalated_at=end_of(9))
    effects = crossing(back, running("assisted", clocks=(late,)), end_of(9))
    (effect,) = (each for each in effects if isinstance(each, RewriteDeadline))
    assert effect == RewriteDeadline(
        *(2, "help_given", "helped", "open", end_of(10), end_of(10), end_of(10), 0, None, None)
    )


def test_a_longer_ladder_is_climbed_by_what_is_late_already() -> None:
    way = change_of(OLD, newer(("{after: P5D, role: chief}", "{after: P9D, role: chief}"))).way
    late = clock("help_given", end_of(2), overdue_at=end_of(2), level=2, next_at=None)
    (effect,) = crossing(way, running("helped", clocks=(late,)), NOW)
    assert effect == clock_as_it_is(late)._replace(next_at=late.due_at)


def test_a_task_has_its_new_role_and_time_and_is_given_to_somebody_else() -> None:
    effects = crossing(WAY, running("waiting", tasks=(task("greet", due_at=START + timedelta(days=4)),)), NOW)
    (effect,) = (each for each in effects if isinstance(each, RewriteTask))
    assert effect == RewriteTask(
        *(1, "greet", "waiting", "chief", None, "normal", "open", end_of(5) + timedelta(days=1), end_of(5))
    )


def test_what_the_new_version_does_not_know_is_cancelled_and_what_it_adds_begins() -> None:
    case = running("waiting", clocks=(clock("answered", end_of(1), state=None),))
    effects = crossing(WAY, case, NOW)
    assert EndDeadline("answered", met=False) in effects
    begun = [each for each in effects if isinstance(each, SetDeadline | OpenTask)]
    assert [(each.key, each.due_at) for each in begun] == [("seen", datetime(2024, 1, 16, tzinfo=UTC))]
    # One that runs already, whatever began it, is not begun twice.
    both = running("waiting", clocks=(clock("seen", end_of(1), state="waiting"),))
    way = replace(WAY, old=WAY.new)
    assert not any(isinstance(each, SetDeadline) for each in crossing(way, both, NOW))


def test_a_task_that_belongs_elsewhere_now_is_cancelled() -> None:
    elsewhere = newer(
        ("    role: worker\ndeadlines", "    role: worker\n    state: waiting\ndeadlines"),
        ("from: helped\n    roles", "from: waiting\n    roles"),
        ("      meet: [help_given]\n", ""),
    )
    way = change_of(OLD, elsewhere).way
    unbound = task("write", state=None)
    assert crossing(way, running("helped", tasks=(unbound,)), NOW) == (EndTask("write", done=False),)
    (kept,) = crossing(way, running("waiting", tasks=(unbound,)), NOW)
    assert kept == task_as_it_is(unbound)._replace(state="waiting")


def test_a_held_case_keeps_what_stands_still_for_where_it_came_from() -> None:
    held = clock("help_given", end_of(10), status="held")
    case = running("paused", clocks=(held,), previous_state="helped", held_at=START + timedelta(days=2))
    assert objections(WAY, case) == []
    (effect,) = (each for each in crossing(WAY, case, NOW) if isinstance(each, RewriteDeadline))
    assert (effect.status, effect.state, effect.due_at) == ("held", "assisted", end_of(8))


def test_partners_are_told_only_if_what_they_know_changes() -> None:
    assert not [each for each in crossing(WAY, running("helped"), NOW) if isinstance(each, Announce)]
    shown = NEW.replace("en: Support}\n    shared: false", "en: Support}\n    shared: true")
    told = crossing(change_of(OLD, shown, RENAMED).way, running("helped"), NOW)
    assert Announce("case.migrated", {"state": "assisted"}) in told
    hidden = newer(("en: Waiting}\n    shared: true", "en: Waiting}\n    shared: false"))
    assert Announce("case.migrated", {}) in crossing(change_of(OLD, hidden).way, running("waiting"), NOW)


def _verdict(way: Passage, case: Running) -> tuple[Verdict, list[str]]:
    reasons = objections(way, case)
    assert all(each.text_fr.endswith(".") and each.text_en.endswith(".") and each.missing for each in reasons)
    return verdict_of(reasons), [each.code for each in reasons]


def test_each_verdict_says_why() -> None:
    unmapped = change_of(OLD, NEW).way
    assert _verdict(WAY, running("helped")) == (Verdict.AUTOMATIC, [])
    assert _verdict(unmapped, running("helped")) == (Verdict.NEEDS_MAPPING, ["state_unknown"])
    held = running("paused", previous_state="helped")
    assert _verdict(unmapped, held) == (Verdict.NEEDS_MAPPING, ["previous_state_unknown"])
    for goal in ("paused", "ended"):
        on = change_of(OLD, NEW, f"helped={goal}").way
        assert _verdict(on, running("helped")) == (Verdict.BLOCKED, ["kind_differs"])
    shut = newer(("    from: [waiting, helped]\n    to: paused", "    from: waiting\n    to: paused"))
    assert _verdict(change_of(OLD, shut).way, held) == (Verdict.BLOCKED, ["no_way_back"])


def test_records_under_way_are_carried_over_by_name_and_others_do_not_matter() -> None:
    asked = {"R1": RecordFact("referral", "R1", "asked", None)}
    done = {"R1": RecordFact("referral", "R1", "accepted", None)}
    gone = change_of(WITH_RECORDS, newer()).way
    assert _verdict(gone, running("helped", records=asked)) == (Verdict.BLOCKED, ["record_kind_unknown"])
    assert _verdict(gone, running("helped", records=done)) == (Verdict.AUTOMATIC, [])
    other = newer(("asked:", "sent:"), ("to: asked", "to: sent"), ("from: asked", "from: sent"), of=WITH_RECORDS)
    unnamed = change_of(WITH_RECORDS, other).way
    assert _verdict(unnamed, running("helped", records=asked)) == (Verdict.NEEDS_MAPPING, ["record_status_unknown"])
    named = change_of(WITH_RECORDS, other, "referral.asked=sent").way
    assert _verdict(named, running("helped", records=asked)) == (Verdict.AUTOMATIC, [])
    assert crossing(named, running("helped", records=asked), NOW) == (SetRecord("referral", "R1", "asked", "sent"),)
    assert crossing(named, running("helped", records=done), NOW) == ()
    assert "records" in named.groups


def test_names_are_kept_as_they_were_written() -> None:
    change = change_of(WITH_RECORDS, newer(of=WITH_RECORDS))
    names = read_names(["helped=waiting", "referral.asked=accepted"], change.old.pathway, change.new.pathway)
    assert names_of(names.as_pairs()) == names
    assert (names.state("helped"), names.state("paused")) == ("waiting", "paused")
    assert (names.status("referral", "asked"), names.status("grant", "asked")) == ("accepted", "asked")


_DAYS = st.integers(min_value=0, max_value=400)


@given(st.integers(1, 60), st.integers(1, 60), _DAYS, _DAYS, _DAYS, st.sampled_from(["open", "held"]))
def test_wherever_a_clock_stands_it_is_due_as_if_the_new_version_had_started_it(
    old: int, new: int, started: int, held: int, at: int, status: str
) -> None:
    """Nothing in its past is forgotten, nothing is put off without reason, and the image puts it back exactly."""
    before = OLD.replace("due: P10D\n    reminders: [P3D]", f"due: P{old}D")
    way = change_of(before, newer((f"due: P{old}D\n    ladder", f"due: P{new}D\n    ladder"), of=before)).way
    start, now = START + timedelta(days=started), START + timedelta(days=at)
    first = way.old.calendar.add(start, Span(days=old))
    due = first + timedelta(days=held)
    late = due <= now
    was = {"first_due_at": first, "started_at": start, "status": status, "overdue_at": due if late else None}
    clock_ = clock("help_given", due, level=int(late), **was)
    case = running("helped", clocks=(clock_,))
    effects = crossing(way, case, now)
    expected = way.new.calendar.add(start, Span(days=new)) + timedelta(days=held)
    stands = next((each for each in effects if isinstance(each, RewriteDeadline)), clock_as_it_is(clock_))
    assert stands.due_at == expected
    assert stands.due_at - stands.first_due_at == timedelta(days=held)
    assert stands.status == status
    assert stands.next_at is not None
    assert (stands.overdue_at is None) == (expected > now or not late)
    image = image_of(case, effects)
    back = {each.id: each for each in effects_of_image(image) if isinstance(each, RewriteDeadline)}
    assert back == ({} if stands == clock_as_it_is(clock_) else {clock_.id: clock_as_it_is(clock_)})


def test_the_image_of_a_move_puts_back_what_it_changed_and_ends_what_it_began() -> None:
    kept, dropped = task("greet"), clock("answered", end_of(1), state=None, id=9)
    case = running("waiting", tasks=(kept,), clocks=(dropped,), previous_state=None)
    effects: tuple[Effect, ...] = crossing(WAY, case, NOW)
    image = image_of(case, effects)
    assert image["case"] == [["waiting", None]]
    assert set(effects_of_image(image)) == {
        EndDeadline("seen", met=False),
        task_as_it_is(kept),
        clock_as_it_is(dropped),
    }
