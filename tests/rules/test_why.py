"""Why a case does not go on: each cause in its turn, in one sentence a language, with the action that frees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from past_lives import PAST

from states.decide import decide
from states.facts import AssessmentFact, Facts, PlanFact
from states.moves import Actor, Move, Refusal
from states.pathway import StateKind
from states.pathways.loader import bundled_pathway, load_pathway
from states.why.cause import STUCK, Cause, CauseKind, Clock, Situation, Unanswered, Work
from states.why.reasoning import why
from states.why.ways import facts_needed, ways_on

PATHWAY = load_pathway(PAST, "past")
MALI = load_pathway(bundled_pathway("mali"), "mali")
NOW = datetime(2024, 3, 12, 10, tzinfo=UTC)
K6 = {"k6": AssessmentFact("k6", 7, "moderate", frozenset(), NOW)}
DRAFT, APPROVED = PlanFact("draft", frozenset(), 11, None), PlanFact("approved", frozenset(), 11, 12)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def work(key: str, role: str = "worker", login: str | None = "awa", late: float | None = 3, **parts: Any) -> Work:
    due = None if late is None else ago(late)
    return Work(key, parts.get("record"), role, login, "normal", ago(20), due)


def clock(key: str, late: float, kind: str = "deadline", record: str | None = None) -> Clock:
    return Clock(key, record, kind, ago(late))


def referral(priority: str = "normal", code: str = "REF1") -> Unanswered:
    return Unanswered(code, "sante", "Centre fictif", priority, ago(9))


def situation(state: str, **parts: Any) -> Situation:
    beside = {name: parts.pop(name) for name in ("tasks", "clocks", "referrals", "hold_reason") if name in parts}
    facts = Facts(
        case_id=1,
        state=state,
        version=3,
        entered_state_at=ago(20),
        arrival_date=date(2024, 2, 1),
        registered_at=ago(40),
        **parts,
    )
    return Situation("CODE", facts, **beside)


def cause_of(state: str, **parts: Any) -> Cause:
    return why(PATHWAY, situation(state, **parts), NOW)


def test_a_hold_comes_before_everything_else() -> None:
    cause = cause_of(
        "paused",
        held_at=ago(34),
        previous_state="helped",
        hold_reason="ill",
        tasks=(work("write"),),
        clocks=(clock("answer", 2, record="REF1"),),
        referrals=(referral("emergency"),),
    )
    assert (cause.kind, cause.about, cause.trigger, cause.role) == (CauseKind.HOLD, "ill", "go_on", "worker")
    assert cause.since == ago(34)
    assert cause.sentence.fr == (
        "Le dossier est en suspens depuis 34 jours (malade) : « Reprendre » le remet en marche (agent, chef)."
    )
    assert cause.sentence.en == (
        "The case has been on hold for 34 days (ill): “Go on” sets it going again (worker, chief)."
    )


@pytest.mark.parametrize(("priority", "first"), [("emergency", True), ("urgent", True), ("normal", False)])
def test_a_silent_partner_comes_first_when_it_is_pressing(priority: str, first: bool) -> None:
    held_up: dict[str, Any] = {"assessments": K6, "plan": DRAFT, "tasks": (work("approve", "chief", "issa"),)}
    clocks = (clock("help_given", 4), clock("answer", 6, record="REF1"))
    cause = cause_of("helped", referrals=(referral(priority),), clocks=clocks, **held_up)
    assert (cause.kind is CauseKind.SILENT_PARTNER) is first
    if first:
        assert (cause.partner, cause.record, cause.since) == ("sante", "REF1", ago(6))
        assert "« Centre fictif » aurait dû répondre il y a 6 jours" in cause.sentence.fr
        assert "retirez l'orientation REF1" in cause.sentence.fr
        assert "chase this partner, or withdraw the referral REF1" in cause.sentence.en


def test_a_partner_who_has_time_left_is_not_silent_and_the_longest_silence_counts() -> None:
    asked = (referral("urgent", "REF1"), referral("urgent", "REF2"))
    early = cause_of("helped", referrals=asked, clocks=(clock("answer", -1, record="REF1"),), plan=APPROVED)
    assert early.kind is CauseKind.ON_TIME
    late = (clock("answer", 1, record="REF1"), clock("answer", 5, record="REF2"))
    assert cause_of("helped", referrals=asked, clocks=late).record == "REF2"
    pressing = (referral("normal", "REF2"), referral("emergency", "REF1"))
    assert cause_of("helped", referrals=pressing, clocks=late).record == "REF1"


def test_the_guard_names_the_missing_record_and_who_brings_it() -> None:
    cause = cause_of("waiting", tasks=(work("greet"),), clocks=(clock("greeted", 5),))
    assert (cause.kind, cause.guard, cause.missing) == (CauseKind.GUARD, "assessed", "assessments")
    assert (cause.task, cause.role, cause.login, cause.trigger) == ("greet", "worker", "awa", None)
    assert cause.since == ago(5)
    assert cause.sentence.fr == (
        "« Aider » n'est pas possible, avec 5 jours de retard : il manque un résultat, un parmi : "
        "Échelle de détresse psychologique de Kessler (K6) ; il faut « Accueillir », chez awa (agent)."
    )
    assert cause.sentence.en.startswith("“Help” is not possible, 5 days late: a result is missing, one of: Kessler")
    assert cause.sentence.en.endswith("; what it needs is “Greet”, with awa (worker).")


def test_the_task_is_the_one_whose_move_asks_for_the_same_record() -> None:
    """In the state `helped` both tasks are open; the approval is what the way on lacks."""
    tasks = (work("write", late=9), work("approve", "chief", "issa", late=1))
    cause = cause_of("helped", plan=DRAFT, tasks=tasks, clocks=(clock("help_given", 4),))
    assert (cause.kind, cause.guard, cause.task, cause.login) == (CauseKind.GUARD, "plan_approved", "approve", "issa")


def test_without_a_task_the_roles_of_the_move_are_asked() -> None:
    cause = cause_of("helped", plan=DRAFT, clocks=(clock("help_given", 4),))
    assert (cause.kind, cause.task, cause.trigger, cause.role) == (CauseKind.GUARD, None, "follow", "worker")
    assert "à pourvoir par : agent, chef" in cause.sentence.fr


def test_an_overdue_task_that_nobody_has_comes_before_the_guard_that_it_would_lift() -> None:
    cause = cause_of("waiting", tasks=(work("greet", login=None, late=2),), clocks=(clock("greeted", 1),))
    assert (cause.kind, cause.task, cause.role, cause.login) == (CauseKind.NOBODY_ASSIGNED, "greet", "worker", None)
    assert "n'est confiée à personne" in cause.sentence.fr
    elsewhere = (work("chase", "chief", None, late=2), work("greet", late=1))
    assert cause_of("waiting", tasks=elsewhere, clocks=(clock("greeted", 1),)).kind is CauseKind.GUARD
    assert cause_of("waiting", tasks=elsewhere[:1], assessments=K6).kind is CauseKind.NOBODY_ASSIGNED


def test_an_overdue_person_is_named_by_login_with_the_move_that_does_it() -> None:
    free = {"assessments": K6}
    cause = cause_of("waiting", tasks=(work("greet"),), clocks=(clock("greeted", 1),), **free)
    assert (cause.kind, cause.task, cause.login, cause.trigger) == (CauseKind.OVERDUE_PERSON, "greet", "awa", "help")
    assert cause.sentence.fr == "« Accueillir » est en retard de 3 jours, chez awa (agent) : il suffit de « Aider »."
    inside = cause_of("helped", plan=APPROVED, tasks=(work("write"),))
    assert inside.trigger == "write"
    none = cause_of("waiting", tasks=(work("write"),), clocks=(clock("greeted", -4),))
    assert (none.kind, none.trigger) == (CauseKind.OVERDUE_PERSON, None)
    assert "il suffit de la terminer" in none.sentence.fr


def test_a_deadline_alone_is_its_owners() -> None:
    cause = cause_of("helped", plan=APPROVED, clocks=(clock("help_given", 8),))
    assert (cause.kind, cause.about, cause.role, cause.trigger) == (
        *(CauseKind.OVERDUE_PERSON, "help_given", "worker"),
        "follow",
    )
    assert cause.sentence.fr == (
        "« Aide donnée » est en retard de 8 jours (agent) : « Suivre » est possible dès maintenant (agent, chef)."
    )


def test_a_case_of_which_nothing_reminds_anybody_is_forgotten() -> None:
    cause = cause_of("helped", plan=DRAFT)
    assert (cause.kind, cause.trigger, cause.guard, cause.since) == (
        *(CauseKind.FORGOTTEN, "follow", "plan_approved"),
        ago(20),
    )
    assert "depuis 20 jours" in cause.sentence.fr
    assert "est possible dès maintenant" in cause_of("helped", plan=APPROVED).sentence.fr


def test_what_holds_nothing_says_so() -> None:
    waits = cause_of("followed", clocks=(clock("check_opens", -6, "timer"), clock("check", -9)))
    assert (waits.kind, waits.about, waits.stuck) == (CauseKind.WAITING, "check_opens", False)
    assert waits.sentence.fr == (
        "Rien n'est à faire avant le 2024-03-18 : « Ouverture du contrôle » viendra de soi-même."
    )
    on_time = cause_of("waiting", tasks=(work("greet", late=-2),), clocks=(clock("greeted", -3),))
    assert (on_time.kind, on_time.task, on_time.login, on_time.missing) == (
        *(CauseKind.ON_TIME, "greet", "awa"),
        "assessments",
    )
    assert (
        on_time.sentence.fr
        == "Rien n'est en retard : « Accueillir » est attendu d'ici le 2024-03-14, chez awa (agent)."
    )
    closed = cause_of("ended", closure_reason="left")
    assert closed.sentence.fr == "Le dossier est clos depuis le 2024-02-21 (parti)."
    assert STUCK.isdisjoint({waits.kind, on_time.kind, closed.kind})


def test_what_is_not_known_to_the_pathway_any_more_is_told_by_its_key() -> None:
    cause = cause_of("helped", plan=APPROVED, tasks=(work("old_task", "old_role"),), clocks=(clock("old_clock", 2),))
    assert "« old_task »" in cause.sentence.fr
    assert "« old_clock »" in cause_of("helped", plan=APPROVED, clocks=(clock("old_clock", 2),)).sentence.fr


def test_a_task_about_a_record_says_of_which_kind() -> None:
    cause = cause_of("followed", tasks=(work("chase", "chief", "issa", record="REF1"),), clocks=(clock("check", -1),))
    assert "« Relancer (orientation) »" in cause.sentence.fr
    assert cause.record == "REF1"


def test_the_ways_on_lead_to_states_that_are_named_later() -> None:
    ways = {
        state: [(way.transition.trigger, way.goal, way.left) for way in found]
        for state, found in ways_on(PATHWAY).items()
    }
    assert ways == {
        "waiting": [("help", "helped", 2)],
        "helped": [("follow", "followed", 1)],
        "followed": [("end", "ended", 0)],
    }
    assert facts_needed(PATHWAY) == {"assessments", "plan"}


def test_of_the_bundled_pathway_every_active_state_has_a_way_on() -> None:
    active = {key for key, state in MALI.states.items() if state.kind is StateKind.ACTIVE}
    assert {state for state, ways in ways_on(MALI).items() if ways} == active
    assert all(way.goal != "closed" or state == "follow_up" for state, ways in ways_on(MALI).items() for way in ways)


@pytest.mark.parametrize("state", MALI.states)
@pytest.mark.parametrize("late", [2, -2])
def test_every_state_of_the_bundled_pathway_has_a_cause_in_both_languages(state: str, late: int) -> None:
    entry = MALI.entries[state]
    tasks = tuple(work(rule.template.key, rule.template.role, late=late) for rule in entry.opens)
    clocks = tuple(clock(rule.template.key, late, rule.template.kind) for rule in entry.sets)
    held = ago(20) if MALI.states[state].kind is StateKind.HOLD else None
    asked = situation(state, tasks=tasks, clocks=clocks, held_at=held, previous_state="planning" if held else None)
    cause = why(MALI, asked, NOW)
    for text in cause.sentence:
        assert text.endswith(".")
        assert text.count(". ") == 0, "one sentence"
        assert "{" not in text
    assert cause.sentence.fr != cause.sentence.en
    assert cause.label.fr
    if cause.kind is CauseKind.GUARD and cause.trigger:
        actor = Actor(str(cause.role), 0)
        verdict = decide(
            MALI, asked.facts, Move(1, cause.trigger, actor, "", "", reason="completed", details=True), NOW
        )
        assert isinstance(verdict, Refusal)
        assert cause.guard in {reason.code for reason in verdict.reasons}


def test_the_same_question_has_the_same_answer_whatever_the_order_of_the_work() -> None:
    tasks = (work("greet"), work("write", late=1), work("chase", "chief", "issa", late=2))
    clocks = (clock("greeted", 5), clock("help_given", 7))
    first = situation("waiting", tasks=tasks, clocks=clocks)
    second = replace(first, tasks=tasks[::-1], clocks=clocks[::-1])
    assert why(PATHWAY, first, NOW) == why(PATHWAY, second, NOW)
