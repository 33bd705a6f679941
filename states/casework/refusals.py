"""Tells a partner to which the person says no what it may keep: nothing of what it saw because any partner might.

`states.casework.consents` calls it for refusals to share. A consent for this very partner is revoked instead, and told
of by the pathway.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import String
from sqlmodel import Session

from models.types import BigId
from states.announcements import Announcement, announce
from states.bulk import SetStatement
from states.gather import load_cases

RETRACTION: Final = "consent.revoked"


class Refusal(NamedTuple):
    """The answer with this code, which says no to sharing with the partner, and its row of the journal."""

    code: str
    case_id: int
    partner_id: int
    seq: int
    correlation_id: str


_SAW = SetStatement(
    """SELECT DISTINCT r.code FROM {rows} JOIN consent AS c ON c.case_id = r.case_id
    JOIN consent AS n ON n.code = r.code
    WHERE c.purpose = 'sharing' AND c.any_partner AND c.partner_id IS NULL AND c.status = 'given'
    AND NOT EXISTS (SELECT 1 FROM consent AS b WHERE b.case_id = r.case_id AND b.partner_id = r.partner_id
        AND b.purpose = 'sharing' AND b.status = 'refused' AND b.id < n.id)
    AND (
        EXISTS (SELECT 1 FROM partner_event AS o
            WHERE o.consent_id = c.id AND o.partner_id = r.partner_id AND o.status = 'shown')
        OR EXISTS (SELECT 1 FROM disclosure AS d WHERE d.consent_id = c.id AND d.partner_id = r.partner_id))""",
    code=String(),
    case_id=BigId,
    partner_id=BigId,
)


def tell_refused(session: Session, refusals: Sequence[Refusal], *, now: datetime) -> None:
    """Announce a retraction to each partner that saw something under a consent to share with any, at the first no. The
    cases are locked. Four statements at most."""
    first = {code for (code,) in _SAW.execute(session, [each[:3] for each in refusals])}
    told = [each for each in refusals if each.code in first]
    if not told:
        return
    cases = load_cases(session, {each.case_id for each in told}, lock=True)
    announce(
        session,
        [
            Announcement(
                named=f"{each.code}/{RETRACTION}",
                case_id=each.case_id,
                events=cases[each.case_id].events,
                seq=each.seq,
                type=RETRACTION,
                region_pcode=cases[each.case_id].region_pcode,
                data={"case": cases[each.case_id].code},
                correlation_id=each.correlation_id,
                only_for=[each.partner_id],
            )
            for each in told
        ],
        at=now,
    )
