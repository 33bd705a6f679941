"""The ledger of a person: every field that left Segin is there with its grounds, what was withheld with its reason."""

from __future__ import annotations

from datetime import timedelta

from edges.sharing_rows import agree, consent, owe, partner, row, shown
from edges.webhook_outbox import NOW, announce, open_cases, statements
from sqlalchemy import Engine
from sqlmodel import Session

from integrations.sharing.ledger import LOOK, STOPPED, STREAM, sharing_ledger
from models import Disclosure
from models.database import write_session
from models.sharing import Way


def test_each_field_is_there_with_when_how_and_on_which_grounds(session: Session) -> None:
    clinic, workshop = partner(session, "clinic"), partner(session, "workshop")
    agreement = agree(session, clinic, version=3)
    agree(session, workshop, event_types=["case.closed"])
    case, other = open_cases(session, 2)
    answer = consent(session, case)
    pushed, pulled = (
        announce(session, case),
        announce(session, case, "case.closed", occurred_at=NOW + timedelta(days=1)),
    )
    first, second = owe(session, pushed, pulled, to=clinic)
    theirs, _ = owe(session, pushed, pulled, to=workshop)
    owe(session, announce(session, other), to=clinic)
    shown(session, first, theirs)
    shown(session, second, now=NOW + timedelta(days=2))
    event = row(session, first)
    event.received_at, event.received_by = NOW + timedelta(minutes=1), Way.PUSH
    event.acknowledged_at = NOW + timedelta(hours=1)
    session.add(
        Disclosure(
            partner_id=clinic.id or 0,
            case_id=case.id or 0,
            what="case",
            fields=["region"],
            agreement_id=agreement.id or 0,
            consent_id=answer.id,
            at=NOW + timedelta(days=3),
        )
    )
    session.flush()
    withheld, push, stream, look = sorted(
        sharing_ledger(session, case.id or 0), key=lambda each: (not each.withheld, each.at)
    )
    assert (push.partner, push.partner_name, push.way, push.what) == (
        *("clinic", "Partner clinic", "push", "case.advanced"),
    )
    assert (push.fields, push.at) == (["family_name"], NOW)
    assert (push.agreement, push.agreement_version, push.consent) == ("with-clinic", 3, answer.code)
    assert (push.received_at, push.acknowledged_at) == (NOW + timedelta(minutes=1), NOW + timedelta(hours=1))
    assert push.event == event.uid
    assert (stream.way, stream.at, stream.received_at) == (STREAM, NOW + timedelta(days=2), None)
    assert (look.way, look.what, look.fields, look.consent) == (LOOK, "case", ["region"], answer.code)
    assert (withheld.partner, withheld.withheld, withheld.fields) == ("workshop", "no_agreement", [])
    assert (withheld.way, withheld.event, withheld.at) == (None, None, NOW)


def test_what_was_taken_back_is_there_with_how_far_each_partner_has_it(session: Session) -> None:
    partners = [partner(session, name) for name in ("clinic", "workshop")]
    (case,) = open_cases(session, 1)
    answer = consent(session, case)
    first = announce(session, case)
    seen = []
    for each in partners:
        agree(session, each)
        seen += owe(session, first, to=each)
    shown(session, *seen)
    row(session, seen[0]).received_by = Way.EMAIL
    row(session, seen[0]).received_at = NOW
    answer.status = "revoked"
    back = [owe(session, announce(session, case, "consent.revoked"), to=each)[0] for each in partners]
    shown(session, *back)
    told = row(session, back[0])
    told.received_at, told.received_by, told.reminded_at = NOW, Way.FEED, NOW + timedelta(days=3)
    told.acknowledged_at = NOW + timedelta(days=4)
    session.flush()
    entries = {(each.partner, each.what): each for each in sharing_ledger(session, case.id or 0)}
    assert {key: each.way for key, each in entries.items()} == {
        ("clinic", "case.advanced"): "email",
        ("workshop", "case.advanced"): STOPPED,
        ("clinic", "consent.revoked"): "feed",
        ("workshop", "consent.revoked"): STREAM,
    }
    taken_back = {key[0]: each for key, each in entries.items() if each.takes_back}
    assert [
        (each.received_at, each.reminded_at, each.acknowledged_at)
        for each in (taken_back["clinic"], taken_back["workshop"])
    ] == [(NOW, NOW + timedelta(days=3), NOW + timedelta(days=4)), (None, None, None)]


def test_what_waits_is_neither_shown_nor_withheld(session: Session) -> None:
    clinic = partner(session, "clinic")
    (case,) = open_cases(session, 1)
    owe(session, announce(session, case), to=clinic)
    assert sharing_ledger(session, case.id or 0) == []


def test_it_takes_two_statements_however_long_it_is(engine: Engine) -> None:
    with write_session(engine) as session:
        clinic = partner(session, "clinic")
        agree(session, clinic)
        (case,) = open_cases(session, 1)
        consent(session, case)
        shown(session, *owe(session, *(announce(session, case) for _ in range(40)), to=clinic))
        session.commit()
        case_id = case.id or 0
    with write_session(engine) as session, statements(engine) as seen:
        entries = sharing_ledger(session, case_id)
    assert (len(entries), len([each for each in seen if each.startswith("SELECT")])) == (40, 2)
    assert {tuple(each.fields) for each in entries} == {("family_name",)}
