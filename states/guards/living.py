"""The guards of training and livelihood. Those of a grant look at the one that the move is about."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from states.facts import Facts, GrantPlanFact
from states.guards.binding import Names, guard
from states.moves import Move
from states.record_words import GRANT_WORDS

GrantStep = Annotated[str, Names("grant step")]
RecordStates = Annotated[tuple[str, ...], Names("record state")]

_STEPS: Final = tuple(GRANT_WORDS)


@guard(
    reads=("records",),
    missing="records",
    fr="Le dossier ne doit pas déjà avoir : {states}.",
    en="The case must not have already: {states}.",
)
def no_record_in(facts: Facts, move: Move, _now: datetime, *, states: RecordStates) -> bool:
    """No other record than the one that the move is about; `states` are written `kind.state`."""
    others = (each for each in facts.records.values() if each.code != move.record)
    return not any(f"{each.kind}.{each.status}" in states for each in others)


@guard(
    reads=("enrolment",),
    missing="enrolment.certificate_at",
    fr="Le certificat de formation n'est pas enregistré.",
    en="No training certificate is recorded.",
)
def training_certified(facts: Facts, _move: Move, _now: datetime) -> bool:
    return facts.enrolment is not None and facts.enrolment.certified


@guard(
    reads=("grant", "records"),
    missing="grant.status",
    fr="L'appui à l'installation n'a pas encore atteint l'étape : {step} ; aucun projet communautaire n'est achevé non "
    "plus.",
    en="The grant has not yet reached the step: {step}; nor was a part in a community project completed.",
)
def livelihood_reached(facts: Facts, _move: Move, _now: datetime, *, step: GrantStep) -> bool:
    """By the newest grant, or by a part in a community project that came to its end."""
    if any(each.kind == "membership" and each.status == "completed" for each in facts.records.values()):
        return True
    status = facts.grant.status if facts.grant else None
    return status in _STEPS and _STEPS.index(status) >= _STEPS.index(step)


@guard(
    reads=("grants",),
    missing="grant.amount_xof",
    fr="Le montant dépasse le plafond : {individual} F CFA (individuel), {collective} (collectif), {community} "
    "(communautaire).",
    en="The amount is above the ceiling: XOF {individual} (individual), {collective} (collective), {community} "
    "(community).",
)
def within_ceiling(
    facts: Facts, move: Move, _now: datetime, *, individual: int, collective: int, community: int
) -> bool:
    """The amount that the move asks for (`kind` and `amount_xof` in its data), else the grant's."""
    ceilings = {"individual": individual, "collective": collective, "community": community}
    asked = move.data.get("amount_xof")
    if asked is not None:
        ceiling = ceilings.get(str(move.data.get("kind")))
        return type(asked) is int and ceiling is not None and 0 <= asked <= ceiling
    plan = _plan(facts, move)
    # A preview that has no grant in mind yet asks for nothing.
    return plan is None or plan.amount_xof <= ceilings.get(plan.kind, 0)


@guard(
    reads=("grants",),
    missing="grant.endorsed_by",
    fr="Au-dessus de {up_to} F CFA, il faut deux signatures.",
    en="Above XOF {up_to}, two signatures are needed.",
)
def one_signature_suffices(facts: Facts, move: Move, _now: datetime, *, up_to: int) -> bool:
    plan = _plan(facts, move)
    return plan is not None and plan.amount_xof <= up_to


@guard(
    reads=("grants", "records"),
    missing="grant.approved_by",
    fr="L'appui doit être signé par une autre personne que celles qui l'ont proposé ou déjà signé.",
    en="The grant must be signed by another person than those who proposed it or signed it before.",
)
def grant_approver_differs(facts: Facts, move: Move, _now: datetime) -> bool:
    """A grant without a known proposer passes nobody, nor does somebody unknown. A signature counts while the grant is
    where it brought it: what is told of the past may know of a later one."""
    plan, found, asking = _plan(facts, move), facts.records.get(move.record or ""), move.actor.id
    if plan is None or plan.proposed_by is None or asking is None:
        return False
    endorsed = found is not None and found.status == "endorsed"
    return asking != plan.proposed_by and not (endorsed and asking == plan.endorsed_by)


@guard(
    reads=("grants",),
    missing="grant.purchases",
    fr="Aucun achat n'est enregistré avec sa preuve.",
    en="No purchase is recorded with its proof.",
)
def purchases_recorded(facts: Facts, move: Move, _now: datetime) -> bool:
    plan = _plan(facts, move)
    return plan is not None and plan.spent_xof > 0


def _plan(facts: Facts, move: Move) -> GrantPlanFact | None:
    return facts.grants.get(move.record or "")
