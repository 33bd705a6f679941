"""What the compiler works out by itself, shown on small pathways where the bundled one has no example of it."""

from __future__ import annotations

from situations import NOW, Situation
from small_pathway import SMALL

from states.decide import decide
from states.moves import Decision, EndTask, OpenTask, SetPriority
from states.pathway import Pathway
from states.pathways.loader import load_pathway


def changed(*changes: tuple[str, str]) -> Pathway:
    text = SMALL
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return load_pathway(text, "small.yaml")


def moved(pathway: Pathway, trigger: str, state: str, **facts: object) -> Decision:
    situation = Situation({"state": state, **facts}, {"reason": "done", "data": {"week": 1}}, "worker")
    verdict = decide(pathway, situation.as_facts(), situation.as_move(trigger), NOW)
    assert isinstance(verdict, Decision), verdict
    return verdict


def test_a_case_closed_while_on_hold_is_reopened_where_it_was_before_the_hold() -> None:
    """Where only the hold leads to the end, the way back from the end still knows every state before the hold."""
    pathway = changed(
        ("    from: [waiting, helped]\n    to: ended", "    from: [waiting, paused]\n    to: ended"),
        ("  end: {fr", "  again: {fr: Rouvrir, en: Reopen}\n  end: {fr"),
        (
            "  - trigger: pause\n",
            "  - trigger: again\n    from: ended\n    to: previous\n    roles: [worker]\n"
            "    announce: [case.reopened]\n  - trigger: pause\n",
        ),
    )
    assert set(pathway.table["ended", "again"].branches) == {"waiting", "helped"}
    assert moved(pathway, "again", "ended", previous_state="helped").to_state == "helped"


def test_a_task_is_as_pressing_as_the_move_leaves_the_case() -> None:
    pathway = changed(("    tasks:\n      open:\n", "    priority: urgent\n    tasks:\n      open:\n"))
    effects = moved(pathway, "note", "helped").effects
    assert SetPriority("urgent") in effects
    assert [effect.priority for effect in effects if isinstance(effect, OpenTask)] == ["urgent"]


def test_the_condition_of_a_guard_is_asked_for_like_the_guard() -> None:
    with_need = "      - {guard: note_given, when: {need: helped}}"
    assert changed(("      - plan_approved", with_need)).needs("help") == {"plan"}
    with_grant = "      - {guard: note_given, when: {without: grant}}"
    assert changed(("      - plan_approved", with_grant)).needs("help") == {"grant"}


def test_what_is_not_ended_as_said_is_cancelled_when_its_state_is_left() -> None:
    pathway = changed(
        ("    tasks: {complete: [greet]}", "    tasks: {complete: [{task: greet, when: {data: {week: 2}}}]}"),
        ("      - plan_approved", "      - {guard: data_in, with: {field: week, values: [1, 2]}}"),
    )
    assert EndTask("greet", False) in moved(pathway, "help", "waiting").effects
    kept = changed(
        ("    tasks: {complete: [greet]}", "    tasks: {complete: [{task: greet, when: {data: {week: 1}}}]}"),
        ("      - plan_approved", "      - {guard: data_in, with: {field: week, values: [1, 2]}}"),
    )
    effects = moved(kept, "help", "waiting").effects
    assert [effect for effect in effects if isinstance(effect, EndTask)] == [EndTask("greet", True)]


def test_a_country_without_holidays_and_a_week_without_rest_days_are_possible() -> None:
    pathway = changed(("{weekend: [saturday, sunday], holidays: ML}", "{weekend: []}"))
    assert all(pathway.calendar.is_working(NOW.date().replace(day=day)) for day in range(1, 32))
