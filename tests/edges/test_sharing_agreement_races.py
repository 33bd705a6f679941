"""Agreements that are recorded and ended at the same time as others, or while something is shown under them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TypeVar

from edges.sharing_rows import TODAY, agree, consent, owe, partner, shown
from edges.webhook_outbox import NOW, announce, open_cases
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from integrations.sharing.agreement_file import parse_agreement
from integrations.sharing.agreements import agreements_in_force, end_agreement, record_agreement
from integrations.sharing.covering import Reason, Shown, Withheld
from models import Partner, SharingAgreement
from models.database import write_session
from states.moves import Actor
from states.pathways.problems import FileProblems

FILE = """\
code: with-clinic
partner: clinic
title: Accord fictif
purpose: sharing
event_types: [case.advanced]
valid_from: 2024-01-01
"""
T = TypeVar("T")
CHIEF = Actor("coordinator")
LATER = NOW + timedelta(minutes=1)


def _record(session: Session, text: str = FILE) -> int:
    row, _ = record_agreement(session, parse_agreement(text, "with-clinic.yaml"), regions=[], actor=CHIEF, now=NOW)
    return row.version


def _end(session: Session) -> bool:
    return end_agreement(session, "with-clinic", actor=CHIEF, now=LATER)


def _during(engine: Engine, first: Callable[[Session], object], second: Callable[[Session], T]) -> T:
    """What comes of the second, which begins when the first is done and not yet committed; it waits for it."""

    def work() -> T:
        with write_session(engine) as session:
            found = second(session)
            session.commit()
        return found

    with write_session(engine) as session, ThreadPoolExecutor(1) as pool:
        first(session)
        waiting = pool.submit(work)
        assert not wait([waiting], timeout=0.3).done
        session.commit()
        return waiting.result(timeout=30)


def _owed(engine: Engine) -> int:
    """An event that the clinic is to be shown under an agreement in force."""
    with write_session(engine) as session:
        clinic = partner(session, "clinic")
        agree(session, clinic)
        (case,) = open_cases(session, 1)
        consent(session, case)
        (id_,) = owe(session, announce(session, case), to=clinic)
        session.commit()
    return id_


def test_the_end_of_an_agreement_waits_for_what_is_being_shown_under_it(engine: Engine) -> None:
    id_ = _owed(engine)
    seen: dict[int, Shown | Withheld] = {}
    assert _during(engine, lambda session: seen.update(shown(session, id_)), _end)
    assert isinstance(seen[id_], Shown)


def test_nothing_is_shown_under_an_agreement_that_is_being_ended(engine: Engine) -> None:
    id_ = _owed(engine)
    assert _during(engine, _end, lambda session: shown(session, id_)) == {id_: Withheld(Reason.NO_AGREEMENT)}


def test_the_end_is_that_of_a_version_recorded_in_the_same_moment(engine: Engine) -> None:
    id_ = _owed(engine)
    versions: list[int] = []
    assert _during(engine, lambda session: versions.append(_record(session)), _end)
    with write_session(engine) as session:
        clinic = session.exec(select(Partner.id)).one()
        assert agreements_in_force(session, [clinic or 0], TODAY) == []
        ends = session.exec(select(SharingAgreement.ended_at).order_by(col(SharingAgreement.version))).all()
        assert (versions, list(ends)) == ([2], [None, LATER])
        assert shown(session, id_) == {id_: Withheld(Reason.NO_AGREEMENT)}


def test_a_code_goes_to_one_of_two_partners_and_the_other_is_told(engine: Engine) -> None:
    with write_session(engine) as session:
        for name in ("clinic", "workshop"):
            partner(session, name)
        session.commit()

    def other(session: Session) -> str:
        try:
            _record(session, FILE.replace("partner: clinic", "partner: workshop"))
        except FileProblems as refused:
            return refused.problems[0].code
        return "recorded"

    assert _during(engine, _record, other) == "others_code"
    with write_session(engine) as session:
        assert len(session.exec(select(SharingAgreement.id)).all()) == 1
