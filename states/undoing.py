"""What the steps of records wrote beside the status, put back when a step is taken back, in the same transaction.

`states.effects` calls it. Who approved, when somebody answered, why something was rejected must not be said of a step
that never was; money that an approval committed is the budget's again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Integer, String
from sqlmodel import Session

from models.types import BigId
from states.bulk import SetStatement
from states.casework.ledger import Ledger
from states.moves import UndoStep
from states.records import RECORD_TABLES

_EARLIER: Final = "(SELECT j.{} FROM journal AS j WHERE j.case_id = r.case_id AND j.seq = r.earlier)"
_AT, _BY = _EARLIER.format("at"), _EARLIER.format("actor_id")


def _stamped(what: str, when: str | None = None) -> str:
    """Back to the step before, if the record was at `when` then; else to nothing."""
    if when is None:
        return f"{what}_at = NULL, {what}_by = NULL"
    held = f"CASE WHEN r.to_status = '{when}' THEN {{}} END"
    return f"{what}_at = {held.format(_AT)}, {what}_by = {held.format(_BY)}"


_WRITTEN: Final = {
    "submit_plan": ("plan", "submitted_at = NULL"),
    "approve_plan": ("plan", "approver_id = NULL, approved_at = NULL"),
    "drop_plan_item": ("plan_item", "reason = NULL"),
    "address_vulnerability": ("vulnerability", _stamped("addressed")),
    "resolve_vulnerability": ("vulnerability", _stamped("closed")),
    "dismiss_vulnerability": ("vulnerability", _stamped("closed", "resolved")),
    "verify_guardian": ("guardian", _stamped("verified")),
    "end_guardian": ("guardian", _stamped("ended")),
    "revoke_consent": ("consent", _stamped("revoked")),
    "accept_referral": ("referral", f"answer = NULL, {_stamped('answered')}"),
    "reject_referral": ("referral", f"answer = NULL, {_stamped('answered', 'accepted')}"),
    "revoke_referral": ("referral", "answer = NULL"),
    "accept_offer": ("enrolment", "enrolled_at = NULL"),
    "certify": ("enrolment", "certificate_at = NULL, certificate_number = NULL"),
    "leave_waiting_list": ("enrolment", "reason = NULL"),
    "endorse_grant": ("grant", "endorsed_by = NULL, endorsed_at = NULL"),
    "approve_grant": ("grant", "approved_by = NULL, approved_at = NULL, budget_id = NULL"),
    "confirm_grant": ("grant", "approved_by = NULL, approved_at = NULL, budget_id = NULL"),
    "reject_grant": ("grant", "reason = NULL"),
    "deliver_kit": ("grant", "delivered_at = NULL, delivery_reference = NULL"),
}
"""What each step wrote on its record, by trigger: the kind, and the columns put back."""

_UNDO: Final = {
    trigger: SetStatement(
        f"UPDATE {table} SET {columns} FROM {{rows}} WHERE {table}.code = r.code",  # noqa: S608
        code=String(),
        case_id=BigId,
        earlier=Integer(),
        to_status=String(),
    )
    for trigger, (kind, columns) in _WRITTEN.items()
    for table in [RECORD_TABLES[kind].table]
}
_COMMITTED: Final = ("approve_grant", "confirm_grant")
"""Steps that commit money of a budget."""


def undo_steps(session: Session, undone: Sequence[tuple[int, UndoStep, int | None]], now: datetime) -> None:
    """Put back what these steps wrote: for each the case, the step, and who takes it back. The cases are locked; a
    statement for each trigger, whatever the number of cases."""
    committed = {step.code: by for _, step, by in undone if step.trigger in _COMMITTED}
    if committed:
        ledger = Ledger(session, committed)
        for code, grant in ledger.grants.items():
            ledger.release(grant, committed[code])
        ledger.write(now)
    rows: dict[str, list[tuple[str, int, int | None, str]]] = defaultdict(list)
    for case_id, step, _ in undone:
        if step.trigger in _UNDO:
            rows[step.trigger].append((step.code, case_id, step.earlier, step.to_status))
    for trigger, found in rows.items():
        _UNDO[trigger].execute(session, found)
