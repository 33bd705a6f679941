"""The steps of a case's records (referrals, grants, ...), as part of a decision: what stands against one, what it does.

`states.decide` calls it for transitions that are a step of a record. Pure, like all that decides.
"""

from __future__ import annotations

from typing import Final

from models.events import EVENT_TYPES
from states.facts import Facts
from states.moves import Announce, Effect, EndDeadline, EndTask, Move, OpenTask, Reason, SetDeadline, SetRecord
from states.pathway import Pathway, RecordStep, Transition
from states.records import RECORD_TABLES

NO_RECORD_MEANT: Final = Reason(
    "no_record_meant",
    "Cette action ne concerne aucun élément du dossier en particulier : n'en nommez pas.",
    "This move is not about one record of the case: name none.",
    "record",
)


def record_objections(pathway: Pathway, transition: Transition, facts: Facts, move: Move) -> list[Reason]:
    """What stands against the step: it names no record, one that the case does not have, or one that is elsewhere."""
    step = transition.record
    if step is None:
        return [] if move.record is None else [NO_RECORD_MEANT]
    kind = pathway.records[step.kind]
    fr, en = kind.title
    if move.record is None:
        what = f"Dites de quel élément il s'agit ({fr}).", f"Say which record is meant ({en})."
        return [Reason("record_needed", *what, "record")]
    found = facts.records.get(move.record)
    if not step.sources:
        if found is None:
            return []
        return [Reason("record_exists", f"Ce code a déjà servi ({fr}).", f"This code is taken ({en}).", "record")]
    if found is None or found.kind != step.kind:
        what = f"Le dossier n'a pas cet élément ({fr}).", f"The case has no such record ({en})."
        return [Reason("no_such_record", *what, "record")]
    if found.status in step.sources:
        return []
    here = kind.states.get(found.status)
    froms = [kind.states[source] for source in step.sources]
    title = pathway.triggers[transition.trigger]
    return [
        Reason(
            "wrong_record_state",
            f"« {title.fr} » n'est pas possible à l'étape « {here.fr if here else found.status} » ({fr}), "
            f"mais à : {', '.join(each.fr for each in froms)}.",
            f"“{title.en}” is not possible at “{here.en if here else found.status}” ({en}), "
            f"but at: {', '.join(each.en for each in froms)}.",
            f"{step.kind}.status",
        )
    ]


def with_record(
    pathway: Pathway, step: RecordStep, facts: Facts, move: Move, effects: tuple[Effect, ...]
) -> tuple[Effect, ...]:
    """The effects of the transition, bound to the record that the move names, after the step itself."""
    code = move.record or ""
    found = facts.records.get(code)
    bound: list[Effect] = [SetRecord(step.kind, code, found.status if found else None, step.to)]
    for effect in effects:
        if isinstance(effect, OpenTask | EndTask):
            about = pathway.tasks[effect.key].record == step.kind
            bound.append(effect._replace(record=code) if about else effect)
        elif isinstance(effect, SetDeadline | EndDeadline):
            about = pathway.deadlines[effect.key].record == step.kind
            bound.append(effect._replace(record=code) if about else effect)
        elif isinstance(effect, Announce):
            bound += _announced(effect, step.kind, facts, move)
        else:
            bound.append(effect)
    return tuple(bound)


def _announced(event: Announce, kind: str, facts: Facts, move: Move) -> list[Announce]:
    """The event as the step of a record of this kind announces it. One that names the record is for the record's
    partner alone, where it has one. One that names records of another kind is written for each that leans on this one,
    for its partner; and where it need not name one, for every other partner who was shown something under this one:
    whoever received something on the strength of a consent learns that it is revoked."""
    fields = EVENT_TYPES[event.type].model_fields
    named = fields.keys() & RECORD_TABLES.keys()
    if kind in named:
        whom = None
        if RECORD_TABLES[kind].partner:
            found = facts.records.get(move.record or "")
            partner_id = found.partner_id if found else move.data.get("partner")
            whom = (partner_id,) if isinstance(partner_id, int) else ()
        return [Announce(event.type, {**event.data, kind: move.record}, whom)]
    if not named:
        return [event]
    leaning = [
        Announce(event.type, {**event.data, each.kind: each.code}, (each.partner_id,) if each.partner_id else ())
        for each in facts.records.values()
        if each.kind in named and each.leans_on == move.record
    ]
    if any(fields[name].is_required() for name in named):
        return leaning
    told = {partner_id for each in leaning for partner_id in each.only_for or ()}
    others = [id_ for id_ in facts.shown.get(move.record or "", ()) if id_ not in told]
    return [*leaning, *(Announce(event.type, dict(event.data), (id_,)) for id_ in others)]


def candidates(step: RecordStep, facts: Facts) -> tuple[str, ...]:
    """The codes of the case's records that can take the step now; none for a step that makes a record."""
    return tuple(
        found.code for found in facts.records.values() if found.kind == step.kind and found.status in step.sources
    )


def receivers(facts: Facts) -> tuple[int, ...]:
    """The ids of the partners with whom the person lets something be shared, by name."""
    return tuple(id_ for id_, allowed in facts.shares.items() if id_ is not None and allowed is not None)
