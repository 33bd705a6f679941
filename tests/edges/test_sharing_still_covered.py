"""What was shown and did not come yet is not sent any more once the person takes the consent back."""

from __future__ import annotations

from typing import Any

import pytest
from edges.sharing_rows import agree, consent, owe, partner, row, shown
from edges.webhook_outbox import NOW, announce, open_cases
from sqlmodel import Session, col, select

from integrations.sharing.still_covered import still_covered
from models import Case, Consent, Partner, PartnerEvent


def _still(session: Session) -> list[int]:
    """Which of what was shown may still be sent, asked both as a condition and as a column."""
    session.flush()
    query = select(PartnerEvent.id).where(PartnerEvent.status == "shown").order_by(col(PartnerEvent.id))
    found = [id_ or 0 for id_ in session.exec(query.where(still_covered()))]
    told = session.exec(select(PartnerEvent.id, still_covered()).where(PartnerEvent.status == "shown"))
    assert {id_ for id_, still in told if still is True} == set(found)
    return found


@pytest.fixture
def grounds(session: Session) -> tuple[Case, Partner, Partner, Consent, list[int]]:
    """A case, two partners that were shown an event of it under one consent to share with any, and the two rows."""
    partners = [partner(session, name) for name in ("clinic", "workshop")]
    (case,) = open_cases(session, 1)
    answer = consent(session, case)
    event = announce(session, case)
    ids = []
    for each in partners:
        agree(session, each)
        ids += owe(session, event, to=each)
    shown(session, *ids)
    return case, *partners, answer, ids


Grounds = tuple[Case, Partner, Partner, Consent, list[int]]


def test_a_revoked_consent_stops_what_did_not_come_yet_and_not_its_retraction(
    session: Session, grounds: Grounds
) -> None:
    case, clinic, _workshop, answer, (first, second) = grounds
    assert _still(session) == [first, second]
    row(session, second).received_at = NOW
    answer.status = "revoked"
    session.flush()
    (retraction,) = owe(session, announce(session, case, "consent.revoked"), to=clinic)
    shown(session, retraction)
    assert _still(session) == [second, retraction]


@pytest.mark.parametrize(
    ("later", "stops"),
    [
        ([{"status": "refused"}], True),
        ([{"status": "refused"}, {"status": "given"}], False),
        ([{"status": "given"}, {"status": "revoked"}], True),
        ([{"status": "refused", "purpose": "assistance"}], False),
    ],
)
def test_the_newest_answer_about_this_very_partner_counts(
    session: Session, grounds: Grounds, later: list[dict[str, Any]], stops: bool
) -> None:
    case, clinic, _workshop, _answer, (first, second) = grounds
    for each in later:
        consent(session, case, clinic, **each)
    assert _still(session) == ([second] if stops else [first, second])
