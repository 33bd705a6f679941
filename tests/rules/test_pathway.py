"""The bundled pathway is whole: everything owned, announced, translated and closable, with the programme's figures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.events import EVENT_TYPES
from states.calendar import Span
from states.moves import Announce, EndDeadline, EndTask, HoldClocks
from states.pathway import Branch, Pathway, StateKind, Text, Transition
from states.pathways.loader import bundled_pathway, load_pathway

MALI = load_pathway(bundled_pathway("mali"), "mali.yaml")
CARE = ("psychosocial", "training", "livelihood")
STATES = ["registered", "arrived", "screening", "planning", *CARE, "follow_up", "on_hold", "closed"]


def ways() -> Iterator[tuple[Transition, Branch]]:
    for transition in MALI.table.values():
        for branch in transition.branches.values():
            yield transition, branch


def test_it_has_the_states_and_reasons_of_the_programme() -> None:
    assert list(MALI.states) == STATES
    assert MALI.initial == "registered"
    assert {key for key, state in MALI.states.items() if state.kind is StateKind.HOLD} == {"on_hold"}
    assert {key for key, state in MALI.states.items() if state.kind is StateKind.FINAL} == {"closed"}
    assert {key for key, state in MALI.states.items() if not state.shared} == {"screening", "psychosocial", "on_hold"}
    assert set(MALI.hold_reasons) == {"unreachable", "medical", "eligibility_review", "security"}
    assert set(MALI.close_reasons) == {
        *("completed", "withdrew", "left_area", "re_migrated", "deceased", "ineligible", "transferred"),
        *("lost_contact", "no_show", "funding_ended", "security"),
    }
    assert MALI.timezone.key == "Africa/Bamako"
    assert (MALI.calendar.country, MALI.calendar.weekend) == ("ML", {5, 6})


@pytest.mark.parametrize(
    ("key", "due", "base", "state"),
    [
        ("screening_begun", "14 working days", "arrival", "arrived"),
        ("screening_emergency", "PT24H", "now", "screening"),
        ("screening_urgent", "PT72H", "now", "screening"),
        ("screening_normal", "P2W", "now", "screening"),
        ("emergency_response", "PT24H", "now", None),
        ("plan_approved", "P1M", "arrival", None),
        ("psychosocial_review", "P90D", "now", "psychosocial"),
        ("enrolment", "P30D", "now", "training"),
        ("kit_delivered", "P60D", "now", None),
        ("visit_3", "P3M15D", "now", "follow_up"),
        ("visit_6", "P6M15D", "now", "follow_up"),
        ("visit_12", "P12M15D", "now", "follow_up"),
        ("hold_review", "P30D", "now", "on_hold"),
        ("no_show", "P60D", "now", "registered"),
    ],
)
def test_the_clocks_have_the_programmes_figures(key: str, due: str, base: str, state: str | None) -> None:
    template = MALI.deadlines[key]
    assert (template.due, template.base, template.state) == (Span.parse(due), base, state)


def test_the_visits_open_fifteen_days_before_their_month() -> None:
    for months in (3, 6, 12):
        timer = MALI.deadlines[f"visit_{months}_opens"]
        assert (timer.due, timer.before) == (Span(months=months), Span(days=15))
        assert (timer.trigger, dict(timer.data)) == ("open_visit", {"months": months})
    assert MALI.tasks["post_arrival_assistance"].due == Span(days=3)


def test_the_ways_are_those_of_the_process() -> None:
    goals = {(t.state, t.trigger): set(t.branches) for t in MALI.table.values() if not t.internal}
    forward = {goal for (state, _), reached in goals.items() if state == "arrived" for goal in reached}
    assert forward == {"screening", "on_hold", "closed"}
    for state in CARE:
        reached = {goal for (source, _), found in goals.items() if source == state for goal in found}
        assert reached == {*CARE, "planning", "follow_up", "on_hold", "closed"} - {state}
    active = {key for key, state in MALI.states.items() if state.kind is StateKind.ACTIVE}
    assert goals["on_hold", "resume"] == goals["closed", "reopen"] == active
    for state in active:
        assert goals[state, "hold"] == {"on_hold"}
        assert goals[state, "close"] == {"closed"}
        assert (state, "raise_emergency") in MALI.table


def test_every_state_leads_to_closure() -> None:
    for state in MALI.states:
        seen, left = {state}, [state]
        while left:
            here = left.pop()
            new = {branch.to_state for transition, branch in ways() if transition.state == here} - seen
            seen |= new
            left += new
        assert "closed" in seen


def test_every_announcement_is_in_the_catalogue_and_as_thin_as_it_says() -> None:
    for transition, branch in ways():
        if not transition.internal:
            assert branch.announces, (transition.state, transition.trigger)
        for announced in branch.announces:
            shared = MALI.states[branch.to_state].shared
            assert announced.data == ({"state": branch.to_state} if shared else {})
            model = EVENT_TYPES[announced.type]
            bound = {"referral": "BBBB-BBBB"} if "referral" in model.model_fields else {}
            model.model_validate({"case": "AAAA-AAAA", **announced.data, **bound})
    assert MALI.registration.announces == (Announce("case.registered", {"state": "registered"}),)


def test_no_event_tells_of_an_emergency_or_a_review() -> None:
    for trigger in ("raise_emergency", "resolve_emergency", "raise_urgent", "lower_priority", "review_psychosocial"):
        assert not any(branch.announces for transition, branch in ways() if transition.trigger == trigger)


def test_everything_has_an_owner_and_every_ladder_somebody_on_it() -> None:
    for task in MALI.tasks.values():
        assert task.role in MALI.roles
        assert task.role != "system"
    for clock in MALI.deadlines.values():
        assert clock.owner in MALI.roles
        assert clock.owner != "system"
        assert clock.kind == "timer" or clock.ladder
        assert all(step.role in MALI.roles and step.role != "system" for step in clock.ladder)
        # Few reminders: one is enough, and an hour's clock needs none of days.
        assert len(clock.reminders) <= 1
        assert clock.announce in (None, *EVENT_TYPES)
    for transition in MALI.table.values():
        assert transition.roles <= MALI.roles.keys()


def test_timers_fire_what_is_possible_for_the_system() -> None:
    timers = [clock for clock in MALI.deadlines.values() if clock.kind == "timer"]
    assert len(timers) >= 5
    for timer in timers:
        assert timer.trigger is not None
        fired = [
            each
            for (state, trigger), each in MALI.table.items()
            if trigger == timer.trigger and timer.state in (None, state)
        ]
        assert fired
        assert all("system" in each.roles for each in fired)
        assert timer.reason in (None, *MALI.close_reasons)


def texts(pathway: Pathway) -> Iterator[tuple[str, Text]]:
    for kind in ("triggers", "fields", "roles", "close_reasons", "hold_reasons"):
        yield from ((f"{kind}.{key}", text) for key, text in getattr(pathway, kind).items())
    for kind in ("states", "tasks", "deadlines"):
        yield from ((f"{kind}.{key}", each.title) for key, each in getattr(pathway, kind).items())
    yield "title", pathway.title


def test_every_text_is_in_both_languages() -> None:
    found = list(texts(MALI))
    assert len(found) > 100
    for where, text in found:
        assert text.fr.strip() == text.fr != "", where
        assert text.en.strip() == text.en != "", where
    # A translation that was forgotten is the same word twice; a handful are the same word in both.
    same = {where for where, text in found if text.fr == text.en}
    assert same <= {"roles.coordinator", "states.training", "roles.training_officer"}


def test_a_state_that_is_left_ends_what_belongs_to_it() -> None:
    for transition, branch in ways():
        ended = {(type(effect), effect.key) for effect in branch.fixed if isinstance(effect, EndTask | EndDeadline)}
        ended |= {(type(rule.effect), rule.effect.key) for rule in branch.ends if rule.otherwise}
        kind = MALI.states[branch.to_state].kind
        belonging = {(EndTask, key) for key, task in MALI.tasks.items() if task.state == transition.state}
        belonging |= {(EndDeadline, key) for key, each in MALI.deadlines.items() if each.state == transition.state}
        if kind is StateKind.HOLD and not transition.internal:
            assert HoldClocks() in branch.fixed
            assert not ended
        elif not transition.internal:
            assert belonging <= ended, (transition.state, transition.trigger)


def test_facts_are_asked_for_only_where_something_looks_at_them() -> None:
    assert MALI.needs("confirm_arrival") == frozenset()
    assert MALI.needs("begin_screening") == {"consents"}
    assert MALI.needs("start_follow_up") == {"plan", "sessions", "enrolment", "grant", "records"}
    assert MALI.needs("raise_emergency") == {"tasks", "deadlines"}
    assert MALI.needs("no_such_trigger") == frozenset()


def test_a_pathway_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        MALI.version = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        MALI.table["registered", "close"] = None  # type: ignore[index]
    with pytest.raises(TypeError):
        MALI.states["elsewhere"] = None  # type: ignore[index]
