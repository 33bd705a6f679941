"""The only writer of a case's state: moves go in, outcomes come out, and everything between is one transaction.

Every edge calls it (console, API, command line, partner's answer, nightly timer) and commits afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import String
from sqlmodel import Session

from models import Case, Deadline, Task
from states.bulk import SetStatement
from states.chain import storable
from states.decide import decide
from states.entries import Entry, new_entry, write_entries
from states.facts import Facts
from states.gather import CaseRow, facts_of, load_cases
from states.history import CORRECTS
from states.moves import Move, Outcome, OutcomeKind, Reason, Refusal
from states.pathway import Pathway
from states.pathways.shelf import pathways_of

_DONE_BEFORE = SetStatement(
    "SELECT command_id, case_id, trigger, seq, from_state, to_state FROM journal "
    "WHERE command_id IN (SELECT r.command_id FROM {rows})",
    command_id=String(),
)
COMMAND_REUSED = Reason(
    "command_id_reused",
    "Cet identifiant de commande a déjà servi à une autre demande.",
    "This command id has already served another request.",
    "command_id",
)
NOT_STORABLE = Reason(
    "not_storable",
    "La demande contient un texte ou un nombre qui ne peut pas être conservé tel quel.",
    "The request holds a text or a number that cannot be kept as it is.",
    "data",
)


def advance_case(session: Session, move: Move, *, now: datetime) -> Outcome:
    """Fire one trigger on one case: `advance_cases` with a batch of one."""
    return advance_cases(session, [move], now=now)[0]


def advance_cases(session: Session, moves: Sequence[Move], *, now: datetime) -> list[Outcome]:
    """Fire triggers on cases, in the caller's transaction; the caller commits or rolls back all of it.

    Gives one outcome for each move, in the same order. Only what moved was written. A command id that moved before
    (or earlier in the batch) gives ALREADY_DONE with its first answer; for another case or trigger it is refused.
    Moves on the same case take effect one after the other. The number of SQL statements does not depend on the number
    of cases, but on how many moves the batch has on one and the same case.
    """
    session.flush()
    cases = load_cases(session, {move.case_id for move in moves}, lock=True)
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})
    outcomes: dict[int, Outcome] = {}
    for turn in _turns(moves):
        outcomes |= _advance_turn(session, cases, pathways, {place: moves[place] for place in turn}, now)
    if any(outcome.kind is OutcomeKind.MOVED for outcome in outcomes.values()):
        _forget_loaded(session)
    return [outcomes[place] for place in range(len(moves))]


def foresee_cases(session: Session, moves: Sequence[Move], *, now: datetime) -> list[Outcome]:
    """What `advance_cases` would give for moves on different cases, in the same order; nothing is written or locked."""
    cases = load_cases(session, {move.case_id for move in moves})
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})
    outcomes = _settled(session, cases, dict(enumerate(moves)))
    facts = _facts(session, cases, pathways, [move for place, move in enumerate(moves) if place not in outcomes])
    for place, move in enumerate(moves):
        if place in outcomes:
            continue
        case = cases[move.case_id]
        decision = decide(pathways[case.pathway_version_id], facts[case.id], move, now)
        outcomes[place] = (
            _outcome(OutcomeKind.REFUSED, move, case, reasons=decision.reasons)
            if isinstance(decision, Refusal)
            else _outcome(OutcomeKind.MOVED, move, case, from_state=decision.from_state, to_state=decision.to_state)
        )
    return [outcomes[place] for place in range(len(moves))]


def _turns(moves: Sequence[Move]) -> list[list[int]]:
    """The places of the moves in turns, in each of which no case and no command id comes twice."""
    turns: list[list[int]] = []
    free_case: dict[int, int] = {}
    free_command: dict[str, int] = {}
    for place, move in enumerate(moves):
        turn = max(free_case.get(move.case_id, 0), free_command.get(move.command_id, 0))
        free_case[move.case_id] = free_command[move.command_id] = turn + 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(place)
    return turns


def _advance_turn(
    session: Session,
    cases: dict[int, CaseRow],
    pathways: Mapping[int, Pathway],
    moves: Mapping[int, Move],
    now: datetime,
) -> dict[int, Outcome]:
    """The outcomes, by place, of moves on different cases; `cases` is brought up to date."""
    outcomes = _settled(session, cases, moves)
    asked = {place: move for place, move in moves.items() if place not in outcomes}
    facts = _facts(session, cases, pathways, asked.values())
    entries: dict[int, Entry] = {}
    for place, move in asked.items():
        case = cases[move.case_id]
        pathway = pathways[case.pathway_version_id]
        decision = decide(pathway, facts[case.id], move, now)
        if isinstance(decision, Refusal):
            outcomes[place] = _outcome(OutcomeKind.REFUSED, move, case, reasons=decision.reasons)
        else:
            entries[place] = new_entry(
                pathway, case, move, decision.from_state, decision.to_state, decision.effects, now
            )
    won = write_entries(session, list(entries.values()), now)
    cases |= {entry.after.id: entry.after for entry in entries.values() if entry.after.id in won}
    if lost := [entry.before.id for entry in entries.values() if entry.before.id not in won]:
        cases |= load_cases(session, lost)
    for place, (move, _, after, row, _) in entries.items():
        outcomes[place] = (
            _outcome(OutcomeKind.MOVED, move, after, seq=row.seq, from_state=row.from_state, to_state=row.to_state)
            if after.id in won
            else _outcome(OutcomeKind.STALE, move, cases[after.id])
        )
    return outcomes


def _settled(session: Session, cases: Mapping[int, CaseRow], moves: Mapping[int, Move]) -> dict[int, Outcome]:
    """The outcomes of moves that need no decision: unknown, malformed, done before, or meant for another version."""
    outcomes: dict[int, Outcome] = {}
    fit: dict[int, Move] = {}
    for place, move in moves.items():
        if move.case_id not in cases:
            outcomes[place] = Outcome(OutcomeKind.UNKNOWN, move.case_id, move.command_id)
        elif not (
            storable(f"{move.command_id}{move.correlation_id}{move.reason}{move.note}{move.record}")
            and storable(dict(move.data))
            and not _says_what_the_journal_says(move)
        ):
            outcomes[place] = _outcome(OutcomeKind.REFUSED, move, cases[move.case_id], reasons=(NOT_STORABLE,))
        else:
            fit[place] = move
    rows = _DONE_BEFORE.execute(session, [(move.command_id,) for move in fit.values()])
    done = {row[0]: row[1:] for row in rows}
    for place, move in fit.items():
        case = cases[move.case_id]
        if move.command_id in done:
            case_id, trigger, seq, from_state, to_state = done[move.command_id]
            outcomes[place] = (
                _outcome(OutcomeKind.ALREADY_DONE, move, case, seq=seq, from_state=from_state, to_state=to_state)
                if (case_id, trigger) == (move.case_id, move.trigger)
                else _outcome(OutcomeKind.REFUSED, move, case, reasons=(COMMAND_REUSED,))
            )
        elif move.expected_version not in (None, case.version):
            outcomes[place] = _outcome(OutcomeKind.STALE, move, case)
    return outcomes


def _says_what_the_journal_says(move: Move) -> bool:
    """Whether the move's data would pass for what the writer tells there of records, priorities and corrections."""
    return bool({"record", CORRECTS} & move.data.keys()) or isinstance(move.data.get("priority"), Mapping)


def _outcome(
    kind: OutcomeKind,
    move: Move,
    case: CaseRow,
    *,
    seq: int | None = None,
    from_state: str | None = None,
    to_state: str | None = None,
    reasons: tuple[Reason, ...] = (),
) -> Outcome:
    return Outcome(kind, case.id, move.command_id, case.version, seq, from_state, to_state, reasons)


def _facts(
    session: Session, cases: Mapping[int, CaseRow], pathways: Mapping[int, Pathway], moves: Collection[Move]
) -> dict[int, Facts]:
    """The facts of the moves' cases, with the groups that their triggers read."""
    asked = [cases[move.case_id] for move in moves]
    questions = {(cases[move.case_id].pathway_version_id, move.trigger) for move in moves}
    groups = {group for version_id, trigger in questions for group in pathways[version_id].needs(trigger)}
    return facts_of(session, asked, sorted(groups))


def _forget_loaded(session: Session) -> None:
    """Rows that the session had loaded as objects are read again at their next use."""
    for row in session.identity_map.values():
        if isinstance(row, Case | Task | Deadline):
            session.expire(row)
