"""Partners that do not acknowledge: listed by the terms of their agreements, told to the coordinator once, wherever the
case is, and not once they have answered. All of it is synthetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from life import Life, all_moved, begin
from night_cases import ARRIVAL, NightCases
from rules.owed_answers import add_partner, agree, owe, reminders
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from models import Case, Notice, PartnerEvent
from states.casework.consents import ConsentAnswer, Revocation, record_consents, revoke_consents
from states.casework.referrals import ReferralRequest, make_referrals
from states.digests import Heading, digest_of
from states.partner_reminders import remind_partners
from states.releases import Recipient, release_notices
from states.retention import forget_notices
from states.silence import ASKS, escalate_silence, silent_partners

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def lines(session: Session) -> list[Notice]:
    query = select(Notice).where(Notice.kind == "partner_silent").order_by(col(Notice.id))
    return list(session.exec(query.execution_options(populate_existing=True)))


def test_a_partner_that_never_confirms_a_revocation_is_told_to_coordination_once(session: Session) -> None:
    life = begin(session)
    clinic = add_partner(session, "clinique")
    agreement = agree(session, clinic, "P3D")
    case_id = life.arrives()
    consent = ConsentAnswer(
        **life.signed(case_id, "case_worker"),
        code=life.caseload.new_code(),
        purpose="sharing",
        given=True,
        partner_id=clinic.id,
        information=("name",),
    )
    all_moved(record_consents(session, [consent], now=life.now))
    request = ReferralRequest(
        **life.signed(case_id, "case_worker"),
        code=life.caseload.new_code(),
        partner_id=clinic.id or 0,
        services=("health",),
        information=("name",),
        priority="normal",
    )
    all_moved(make_referrals(session, [request], now=life.now))
    life.wait(days=1)
    back = Revocation(**life.signed(case_id, "case_worker"), consent=consent.code)
    all_moved(revoke_consents(session, [back], now=life.now))
    (revoked,) = [each for each in life.events(case_id) if each.type == "consent.revoked"]
    seen: dict[str, Any] = {"status": "shown", "shown_at": life.now, "partner_id": clinic.id, "case_id": case_id}
    (made,) = [each for each in life.events(case_id) if each.type == "referral.made"]
    first: dict[str, Any] = {"uid": "evt-made", "event_id": made.id, "sequence": 1, "agreement_id": agreement.id}
    owed = PartnerEvent(uid="evt-revoked", event_id=revoked.id or 0, sequence=2, **seen)
    session.add_all([PartnerEvent(**first, **seen), owed])
    session.flush()
    shown = life.now

    life.wait(days=3)
    assert silent_partners(session, ASKS, now=life.now) == [], "the third day is not over"
    life.wait(days=1)
    (reminder,) = reminders(session)
    assert (reminder.only_for, reminder.data["event"], reminder.data["due_at"]) == (
        *([clinic.id], revoked.uid, "2024-01-17T00:00:00Z"),
    )
    assert reminder.fanned_out_at is not None, "it goes out the same night"
    life.wait(days=3)
    assert lines(session) == [], "the partner has the same time again"
    life.wait(days=1)
    (line,) = lines(session)
    assert (line.role, line.case_id, line.partner_event_id) == ("coordinator", case_id, owed.id)
    assert line.sent_at is not None
    assert ("partner_silent", "coordinator") in life.told(case_id)
    (silent,) = silent_partners(session, ASKS, now=life.now)
    assert (silent.partner, silent.event_type, silent.since, silent.agreement) == (
        *("clinique", "consent.revoked", shown, "accord"),
    )
    assert silent.due_at == datetime(2024, 1, 13, tzinfo=UTC)

    group = _told_of_partners(life, line)
    assert [(each.kind, each.key) for each in group.lines] == [("partner_silent", "consent.revoked")]
    assert group.lines[0].title.fr == "clinique n'a pas confirmé consent.revoked"

    life.wait(days=10)
    assert (len(lines(session)), len(reminders(session))) == (1, 1)
    forget_notices(session, before=life.now, limit=100)
    assert len(lines(session)) == 1, "while the partner is silent, the line is what keeps it from being told again"
    owed.acknowledged_at = life.now
    session.flush()
    assert silent_partners(session, ASKS, now=life.now) == []
    forget_notices(session, before=life.now, limit=100)
    assert lines(session) == []


def _told_of_partners(life: Life, line: Notice) -> Any:
    assert line.sent_at is not None
    whose = Recipient(line.staff_id) if line.staff_id else Recipient(None, line.role, line.office_id)
    view = digest_of(life.session, whose, line.sent_at.date(), ZoneInfo("UTC"))
    return next(group for group in view.groups if group.heading is Heading.PARTNERS)


@pytest.fixture
def cases(session: Session) -> NightCases:
    return NightCases(session)


@pytest.mark.parametrize(
    ("within", "silent_from"),
    [
        ("PT2H", ARRIVAL + 2 * HOUR),
        ("P1D", datetime(2024, 1, 7, tzinfo=UTC)),
        ("P2W", datetime(2024, 1, 20, tzinfo=UTC)),
        (None, datetime(2024, 1, 9, tzinfo=UTC)),
    ],
)
def test_the_agreement_says_how_long_a_partner_may_take(
    cases: NightCases, session: Session, within: str | None, silent_from: datetime
) -> None:
    partner = add_partner(session, "clinique")
    owe(session, partner, cases.register()[0], agree(session, partner, within) if within else None)
    assert silent_partners(session, ASKS, now=silent_from - timedelta(microseconds=1)) == []
    (silent,) = silent_partners(session, ASKS, now=silent_from)
    assert (silent.due_at, silent.agreement) == (silent_from, "accord" if within else None)


@pytest.mark.parametrize(
    "columns",
    [
        {"type": "case.advanced"},
        {"type": "referral.made"},
        {"status": "waiting", "shown_at": None},
        {"status": "withheld", "shown_at": None},
        {"acknowledged_at": ARRIVAL + 30 * DAY},
    ],
)
def test_nothing_else_is_silence(cases: NightCases, session: Session, columns: dict[str, Any]) -> None:
    partner = add_partner(session, "clinique")
    owe(session, partner, cases.register()[0], agree(session, partner, "PT1H"), **columns)
    assert silent_partners(session, ASKS, now=ARRIVAL + 60 * DAY) == []
    assert remind_partners(session, ASKS, now=ARRIVAL + 60 * DAY, limit=10) == 0
    assert escalate_silence(session, ASKS, now=ARRIVAL + 60 * DAY, limit=10) == 0


@pytest.mark.parametrize("where", [{"held_at": ARRIVAL}, {"closed_at": ARRIVAL, "state": "closed"}])
def test_a_case_that_stands_still_or_is_closed_is_told_of_too(
    cases: NightCases, session: Session, where: dict[str, Any]
) -> None:
    (case_id,) = cases.register()
    partner = add_partner(session, "clinique")
    owe(session, partner, case_id, agree(session, partner, "PT1H"), reminded_at=ARRIVAL)
    row = session.get_one(Case, case_id)
    for name, value in where.items():
        setattr(row, name, value)
    session.flush()
    assert escalate_silence(session, ASKS, now=ARRIVAL + DAY, limit=10) == 1
    assert release_notices(session, now=ARRIVAL + DAY, day=(ARRIVAL + DAY).date(), limit=10).sent == 1


def test_who_acknowledges_before_the_line_is_sent_is_not_told_of(cases: NightCases, session: Session) -> None:
    partner = add_partner(session, "clinique")
    owed = owe(session, partner, cases.register()[0], agree(session, partner, "PT1H"), reminded_at=ARRIVAL)
    assert escalate_silence(session, ASKS, now=ARRIVAL + DAY, limit=10) == 1
    owed.acknowledged_at = ARRIVAL + DAY
    session.flush()
    released = release_notices(session, now=ARRIVAL + DAY, day=(ARRIVAL + DAY).date(), limit=10)
    assert (released.sent, released.cancelled) == (0, 1)
    assert escalate_silence(session, ASKS, now=ARRIVAL + 2 * DAY, limit=10) == 0


def test_each_event_is_told_once_in_as_many_statements_for_many(
    cases: NightCases, session: Session, engine: Engine
) -> None:
    partners = [add_partner(session, code) for code in ("clinique", "atelier")]
    agreements = [agree(session, partner, "PT1H", code=partner.code) for partner in partners]
    case_ids = cases.register(20)
    now = ARRIVAL + DAY
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))

    def told(limit: int) -> tuple[int, int]:
        seen.clear()
        return escalate_silence(session, ASKS, now=now, limit=limit), len(seen)

    owe(session, partners[0], case_ids[0], agreements[0], reminded_at=ARRIVAL)
    owe(session, partners[0], case_ids[0], agreements[0])
    assert told(10) == (1, 4), "who was not reminded is not told of"
    for case_id in case_ids:
        for partner, agreement in zip(partners, agreements, strict=True):
            owe(session, partner, case_id, agreement, reminded_at=ARRIVAL)
    assert told(15) == (15, 4)
    assert told(100) == (25, 4)
    assert told(100)[0] == 0
    assert len(lines(session)) == len(silent_partners(session, ASKS, now=now)) - 1 == 41
    assert {(line.role, line.office_id, line.send_at) for line in lines(session)} == {
        ("coordinator", cases.office.id, now)
    }
