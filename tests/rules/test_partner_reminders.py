"""Partners that do not answer are asked again: once for each event that waits, each alone. All of it is synthetic."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from night_cases import ARRIVAL, NightCases
from partner_cases import PartnerCases, open_partner_cases
from rules.owed_answers import add_partner, agree, owe, reminders
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select
from synthetic_cases import START

from models import Case, Event, PartnerEvent
from models.database import write_session
from states.partner_reminders import remind_partners
from states.silence import ASKS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_each_event_that_waits_is_reminded_of_once_in_as_many_statements_for_many(
    session: Session, engine: Engine
) -> None:
    cases = NightCases(session)
    partners = [add_partner(session, code) for code in ("clinique", "atelier")]
    agreements = [agree(session, partner, "PT1H", code=partner.code) for partner in partners]
    case_ids = cases.register(15)
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))

    def reminded(limit: int) -> tuple[int, int]:
        seen.clear()
        return remind_partners(session, ASKS, now=ARRIVAL + DAY, limit=limit), len(seen)

    owe(session, partners[0], case_ids[0], agreements[0])
    one, statements = reminded(10)
    assert (one, statements <= 11) == (1, True)
    for case_id in case_ids:
        for partner, agreement in zip(partners, agreements, strict=True):
            owe(session, partner, case_id, agreement)
    assert reminded(20) == (20, statements - 1), "the referrals' turn did not come"
    assert reminded(100) == (10, statements)
    assert reminded(100)[0] == 0
    session.expire_all()
    found = reminders(session)
    assert len({each.uid for each in found}) == len({each.data["event"] for each in found}) == 31
    for case_id in case_ids:
        of_case = session.exec(select(Event.sequence).where(Event.case_id == case_id)).all()
        assert session.get_one(Case, case_id).events == max(each for each in of_case if each < 1000)
    assert {each.occurred_at for each in found} == {ARRIVAL + DAY}


@pytest.fixture
def cases(session: Session) -> PartnerCases:
    return open_partner_cases(session)


def _refer(cases: PartnerCases, priority: str) -> tuple[str, int]:
    """A referral that the clinic was shown at once: its code, and the id of the partner event."""
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    code = cases.refer(cases.clinic, priority=priority)
    made = cases.session.exec(select(Event).where(Event.type == "referral.made").order_by(col(Event.id).desc())).first()
    assert made is not None
    row = PartnerEvent(
        uid="evt-made",
        event_id=made.id or 0,
        partner_id=cases.clinic,
        case_id=cases.case_id,
        status="shown",
        position=1,
        sequence=1,
        shown_at=START,
    )
    cases.session.add(row)
    cases.session.flush()
    return code, made.id or 0


def test_a_referral_without_an_answer_is_reminded_of_at_half_of_its_time(cases: PartnerCases) -> None:
    _refer(cases, "emergency")
    assert remind_partners(cases.session, ASKS, now=START + 11 * HOUR, limit=10) == 0
    assert remind_partners(cases.session, ASKS, now=START + 12 * HOUR, limit=10) == 1
    (reminder,) = reminders(cases.session)
    (made,) = cases.session.exec(select(Event.uid).where(Event.type == "referral.made"))
    due = (START + DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {name: reminder.data[name] for name in ("event", "due_at")} == {"event": made, "due_at": due}
    assert reminder.only_for == [cases.clinic]
    assert remind_partners(cases.session, ASKS, now=START + 13 * HOUR, limit=10) == 0


@pytest.mark.parametrize("answer", ["accepted", "rejected", "revoked"])
def test_who_answered_a_referral_is_left_alone(cases: PartnerCases, answer: str) -> None:
    code, _ = _refer(cases, "emergency")
    reason = {"accepted": None, "rejected": "no_capacity", "revoked": "made_in_error"}[answer]
    cases.answer(code, answer, reason=reason)  # type: ignore[arg-type]
    assert cases.referral(code).status == answer
    assert remind_partners(cases.session, ASKS, now=START + 20 * DAY, limit=10) == 0


def test_two_runs_at_once_remind_once(engine: Engine) -> None:
    """The second waits for the case, and finds the event marked."""
    with write_session(engine) as session:
        cases = NightCases(session)
        clinic = add_partner(session, "clinique")
        owe(session, clinic, cases.register()[0], agree(session, clinic, "PT1H"))
        session.commit()

    def remind() -> int:
        with write_session(engine) as session:
            found = remind_partners(session, ASKS, now=ARRIVAL + DAY, limit=10)
            session.commit()
        return found

    with write_session(engine) as session, ThreadPoolExecutor(1) as pool:
        assert remind_partners(session, ASKS, now=ARRIVAL + DAY, limit=10) == 1
        second = pool.submit(remind)
        assert not wait([second], timeout=0.3).done
        session.commit()
        assert second.result(timeout=30) == 0
        assert len(reminders(session)) == 1
