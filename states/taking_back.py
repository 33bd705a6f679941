"""What taking back the last transition of a case does, foreseen and in one sentence.

The command line shows it before and after; the console and the API will. `states.correction` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from states.decide import decide
from states.facts import Facts
from states.gather import facts_of, load_cases
from states.moves import (
    Announce,
    Decision,
    EndDeadline,
    EndTask,
    Move,
    Reason,
    Refusal,
    RewriteDeadline,
    RewriteTask,
    SetRecord,
)
from states.pathway import Pathway, Text
from states.pathways.shelf import pathways_of


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The journal row that is taken back, where the case goes back to, and how much comes back or goes: tasks and
    clocks as they were before it, those that it began cancelled, and the events that partners get a correction of.
    `record` is the code of the record that goes back a step."""

    seq: int
    trigger: str
    title: Text
    at: datetime
    from_state: str
    to_state: str
    state: Text
    record: str | None
    tasks_restored: int
    tasks_cancelled: int
    clocks_restored: int
    clocks_cancelled: int
    events_corrected: int


def foresee_taking_back(session: Session, move: Move, *, now: datetime, lock: bool) -> TakenBack | tuple[Reason, ...]:
    """What this move, which takes back, would do; or every reason against it. Nothing is written. With `lock` the move
    does the same if it follows in this transaction. The case exists."""
    case = load_cases(session, [move.case_id], lock=lock)[move.case_id]
    pathway = pathways_of(session, [case.pathway_version_id])[case.pathway_version_id]
    facts = facts_of(session, [case], sorted(pathway.needs(move.trigger)))[case.id]
    decision = decide(pathway, facts, move, now)
    return decision.reasons if isinstance(decision, Refusal) else _taken_back(pathway, facts, decision)


def sentence(taken: TakenBack, *, foreseen: bool) -> Text:
    """What is taken back and what is restored."""
    fr_is, en_is = ("serait annulé", "would be taken back") if foreseen else ("est annulé", "is taken back")
    fr = [
        f"étape « {taken.state.fr} »",
        f"{_fr(taken.tasks_restored, 'tâche')} et {_fr(taken.clocks_restored, 'échéance')} comme avant",
        f"{_fr(taken.tasks_cancelled, 'tâche')} et {_fr(taken.clocks_cancelled, 'échéance')} retirées",
        f"{_fr(taken.events_corrected, 'événement')} à corriger chez les partenaires",
    ]
    en = [
        f"in “{taken.state.en}”",
        f"{_en(taken.tasks_restored, 'task')} and {_en(taken.clocks_restored, 'clock')} as before",
        f"{_en(taken.tasks_cancelled, 'task')} and {_en(taken.clocks_cancelled, 'clock')} cancelled",
        f"{_en(taken.events_corrected, 'event')} to correct with partners",
    ]
    return Text(
        f"« {taken.title.fr} » (ligne {taken.seq}) {fr_is} : {', '.join(fr)}.",
        f"“{taken.title.en}” (row {taken.seq}) {en_is}: {', '.join(en)}.",
    )


def _taken_back(pathway: Pathway, facts: Facts, decision: Decision) -> TakenBack:
    row = facts.past.last if facts.past else None
    if row is None:
        raise ValueError("nothing is taken back")
    kinds = [type(effect) for effect in decision.effects]
    return TakenBack(
        seq=row.seq,
        trigger=row.trigger,
        title=pathway.triggers[row.trigger],
        at=row.at,
        from_state=decision.from_state,
        to_state=decision.to_state,
        state=pathway.states[decision.to_state].title,
        record=next((effect.code for effect in decision.effects if isinstance(effect, SetRecord)), None),
        tasks_restored=kinds.count(RewriteTask),
        tasks_cancelled=kinds.count(EndTask),
        clocks_restored=kinds.count(RewriteDeadline),
        clocks_cancelled=kinds.count(EndDeadline),
        events_corrected=kinds.count(Announce),
    )


def _fr(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


def _en(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
