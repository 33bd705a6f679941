"""What a person decides about a row that waits: somebody known, somebody known who returned again, or somebody else.

The console and the command line show the rows with `waiting`, call this, and commit. Deciding the same again changes
nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from integrations.manifests.arrival import ArrivalRow
from integrations.manifests.record import written
from integrations.manifests.registrar import Registrar
from integrations.manifests.waiting import LATEST_FIRST
from models.case import Case
from models.errors import SeginError, WrongUse
from models.manifest import DuplicateCandidate, Manifest, ManifestRow
from states.moves import Actor


class NotWaiting(WrongUse):
    """No row waits under this number, or it has no such candidate."""


class DecidedOtherwise(SeginError):
    """Somebody decided this row already, and otherwise."""


Decision = Literal["same", "returned_again", "different"]


class Decided(NamedTuple):
    """What a decision led to: the case that the row belongs to. `changed` is false when it had been taken before."""

    row_id: int
    decision: Decision
    case_id: int
    case_code: str
    changed: bool


def decide_same(session: Session, row_id: int, *, rank: int, now: datetime, actor: Actor) -> Decided:
    """The row is the candidate of this rank and the return is known: it is linked to their latest case.

    Raises NotWaiting, DecidedOtherwise.
    """
    row = _locked(session, row_id)
    known = _candidate_case(session, row_id, rank)
    if row.decision is not None:
        return _again(session, row, "same", known.returnee_id)
    row.case_id = known.case_id
    _close(session, row, "same", now, actor)
    return Decided(row_id, "same", known.case_id, known.case_code, changed=True)


def decide_returned_again(session: Session, row_id: int, *, rank: int, registrar: Registrar) -> Decided:
    """The row is the candidate of this rank, who has left and returned once more: a new case for a known person.

    Raises NotWaiting, DecidedOtherwise.
    """
    row = _locked(session, row_id)
    known = _candidate_case(session, row_id, rank)
    if row.decision is not None:
        return _again(session, row, "returned_again", known.returnee_id)
    return _registered(session, row, "returned_again", registrar, known.returnee_id)


def decide_different(session: Session, row_id: int, *, registrar: Registrar) -> Decided:
    """The row is nobody who is known: the person is registered from it.

    Raises NotWaiting, DecidedOtherwise.
    """
    row = _locked(session, row_id)
    if row.decision is not None:
        return _again(session, row, "different", None)
    return _registered(session, row, "different", registrar, None)


class _Known(NamedTuple):
    returnee_id: int
    case_id: int
    case_code: str


def _locked(session: Session, row_id: int) -> ManifestRow:
    """The row, kept from other deciders until the transaction ends."""
    query = select(ManifestRow).where(col(ManifestRow.id) == row_id).with_for_update()
    row: ManifestRow | None = session.execute(query, execution_options={"populate_existing": True}).scalar_one_or_none()
    if row is None or (row.outcome != "waiting" and row.decision is None):
        raise NotWaiting(
            f"No row waits under the number {row_id}.",
            f"Aucune ligne n'attend sous le numéro {row_id}.",
            remedy="List the rows that wait, and take a number from there.",
            remedy_fr="Listez les lignes en attente et prenez-y un numéro.",
        )
    return row


def _candidate_case(session: Session, row_id: int, rank: int) -> _Known:
    query = (
        select(col(DuplicateCandidate.returnee_id), col(Case.id), col(Case.code))
        .join_from(DuplicateCandidate, Case, col(Case.returnee_id) == col(DuplicateCandidate.returnee_id))
        .where(col(DuplicateCandidate.manifest_row_id) == row_id, col(DuplicateCandidate.rank) == rank)
        .order_by(*LATEST_FIRST)
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotWaiting(
            f"The row {row_id} has no candidate {rank}.",
            f"La ligne {row_id} n'a pas de candidat {rank}.",
            remedy="The candidates of a row are numbered from 1, the best first.",
            remedy_fr="Les candidats d'une ligne sont numérotés à partir de 1, le meilleur d'abord.",
        )
    return _Known(*found)


def _registered(
    session: Session, row: ManifestRow, decision: Decision, registrar: Registrar, returnee_id: int | None
) -> Decided:
    arrival = ArrivalRow.from_json(row.raw or {})
    checksum = session.execute(select(col(Manifest.checksum)).where(col(Manifest.id) == row.manifest_id)).scalar_one()
    (answer,) = registrar.register(session, [arrival], checksum, returnee_id=returnee_id)
    row.case_id = answer.case_id
    if returnee_id is None:
        row.raw = (
            None  # the person is in `returnee` now; of somebody known, the other spelling is kept to find it again
        )
    _close(session, row, decision, registrar.now, registrar.actor)
    return Decided(written(row.id), decision, answer.case_id, answer.case_code, changed=True)


def _close(session: Session, row: ManifestRow, decision: Decision, now: datetime, actor: Actor) -> None:
    """Notes who decided what and when, and keeps the manifest's counts true."""
    row.decision, row.decided_by, row.decided_at = decision, actor.id, now
    manifest = session.execute(
        select(Manifest).where(col(Manifest.id) == row.manifest_id).with_for_update(),
        execution_options={"populate_existing": True},
    ).scalar_one()
    manifest.waiting -= 1
    if decision == "same":
        row.outcome = "already_known"
        manifest.already_known += 1
    else:
        row.outcome = "registered"
        manifest.registered += 1
    session.flush()


def _again(session: Session, row: ManifestRow, decision: Decision, returnee_id: int | None) -> Decided:
    """The answer to a decision that was taken before; another one than then is refused."""
    case = session.execute(select(Case).where(col(Case.id) == row.case_id)).scalar_one()
    if row.decision != decision or (returnee_id is not None and case.returnee_id != returnee_id):
        raise DecidedOtherwise(
            f"The row {row.id} was decided otherwise already.",
            f"La ligne {row.id} a déjà été décidée autrement.",
            remedy=f"It led to the case {case.code}: look there.",
            remedy_fr=f"Elle a mené au dossier {case.code} : consultez-le.",
        )
    return Decided(written(row.id), decision, written(case.id), case.code, changed=False)
