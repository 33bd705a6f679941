"""Sessions are recorded after they were held, and what stands against a review is named."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session
from supported_cases import rows
from synthetic_cases import START, open_caseload

from models import PsychosocialSession, WrongUse
from states.casework.support import SessionHeld, record_sessions


def test_sessions_are_recorded_after_they_were_held(session: Session) -> None:
    caseload = open_caseload(session)
    (case_id,) = caseload.register_many(1)
    actor = caseload.staff["psychosocial_worker"]
    missed = SessionHeld(case_id=case_id, actor=actor, kind="individual", held_at=START, attended=False)
    came = SessionHeld(case_id=case_id, actor=actor, kind="group", held_at=START, note="x")
    record_sessions(session, [missed, came], now=START + timedelta(hours=1))
    assert [(row.kind, row.attended, row.note) for row in rows(caseload, PsychosocialSession, case_id)] == [
        ("individual", False, None),
        ("group", True, "x"),
    ]
    with pytest.raises(WrongUse, match="after it was held"):
        record_sessions(session, [came], now=START - timedelta(hours=1))
