"""A policy replayed over invented lives: its own version gives back what happened, another one only what it changes.

The lives are written by the real engine, with its sweeps. Nobody in them exists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from changing_pathways import Changing, options
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from past_lives import NIGHT_HOUR, PAST, Past, at, spend
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, col, select

from models import Case, CasePlan, Deadline, Task, WrongUse
from models.database import create_engine_for, read_session, write_session
from states.change.mapping import NO_NAMES, Names
from states.change.sides import change_between, read_side
from states.moves import OutcomeKind
from states.pathways.loader import load_pathway
from states.pathways.shelf import publish
from states.replay.asking import Policy
from states.replay.chunks import Question, replay
from states.replay.history import History, nights_of, read_histories
from states.replay.report import ReplayReport
from states.replay.walk import CaseReplay, Window, walk_case

DAYS = 45
END = at(DAYS, 0)
SEEDS = st.integers(0, 10_000)
NEVER = at(-1, 0)
FAST = (Phase.explicit, Phase.reuse, Phase.generate)
"""A life takes too long to be made smaller."""


@contextmanager
def lived(seed: int, arrivals: int = 4) -> Iterator[tuple[Engine, Past]]:
    """A database with some weeks of lives in it."""
    with TemporaryDirectory() as folder:
        engine = create_engine_for(f"sqlite:///{Path(folder) / 'past.db'}")
        SQLModel.metadata.create_all(engine)
        with write_session(engine) as session:
            past = Past(session, seed)
            spend(past, DAYS, [arrivals] * 6)
        yield engine, past
        engine.dispose()


def histories(session: Session, past: Past) -> list[History]:
    groups = frozenset().union(*past.pathway.needed.values())
    return read_histories(session, past.case_ids, groups, END)


def own_policy(session: Session, past: Past) -> Policy:
    nights = nights_of(session, past.pathway.timezone, NIGHT_HOUR)
    return Policy(past.pathway, NO_NAMES, {past.version_id: past.pathway}, nights)


def asked(text: str, since: datetime = NEVER, until: datetime = END, names: Names = NO_NAMES) -> Question:
    return Question(load_pathway(text, "proposed"), since, until, names, NIGHT_HOUR)


def policy(*changes: tuple[str, str]) -> str:
    """The pathway of the past with these changes, as another version."""
    text = PAST.replace("\nversion: 1\n", "\nversion: 2\n")
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


def breaches(report: ReplayReport) -> tuple[Counter[str], Counter[str]]:
    return (
        Counter({line.key: line.breached_old for line in report.deadlines}),
        Counter({line.key: line.breached_new for line in report.deadlines}),
    )


def same_end(replayed: CaseReplay) -> bool:
    old, new = replayed.old, replayed.new
    return (
        (old.state, old.previous, old.priority, old.closed_at) == (new.state, new.previous, new.priority, new.closed_at)
        and old.clocks == new.clocks
        and old.tasks == new.tasks
        and old.records == new.records
        and old.opened == new.opened
        and sorted(map(repr, old.stopped)) == sorted(map(repr, new.stopped))
    )


@settings(max_examples=5, phases=FAST)
@given(seed=SEEDS, day=st.integers(0, 30), hour=st.integers(3, 23))
def test_its_own_version_gives_back_what_happened(seed: int, day: int, hour: int) -> None:
    with lived(seed) as (engine, past), read_session(engine) as session:
        own = own_policy(session, past)
        for since in (NEVER, at(day, hour)):
            for history in histories(session, past):
                replayed = walk_case(history, own, Window(since, END))
                case = session.get_one(Case, history.case_id)
                assert (replayed.new.state, replayed.new.closed_at) == (case.state, case.closed_at)
                assert (replayed.new.previous, replayed.new.priority) == (case.previous_state, case.priority)
                assert not replayed.refused
                assert not replayed.unknown
                assert same_end(replayed)


@settings(max_examples=4, phases=FAST)
@given(seed=SEEDS)
def test_the_tasks_and_deadlines_are_those_in_the_database(seed: int) -> None:
    with lived(seed) as (engine, past), read_session(engine) as session:
        own = own_policy(session, past)
        for history in histories(session, past):
            new = walk_case(history, own, Window(NEVER, END)).new
            rows = session.scalars(select(Deadline).where(Deadline.case_id == history.case_id)).all()
            ended = [(row.key, row.record, row.due_at, row.status) for row in rows if row.kind == "deadline"]
            stopped = [(each.key, each.record, each.due_at, each.how) for each in new.stopped]
            running = [
                (key, record, clock.due_at, "held" if clock.held else "open")
                for (key, record), clock in new.clocks.items()
                if clock.kind == "deadline"
            ]
            assert sorted(map(repr, ended)) == sorted(map(repr, stopped + running))
            timers = Counter(row.key for row in rows if row.kind == "timer" and row.status in ("open", "held"))
            assert timers == Counter(key for (key, _), clock in new.clocks.items() if clock.kind == "timer")
            tasks = session.scalars(select(Task).where(Task.case_id == history.case_id)).all()
            assert Counter((task.role, task.key) for task in tasks) == new.opened
            assert {(task.key, task.record) for task in tasks if task.status in ("open", "held")} == new.tasks


@settings(max_examples=4, phases=FAST)
@given(seed=SEEDS, more=st.integers(1, 20), day=st.integers(-1, 30))
def test_longer_deadlines_never_add_a_breach(seed: int, more: int, day: int) -> None:
    longer = policy(("due: 5 working days", f"due: {5 + more} working days"), ("due: P10D", f"due: P{10 + more}D"))
    with lived(seed) as (engine, _):
        report = replay(engine, asked(longer, at(day, 0)))
    old, new = breaches(report)
    assert all(new[key] <= old[key] for key in new)
    assert report.cases_breached == 0
    # More time that is not needed any more is refused.
    assert {line.trigger for line in report.refusals} <= {"waive"}
    assert report.closings.earlier == report.closings.later == report.closings.not_closed == 0


def test_the_answer_does_not_depend_on_the_batches_and_leaves_the_database_as_it_is() -> None:
    proposal = policy(("instruments: [k6]", "instruments: [k10]"), ("due: P20D, trigger", "due: P8D, trigger"))
    with lived(7) as (engine, _):
        before = Path(str(engine.url.database)).read_bytes()
        reports = [replay(engine, asked(proposal), chunk=chunk) for chunk in (1, 7, 500)]
        assert Path(str(engine.url.database)).read_bytes() == before
    assert reports[0] == reports[1] == reports[2]


def test_progress_is_told_and_ends_with_all_cases() -> None:
    told: list[tuple[int, int]] = []
    with lived(7) as (engine, past):
        replay(engine, asked(PAST), chunk=10, on_progress=lambda done, every: told.append((done, every)))
    assert told[-1] == (len(past.case_ids), len(past.case_ids))
    assert [done for done, _ in told] == sorted({done for done, _ in told})


@pytest.fixture(scope="module")
def life() -> Iterator[tuple[Engine, Past]]:
    """One case whose life is told here: helped on the third day, followed on the tenth, ended on the thirtieth."""
    with TemporaryDirectory() as folder:
        engine = create_engine_for(f"sqlite:///{Path(folder) / 'life.db'}")
        SQLModel.metadata.create_all(engine)
        with write_session(engine) as session:
            past = Past(session, 1)
            (case_id,) = past.register(1, 0)
            past.assess(case_id, "k6", at(2, 9))
            past.assess(case_id, "phq9", at(6, 9))
            past.plan(case_id, at(8, 9), approved_at=at(9, 9))
            for day in range(1, 32):
                past.night(day)
                for trigger, role, moved_on in (
                    ("help", "worker", 3),
                    ("follow", "worker", 10),
                    ("check", "worker", 26),
                    ("end", "chief", 30),
                ):
                    if moved_on == day:
                        reason = "done" if trigger == "end" else None
                        outcome = past.advance(case_id, trigger, role, at(day, 10), reason=reason)
                        assert outcome.kind is OutcomeKind.MOVED, outcome.reasons
            session.commit()
        yield engine, past
        engine.dispose()


def test_a_refused_move_waits_for_what_it_lacks(life: tuple[Engine, Past]) -> None:
    """With a PHQ-9 asked for, help comes when that is recorded, three days later than it did."""
    report = replay(life[0], asked(policy(("instruments: [k6]", "instruments: [phq9]"))))
    (case,) = report.cases
    (refused,) = case.refused
    assert (refused.trigger, refused.follows, refused.at, refused.made_at) == ("help", False, at(3, 10), at(6, 9))
    assert [reason.code for reason in refused.reasons] == ["assessed"]
    assert (report.refused_moves, report.following_moves, report.later_moves, report.refused_cases) == (1, 0, 1, 1)
    assert report.closings.same == 1
    assert (case.closed_old, case.closed_new, case.days) == (at(30, 10), at(30, 10), 0)
    (line,) = report.refusals
    assert (line.trigger, line.moves, line.follows, line.later, line.missing) == ("help", 1, 0, 1, "assessments")
    assert line.title.fr == "Aider"


def test_what_never_becomes_possible_stays_refused_and_what_follows_is_told_apart(life: tuple[Engine, Past]) -> None:
    without_end = (
        "{trigger: end, from: [waiting, helped, followed, paused]",
        "{trigger: end, from: [followed, paused]",
    )
    proposal = policy(("instruments: [k6]", "instruments: [who5]"), without_end, ("reason: absent}", "reason: absent}"))
    proposal = proposal.replace("set: [greeted, absent]", "set: [greeted]").replace("cancel: [absent], ", "")
    proposal = proposal.replace("deadlines: {meet: [greeted], cancel: [absent]}", "deadlines: {meet: [greeted]}")
    start = proposal.index("  absent: {title")
    proposal = proposal[:start] + proposal[proposal.index("\n", start) + 1 :]
    report = replay(life[0], asked(proposal))
    (case,) = report.cases
    assert [(each.trigger, each.follows, each.made_at) for each in case.refused] == [
        ("help", False, None),
        ("follow", True, None),
        ("check", True, None),
        ("end", True, None),
    ]
    assert (case.state_old, case.state_new, case.closed_new) == ("ended", "waiting", None)
    assert (report.closings.not_closed, report.closings.same) == (1, 0)
    assert {(line.trigger, line.code): line.follows for line in report.refusals} == {
        ("help", "assessed"): 0,
        ("follow", "wrong_state"): 1,
        ("check", "wrong_state"): 1,
        ("end", "wrong_state"): 1,
    }
    # Nobody greeted them in time: the deadline that was kept is missed.
    assert "greeted" in case.breached


def test_a_shorter_timer_closes_earlier_and_what_comes_after_is_refused_as_a_consequence(
    life: tuple[Engine, Past],
) -> None:
    report = replay(life[0], asked(policy(("due: P20D, trigger", "due: P1D, trigger"))))
    (case,) = report.cases
    assert case.closed_new == at(2, NIGHT_HOUR)
    assert case.days == pytest.approx(-28.33, abs=0.01)
    assert (report.closings.earlier, report.closings.days_earlier) == (1, pytest.approx(28.33, abs=0.01))
    assert [each.follows for each in case.refused] == [True] * 4


def test_a_task_more_costs_its_role_one_for_each_case(life: tuple[Engine, Past]) -> None:
    report = replay(
        life[0],
        asked(
            policy(
                ("on_entry: {set: [check_opens, check]}", "on_entry: {open: [chat], set: [check_opens, check]}"),
                (
                    "  chase: {title",
                    "  chat: {title: {fr: Parler, en: Talk}, role: chief, state: followed}\n  chase: {title",
                ),
            )
        ),
    )
    costs = {line.role: (line.old, line.new, line.more) for line in report.tasks}
    assert costs["chief"][2] == 1
    assert costs["worker"][2] == 0


def test_a_vanished_trigger_is_refused_as_unknown(life: tuple[Engine, Past]) -> None:
    proposal = policy(
        ("  check: {fr: Contrôler, en: Check}\n", "  verify: {fr: Vérifier, en: Verify}\n"),
        ("{trigger: check, from: followed", "{trigger: verify, from: followed"),
    )
    report = replay(life[0], asked(proposal))
    assert [(line.trigger, line.code, line.moves, line.follows) for line in report.refusals] == [
        ("check", "unknown_trigger", 1, 0)
    ]


def test_a_policy_counts_from_its_first_day_on(life: tuple[Engine, Past]) -> None:
    """What the case did before that day stands, whatever the policy says of it."""
    strict = policy(("instruments: [k6]", "instruments: [who5]"))
    assert replay(life[0], asked(strict, at(1, 0))).refused_moves == 4
    after = replay(life[0], asked(strict, at(5, 0)))
    assert (after.refused_moves, after.moves, after.closings.same) == (0, 3, 1)
    assert replay(life[0], asked(strict, at(31, 0))).replayed == 0
    assert replay(life[0], asked(strict, at(-5, 0), at(0, 1))).replayed == 0


def test_a_clock_that_runs_is_carried_over_as_if_it_had_begun_under_the_policy(life: tuple[Engine, Past]) -> None:
    """Help was begun on the third day with ten days to go; with four it would have been missed on the seventh."""
    quick = policy(("    due: P10D\n", "    due: P4D\n"))
    report = replay(life[0], asked(quick, at(5, 0)))
    line = next(line for line in report.deadlines if line.key == "help_given")
    assert (line.breached_old, line.breached_new, line.kept_old, line.kept_new) == (0, 1, 1, 0)
    assert report.cases[0].breached == ("help_given",)


def renamed() -> str:
    text = policy(("  helped:\n", "  aided:\n"))
    return (
        text.replace("state: helped", "state: aided")
        .replace("from: helped", "from: aided")
        .replace("to: helped", "to: aided")
        .replace("[helped, followed", "[aided, followed")
        .replace("waiting, helped, ", "waiting, aided, ")
    )


def test_a_state_that_is_gone_needs_a_name(life: tuple[Engine, Past]) -> None:
    with pytest.raises(WrongUse) as refused:
        replay(life[0], asked(renamed(), at(5, 0)))
    assert "helped" in refused.value.message_en
    assert "--map helped=" in (refused.value.remedy or "")
    report = replay(life[0], asked(renamed(), at(5, 0), names=Names({"helped": "aided"})))
    assert (report.refused_moves, report.closings.same, report.cases) == (0, 1, [])
    # From the first day on the case never is where it would need a name.
    assert replay(life[0], asked(renamed(), names=Names({"helped": "aided"}))).refused_moves == 0


def test_a_pathway_that_nobody_ran_on_cannot_be_replayed(life: tuple[Engine, Past]) -> None:
    with pytest.raises(WrongUse, match="no version of it is published"):
        replay(life[0], asked(PAST.replace("pathway: past", "pathway: other")))


def test_what_a_plan_asked_for_is_known_by_the_names_of_the_time(sqlite_engine: Engine) -> None:
    """Although moving the case to another version has renamed it since, back, and once more."""
    chat = "  chat: {title: {fr: Parler, en: Talk}, role: chief}\n  chase: {title"
    first = PAST.replace("  chase: {title", chat).replace(
        "on_entry: {open: [write], set", "on_entry: {open: [write, {task: chat, when: {need: followed}}], set"
    )
    second = first.replace("version: 1\n", "version: 2\n", 1).replace("followed", "accompanied")
    with write_session(sqlite_engine) as session:
        past = Past(session, 1, text=first)
        (case_id,) = past.register(1, 0)
        past.assess(case_id, "k6", at(0, 9))
        past.plan(case_id, at(0, 10))
        assert past.advance(case_id, "help", "worker", at(1, 10)).kind is OutcomeKind.MOVED
        publish(session, second, at(2, 8))
        old, new = read_side(session, "past@1", "past"), read_side(session, "past@2", "past")
        change = change_between(old, new, Names({"followed": "accompanied"}), keep_deadlines=False)
        made = Changing(session, old, new)
        made.run_wave(change, options(change.way.names), now=at(3, 8))
        made.undo_wave(change, 1, now=at(4, 8))
        made.run_wave(change, options(change.way.names), now=at(5, 8))
        assert session.scalars(select(CasePlan.needs)).one() == ["accompanied"]
        session.commit()
    with read_session(sqlite_engine) as session:
        (history,) = histories(session, past)
        versions = {side.id or 0: side.pathway for side in (old, new)}
        own = Policy(new.pathway, change.way.names, versions, nights_of(session, past.pathway.timezone, NIGHT_HOUR))
        replayed = walk_case(history, own, Window(NEVER, END))
        assert replayed.old.opened["chief", "chat"] == 1
        assert replayed.new.opened["chief", "chat"] == 1


def test_what_was_taken_back_is_left_out(sqlite_engine: Engine) -> None:
    correcting = PAST.replace("triggers:\n", "triggers:\n  correct: {fr: Annuler, en: Take back}\n", 1) + (
        "  - {trigger: correct, from: [helped, followed], takes_back: true, roles: [chief]}\n"
    )
    with write_session(sqlite_engine) as session:
        past = Past(session, 1, text=correcting)
        (case_id,) = past.register(1, 0)
        past.assess(case_id, "k6", at(0, 9))
        for trigger, role, hour in (("help", "worker", 10), ("correct", "chief", 11), ("help", "worker", 12)):
            outcome = past.advance(case_id, trigger, role, at(1, hour))
            assert outcome.kind is OutcomeKind.MOVED, outcome.reasons
        session.commit()
    with read_session(sqlite_engine) as session:
        (history,) = histories(session, past)
        assert [row.move.trigger for row in history.rows] == ["register", "help"]
        replayed = walk_case(history, own_policy(session, past), Window(NEVER, END))
        case = session.scalars(select(Case).where(col(Case.id) == case_id)).one()
        assert same_end(replayed)
        assert (replayed.new.state, replayed.new.entered_at) == (case.state, case.entered_state_at)
        assert replayed.new.entered_at == at(1, 12)


def test_a_task_that_somebody_ended_is_ended_in_both_walks(sqlite_engine: Engine) -> None:
    with write_session(sqlite_engine) as session:
        past = Past(session, 1)
        (case_id,) = past.register(1, 0)
        task = session.scalars(select(Task).where(Task.case_id == case_id, Task.key == "greet")).one()
        task.status, task.closed_at = "done", at(1, 9) + timedelta(minutes=5)
        session.add(task)
        session.commit()
    with read_session(sqlite_engine) as session:
        (history,) = histories(session, past)
        replayed = walk_case(history, own_policy(session, past), Window(NEVER, END))
    assert replayed.old.tasks == replayed.new.tasks == set()
    assert replayed.new.done == {"greet"}
