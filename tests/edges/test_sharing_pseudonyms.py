"""The codes under which partners know cases: kept once, found again by their own partner alone."""

from __future__ import annotations

from edges.sharing_rows import agree, consent, owe, partner, shown
from edges.webhook_outbox import announce, open_cases, statements
from sqlalchemy import Engine
from sqlmodel import Session, select

from integrations.sharing.pseudonyms import case_code, case_of, partner_cases
from models import PartnerCase
from models.database import write_session


def test_each_partner_has_its_own_code_of_a_case_and_finds_it_by_no_other(session: Session) -> None:
    clinic, workshop = partner(session, "clinic"), partner(session, "workshop")
    first, second = open_cases(session, 2)
    pairs = [(each.id or 0, case.id or 0) for each in (clinic, workshop) for case in (first, second)]
    codes = partner_cases(session, pairs)
    assert (set(codes), len(set(codes.values()))) == (set(pairs), 4)
    for (partner_id, case_id), code in codes.items():
        assert {each.id for each in (clinic, workshop) if case_of(session, each.id or 0, code) == case_id} == {
            partner_id
        }
    assert case_of(session, clinic.id or 0, first.code) is None
    assert partner_cases(session, [(0, first.id or 0)]) == partner_cases(session, []) == {}


def test_asking_again_gives_the_same_codes_and_keeps_what_was_counted(session: Session) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic)
    (case,) = open_cases(session, 1)
    consent(session, case)
    shown(session, *owe(session, announce(session, case), to=clinic))
    pair = (clinic.id or 0, case.id or 0)
    assert partner_cases(session, [pair, pair]) == {pair: case_code(clinic.pseudonym_key, pair[1])}
    kept = session.exec(select(PartnerCase)).one()
    assert (kept.code, kept.events) == (case_code(clinic.pseudonym_key, pair[1]), 1)


def test_many_take_two_statements(engine: Engine) -> None:
    with write_session(engine) as session:
        partners = [partner(session, f"partner-{number}") for number in range(5)]
        pairs = [(each.id or 0, case.id or 0) for case in open_cases(session, 20) for each in partners]
        with statements(engine) as seen:
            assert len(partner_cases(session, pairs)) == 100
        assert len(seen) == 2
        assert len(session.exec(select(PartnerCase.code).distinct()).all()) == 100
