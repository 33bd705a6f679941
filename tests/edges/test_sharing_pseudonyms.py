"""The codes under which partners know cases: kept when something is shown, found again by their own partner alone."""

from __future__ import annotations

from edges.sharing_rows import agree, consent, owe, partner, shown
from edges.webhook_outbox import announce, open_cases
from sqlmodel import Session, select

from integrations.sharing.pseudonyms import case_code, case_of
from models import PartnerCase


def test_each_partner_has_its_own_code_of_a_case_and_finds_it_by_no_other(session: Session) -> None:
    clinic, workshop = partner(session, "clinic"), partner(session, "workshop")
    cases = open_cases(session, 2)
    for each in (clinic, workshop):
        agree(session, each)
        assert case_of(session, each.id or 0, case_code(each.pseudonym_key, cases[0].id or 0)) is None
    for case in cases:
        consent(session, case)
        event = announce(session, case)
        for each in (clinic, workshop):
            shown(session, *owe(session, event, to=each))
    known = session.exec(select(PartnerCase)).all()
    assert len({row.code for row in known}) == 4
    for row in known:
        finders = {each.id for each in (clinic, workshop) if case_of(session, each.id or 0, row.code) == row.case_id}
        assert finders == {row.partner_id}
    assert case_of(session, clinic.id or 0, cases[0].code) is None


def test_the_code_stays_and_what_was_shown_is_counted(session: Session) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic)
    (case,) = open_cases(session, 1)
    consent(session, case)
    for _ in range(2):
        shown(session, *owe(session, announce(session, case), to=clinic))
    kept = session.exec(select(PartnerCase)).one()
    assert (kept.code, kept.events) == (case_code(clinic.pseudonym_key, case.id or 0), 2)
