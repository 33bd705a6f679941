"""The one function that decides: what a move does to a case, or every reason why it is not possible.

The writer, previews, the nightly timers and simulations call it. It is pure: facts, move and instant come in as values.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from states.correction import correction_effects, correction_objections
from states.facts import Facts
from states.moves import (
    SYSTEM,
    Actor,
    Decision,
    Effect,
    Move,
    OpenTask,
    Reason,
    Refusal,
    SetDeadline,
)
from states.pathway import PRIORITIES, Branch, DeadlineTemplate, Pathway, TaskTemplate, Transition
from states.record_steps import candidates, receivers, record_objections, with_record
from states.waivers import waiver_asks, waiver_effect, waiver_objections

REGISTER: Final = "register"
"""The trigger of a case's first journal row; no transition, since there is no case before it."""

_RANK: Final = {priority: rank for rank, priority in enumerate(PRIORITIES)}
_REGISTRATION: Final = Move(0, REGISTER, SYSTEM, command_id="", correlation_id="")


class Possible(NamedTuple):
    """One trigger in a preview: where it leads (none: nowhere from here), and every reason why it is not possible now.

    `asks` says what a move may have to bring along beside the trigger (reason, note, a field of data), and which of its
    choices are possible now; no choices means free text.
    """

    trigger: str
    to_state: str | None
    internal: bool
    reasons: tuple[Reason, ...]
    asks: Mapping[str, tuple[Any, ...]]

    @property
    def allowed(self) -> bool:
        return not self.reasons


def decide(pathway: Pathway, facts: Facts, move: Move, now: datetime) -> Decision | Refusal:
    """What `move` does to the case that `facts` describe at the instant `now`, or all the reasons why not.

    Facts need only the groups that `pathway.needs(move.trigger)` names. Whether the case's version is the expected one
    is the writer's question.
    """
    state = facts.state
    transition = pathway.table.get((state, move.trigger))
    if transition is None:
        return Refusal(state, move.trigger, (_no_way(pathway, state, move.trigger),))
    reasons = _objections(pathway, transition, facts, move, now)
    branch = _branch(transition, facts)
    if branch is None:
        reasons.append(_NO_WAY_BACK)
    if transition.takes_back:
        reasons += correction_objections(pathway, facts)
    if transition.waives:
        reasons += waiver_objections(pathway, facts, move, now)
    if reasons or branch is None:
        return Refusal(state, move.trigger, tuple(reasons))
    if transition.takes_back:
        to_state, effects = correction_effects(pathway, facts, now)
        return Decision(state, to_state, move.trigger, effects)
    effects = effects_of(pathway, branch, facts, move, now)
    if transition.record is not None:
        effects = with_record(pathway, transition.record, facts, move, effects)
    if transition.waives:
        effects = (waiver_effect(pathway, facts, move), *effects)
    return Decision(state, branch.to_state, move.trigger, effects)


def registration_effects(pathway: Pathway, facts: Facts, now: datetime) -> tuple[Effect, ...]:
    """What begins with a case: the tasks and clocks of the initial state, and the announcement."""
    return effects_of(pathway, pathway.registration, facts, _REGISTRATION, now)


def preview(pathway: Pathway, facts: Facts, actor: Actor, now: datetime) -> list[Possible]:
    """Every trigger of the pathway, in its order: allowed to `actor`, or all that stands against it.

    Facts need all groups. What a move may still bring along (a reason, a note, data) is taken as given.
    """
    return [possible(pathway, facts, actor, trigger, now) for trigger in pathway.triggers]


def possible(pathway: Pathway, facts: Facts, actor: Actor, trigger: str, now: datetime) -> Possible:
    """One line of the preview. Facts need the groups that `pathway.needs(trigger)` names."""
    transition = pathway.table.get((facts.state, trigger))
    if transition is None:
        return Possible(trigger, None, False, (_no_way(pathway, facts.state, trigger),), {})
    asks = {guard.asks: guard.choices for guard in transition.guards if guard.asks}
    if transition.record is not None:
        asks["record"] = candidates(transition.record, facts)
    if "partner" in asks:
        asks["partner"] = receivers(facts)
    if transition.waives:
        asks |= waiver_asks(pathway, facts, now)
    found: dict[str, list[Any]] = {name: [] for name in asks}
    refusals: dict[Reason, None] = {}
    allowed = False
    for given in _answers(asks):
        verdict = decide(pathway, facts, _assumed(facts, actor, trigger, given), now)
        if isinstance(verdict, Refusal):
            refusals.update(dict.fromkeys(verdict.reasons))
            continue
        allowed = True
        for name, value in given.items():
            if value not in found[name]:
                found[name].append(value)
    choices = {name: tuple(found[name]) if asks[name] else () for name in asks}
    branch = _branch(transition, facts)
    goal = branch.to_state if branch else None
    return Possible(trigger, goal, transition.internal, () if allowed else tuple(refusals), choices)


def clock_from(pathway: Pathway, template: DeadlineTemplate, facts: Facts, now: datetime) -> SetDeadline:
    """The clock that starts from this template at `now`; also what one that started then would be elsewhere."""
    due = template.due_from(pathway.calendar.locally(facts.local_days), now, facts.arrival_date)
    return SetDeadline(template.key, template.kind, template.state, due, due)


def _branch(transition: Transition, facts: Facts) -> Branch | None:
    return transition.only or transition.branches.get(facts.previous_state or "")


def _objections(pathway: Pathway, transition: Transition, facts: Facts, move: Move, now: datetime) -> list[Reason]:
    reasons = []
    if move.actor.role not in transition.roles:
        reasons.append(_wrong_role(pathway, transition))
    if transition.details and not move.details:
        reasons.append(_DETAILS_NEEDED)
    reasons += record_objections(pathway, transition, facts, move)
    for guard in transition.guards:
        if guard.when is None or guard.when.holds(facts, move, facts.priority):
            refusal = guard.check(facts, move, now)
            if refusal is not None:
                reasons.append(refusal)
    return [*reasons, *move.objections]


def effects_of(pathway: Pathway, branch: Branch, facts: Facts, move: Move, now: datetime) -> tuple[Effect, ...]:
    """What the branch does to the case that `facts` describe, in the order in which it is written."""
    priority = branch.priority or facts.priority
    effects: list[Effect] = list(branch.fixed)
    for rule in branch.ends:
        effect = rule.effect if rule.when.holds(facts, move, priority) else rule.otherwise
        if effect is not None:
            effects.append(effect)
    for begun in branch.sets:
        if begun.unless_open and begun.template.key in facts.open_deadlines:
            continue
        if begun.when is None or begun.when.holds(facts, move, priority):
            effects.append(clock_from(pathway, begun.template, facts, now))
    for opened in branch.opens:
        if opened.unless_open and opened.template.key in facts.open_tasks:
            continue
        if opened.when is None or opened.when.holds(facts, move, priority):
            effects.append(task_from(pathway, opened.template, priority, facts, now))
    effects.extend(branch.announces)
    return tuple(effects)


def task_from(pathway: Pathway, template: TaskTemplate, priority: str, facts: Facts, now: datetime) -> OpenTask:
    """The task that is opened from this template at `now`: as pressing as the template says or as the case is,
    whichever presses more."""
    due = template.due_from(pathway.calendar.locally(facts.local_days), now, facts.arrival_date)
    pressing = priority if _RANK[priority] < _RANK[template.priority] else template.priority
    return OpenTask(template.key, template.role, template.state, pressing, due)


def _answers(asks: Mapping[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Every combination of what a move can bring along."""
    answers: list[dict[str, Any]] = [{}]
    for name, choices in asks.items():
        answers = [{**answer, name: choice} for answer in answers for choice in choices or ("…",)]
    return answers


def _assumed(facts: Facts, actor: Actor, trigger: str, given: Mapping[str, Any]) -> Move:
    data = {name: value for name, value in given.items() if name not in ("reason", "note", "record")}
    reason, note, record = (given.get(name) for name in ("reason", "note", "record"))
    return Move(facts.case_id, trigger, actor, "", "", reason=reason, note=note, data=data, record=record, details=True)


def _no_way(pathway: Pathway, state: str, trigger: str) -> Reason:
    title = pathway.triggers.get(trigger)
    if title is None:
        known = ", ".join(pathway.triggers)
        return Reason(
            "unknown_trigger",
            f"Ce parcours ne connaît pas cette action. Il connaît : {known}.",
            f"This pathway knows no such action. It knows: {known}.",
            "trigger",
        )
    froms = [pathway.states[source].title for source, named in pathway.table if named == trigger]
    here = pathway.states[state].title
    return Reason(
        "wrong_state",
        f"« {title.fr} » n'est pas possible à l'étape « {here.fr} », mais à : {', '.join(each.fr for each in froms)}.",
        f"“{title.en}” is not possible in “{here.en}”, but in: {', '.join(each.en for each in froms)}.",
        "state",
    )


def _wrong_role(pathway: Pathway, transition: Transition) -> Reason:
    title = pathway.triggers[transition.trigger]
    roles = [text for key, text in pathway.roles.items() if key in transition.roles]
    return Reason(
        "role_not_allowed",
        f"« {title.fr} » revient à : {', '.join(role.fr for role in roles)}.",
        f"“{title.en}” is for: {', '.join(role.en for role in roles)}.",
        "actor.role",
    )


_DETAILS_NEEDED: Final = Reason(
    "details_needed",
    "Cette action s'enregistre avec son détail, pas seule : passez par son formulaire ou sa commande.",
    "This move is recorded with its details, not by itself: use its form or its command.",
    "details",
)
_NO_WAY_BACK: Final = Reason(
    "no_way_back",
    "L'étape d'où vient le dossier n'est pas connue : il n'y a pas de retour.",
    "The state that the case came from is not known: there is no way back.",
    "previous_state",
)
