"""Guards of what a move says, and of consents, results, plans, sessions and visits. They look at values, never a clock.

A guard says what must hold; `states.decide` refuses with its text when it does not. `docs/pathway.md` lists them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from states.facts import Facts
from states.guards.binding import Names, guard
from states.moves import Move
from states.pathway import waived_needs

Field = Annotated[str, Names("field")]
Purpose = Annotated[str, Names("purpose")]
Need = Annotated[str, Names("state")]
Clock = Annotated[str, Names("clock")]
Roles = Annotated[tuple[str, ...], Names("role")]
Reasons = Annotated[tuple[str, ...], Names("reason")]
Priorities = Annotated[tuple[str, ...], Names("priority")]
Instruments = Annotated[tuple[str, ...], Names("instrument")]


@guard(
    demands={"reason": "reasons"},
    asks="reason",
    missing="reason",
    fr="Il faut un motif parmi : {reasons}.",
    en="A reason is needed, one of: {reasons}.",
)
def reason_in(_facts: Facts, move: Move, _now: datetime, *, reasons: Reasons) -> bool:
    return move.reason in reasons


@guard(
    demands={"note": (True,)},
    asks="note",
    missing="note",
    fr="Une note est nécessaire : dites pourquoi.",
    en="A note is needed: say why.",
)
def note_given(_facts: Facts, move: Move, _now: datetime) -> bool:
    return bool(move.note and move.note.strip())


@guard(
    demands={"data.{field}": "values"},
    asks="{field}",
    missing="data.{field}",
    fr="Précisez « {field} » : {values}.",
    en="Say “{field}”: {values}.",
)
def data_in(_facts: Facts, move: Move, _now: datetime, *, field: Field, values: tuple[int | str, ...]) -> bool:
    return move.data.get(field) in values


@guard(
    demands={"role": "roles"},
    missing="actor.role",
    fr="Cela revient à : {roles}.",
    en="This is for: {roles}.",
)
def actor_in(_facts: Facts, move: Move, _now: datetime, *, roles: Roles) -> bool:
    return move.actor.role in roles


@guard(
    demands={"priority": "priorities"},
    missing="priority",
    fr="La priorité du dossier doit être : {priorities}.",
    en="The priority of the case must be: {priorities}.",
)
def priority_in(facts: Facts, _move: Move, _now: datetime, *, priorities: Priorities) -> bool:
    return facts.priority in priorities


@guard(
    demands={"consents.{purpose}": (True,)},
    reads=("consents",),
    missing="consents.{purpose}",
    fr="Le consentement de la personne manque (finalité : {purpose}).",
    en="The person's consent is missing (purpose: {purpose}).",
)
def consent_given(facts: Facts, _move: Move, _now: datetime, *, purpose: Purpose) -> bool:
    return purpose in facts.consents


@guard(
    reads=("assessments",),
    missing="assessments",
    fr="Il manque un résultat, un parmi : {instruments}.",
    en="A result is missing, one of: {instruments}.",
)
def assessed(facts: Facts, _move: Move, _now: datetime, *, instruments: Instruments) -> bool:
    return any(instrument in facts.assessments for instrument in instruments)


@guard(
    demands={"plan": (True,), "plan.status": ("approved",)},
    recorded_by=("approve_plan",),
    reads=("plan",),
    missing="plan.status",
    fr="La dernière version du plan n'est pas approuvée.",
    en="The newest version of the plan is not approved.",
)
def plan_approved(facts: Facts, _move: Move, _now: datetime) -> bool:
    return facts.plan is not None and facts.plan.status == "approved"


@guard(
    demands={"plan": (True,)},
    reads=("plan",),
    missing="plan.approver_id",
    fr="Le plan doit être approuvé par une autre personne que son auteur.",
    en="The plan must be approved by another person than its author.",
)
def plan_approver_differs(facts: Facts, move: Move, _now: datetime) -> bool:
    """The approver is the one recorded or, before that, whoever asks; a plan without a known author passes nobody."""
    plan = facts.plan
    return plan is not None and _two_people(plan.author_id, plan.approver_id, move.actor.id)


@guard(
    demands={"plan": (True,), "plan.needs.{need}": (True,)},
    reads=("plan",),
    missing="plan.needs.{need}",
    fr="Le plan ne demande pas : {need}.",
    en="The plan does not ask for: {need}.",
)
def plan_asks_for(facts: Facts, _move: Move, _now: datetime, *, need: Need) -> bool:
    return facts.plan is not None and need in facts.plan.needs


@guard(
    reads=("plan",),
    missing="data.waived",
    fr="Seul un besoin du plan peut être levé, avec une note, par : {roles}.",
    en="Only a need of the plan can be waived, with a note, by: {roles}.",
)
def waivers_allowed(facts: Facts, move: Move, now: datetime, *, roles: Roles) -> bool:
    """`data["waived"]` lists the needs that this move waives; without it there is nothing to object to."""
    if not move.data.get("waived"):
        return True
    waived = waived_needs(move)
    if not waived or facts.plan is None or not waived <= facts.plan.needs:
        return False
    return move.actor.role in roles and note_given(facts, move, now)


@guard(
    reads=("sessions",),
    missing="sessions",
    fr="Il faut au moins {minimum} séance(s) psychosociale(s) suivie(s).",
    en="At least {minimum} psychosocial session(s) must have been attended.",
)
def sessions_attended(facts: Facts, _move: Move, _now: datetime, *, minimum: int) -> bool:
    return facts.sessions_attended >= minimum


@guard(
    recorded_by=("record_visit",),
    reads=("visits",),
    missing="visits.{months}",
    fr="La visite de suivi de {months} mois n'est pas enregistrée.",
    en="The {months}-month follow-up visit is not recorded.",
)
def visit_recorded(facts: Facts, _move: Move, _now: datetime, *, months: int) -> bool:
    return months in facts.visits


@guard(
    reads=("deadlines",),
    missing="open_deadlines.{deadline}",
    fr="Il est trop tôt : « {deadline} » n'est pas échu.",
    en="It is too early: “{deadline}” has not run out.",
)
def ran_out(facts: Facts, _move: Move, _now: datetime, *, deadline: Clock) -> bool:
    return deadline not in facts.open_deadlines


def _two_people(first: int | None, recorded: int | None, asking: int | None) -> bool:
    second = asking if recorded is None else recorded
    return first is not None and second is not None and first != second
