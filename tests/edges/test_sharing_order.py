"""The stream of a partner: each event once, in order, without a gap, in a constant number of statements."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

from edges.sharing_rows import URL, agree, consent, owe, partner, refer, row, shown
from edges.webhook_outbox import NOW, announce, open_cases, statements
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from integrations.sharing.covering import Shown
from integrations.sharing.projection import enqueue, show, show_next
from models import (
    Event,
    Partner,
    PartnerEvent,
)
from models.database import read_session, write_session


def test_asking_for_one_shows_those_before_it_in_order_and_leaves_those_after_it(session: Session) -> None:
    clinic, other = partner(session, "clinic"), partner(session, "other")
    agree(session, clinic)
    case, elsewhere = open_cases(session, 2)
    for each in (case, elsewhere):
        consent(session, each)
    ids = owe(session, *(announce(session, case) for _ in range(4)), to=clinic)
    (apart,) = owe(session, announce(session, elsewhere), to=clinic)
    (theirs,) = owe(session, session.get_one(Event, row(session, ids[0]).event_id), to=other)
    assert list(shown(session, ids[2])) == ids[:3]
    assert [(row(session, id_).position, row(session, id_).sequence) for id_ in ids] == [
        *((1, 1), (2, 2), (3, 3), (None, None)),
    ]
    assert {row(session, apart).status, row(session, theirs).status} == {"waiting"}
    assert list(show_next(session, clinic.id or 0, 1, public_url=URL, day=NOW.date(), now=NOW)) == [ids[3]]
    assert list(show_next(session, clinic.id or 0, 10, public_url=URL, day=NOW.date(), now=NOW)) == [apart]
    assert show_next(session, clinic.id or 0, 10, public_url=URL, day=NOW.date(), now=NOW) == {}
    assert (row(session, apart).position, row(session, apart).sequence) == (5, 1)


def test_a_pull_of_a_few_brings_what_waits_before_them(session: Session) -> None:
    """A row that came into line late still comes first, by the order of the events."""
    clinic = partner(session, "clinic")
    agree(session, clinic)
    (case,) = open_cases(session, 1)
    consent(session, case)
    early, late = announce(session, case), announce(session, case)
    (second,) = owe(session, late, to=clinic)
    (first,) = owe(session, early, to=clinic)
    assert list(show_next(session, clinic.id or 0, 1, public_url=URL, day=NOW.date(), now=NOW)) == [first, second]


def test_putting_in_line_twice_makes_one_row_and_none_for_others(session: Session, engine: Engine) -> None:
    clinic, other = partner(session, "clinic"), partner(session, "other")
    (case,) = open_cases(session, 1)
    everyones, clinics = announce(session, case), announce(session, case, only_for=[clinic.id])
    session.flush()
    pairs = [(event.id or 0, each.id or 0) for event in (everyones, clinics) for each in (clinic, other)]
    with statements(engine) as seen:
        first = enqueue(session, pairs[:1])
        count = len(seen)
        found = enqueue(session, pairs)
    assert len(seen) == 2 * count
    assert first.items() <= found.items()
    owed = session.exec(select(PartnerEvent)).all()
    assert {(each.event_id, each.partner_id): each.id for each in owed} == found
    assert set(found) == set(pairs) - {(clinics.id, other.id)}
    assert enqueue(session, [(everyones.id or 0, 10**6)]) == enqueue(session, []) == {}
    assert len(session.exec(select(PartnerEvent)).all()) == 3


def test_a_reader_sees_the_stream_as_it_was_and_showing_goes_on_after_it_at_the_latest(engine: Engine) -> None:
    """SQLite without a write-ahead log commits when no reader is left; PostgreSQL waits for none."""
    with write_session(engine) as session:
        clinic = partner(session, "clinic")
        agree(session, clinic)
        (case,) = open_cases(session, 1)
        consent(session, case)
        ids = owe(session, announce(session, case), announce(session, case), to=clinic)
        shown(session, ids[0])
        session.commit()
    waiting = select(PartnerEvent.id).where(PartnerEvent.status == "waiting")
    with ThreadPoolExecutor(1) as pool:
        with read_session(engine) as reader:
            assert reader.exec(waiting).all() == ids[1:]
            showing = pool.submit(_show_one, engine, ids[1])
            wait([showing], timeout=0.3)
            assert reader.exec(waiting).all() == ids[1:]
        assert showing.result(timeout=60) == ids[1:]
    with read_session(engine) as reader:
        assert reader.exec(waiting).all() == []


def test_an_event_that_is_being_put_in_line_is_shown_before_a_later_one(engine: Engine) -> None:
    """Who shows the later one waits for the partner, and then finds the earlier one before it."""
    with write_session(engine) as session:
        clinic = partner(session, "clinic")
        agree(session, clinic)
        (case,) = open_cases(session, 1)
        consent(session, case)
        early, late = announce(session, case), announce(session, case)
        (second,) = owe(session, late, to=clinic)
        pair = (early.id or 0, clinic.id or 0)
        session.commit()
    with write_session(engine) as session, ThreadPoolExecutor(1) as pool:
        (first,) = enqueue(session, [pair]).values()
        showing = pool.submit(_show_one, engine, second)
        assert not wait([showing], timeout=0.3).done, "it waits"
        session.commit()
        assert showing.result(timeout=30) == [first, second]


def _show_one(engine: Engine, id_: int) -> list[int]:
    with write_session(engine) as session:
        verdicts = shown(session, id_)
        session.commit()
    return list(verdicts)


def _fill(session: Session, cases: int, *partners: Partner) -> list[int]:
    ids: list[int] = []
    for case in open_cases(session, cases):
        consent(session, case)
        for each in partners:
            data = {"case": case.code, "referral": refer(session, case, each).code}
            types = ("case.advanced", "referral.made", "consent.revoked")
            ids += owe(session, *(announce(session, case, kind, data=data) for kind in types[1:]), to=each)
            ids += owe(session, announce(session, case), to=each)
    return ids


def test_the_number_of_statements_does_not_grow(engine: Engine) -> None:
    with write_session(engine) as session:
        partners = [partner(session, name) for name in ("clinic", "workshop")]
        for each in partners:
            agree(session, each)
        session.commit()
    counts = []
    for cases in (1, 60):
        with write_session(engine) as session:
            ids = _fill(session, cases, *partners)
            session.commit()
        with write_session(engine) as session, statements(engine) as seen:
            verdicts = shown(session, *ids)
            session.commit()
        assert len(verdicts) == cases * 6
        assert all(isinstance(each, Shown) for each in verdicts.values())
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 13


def _gap_free(session: Session, partner_id: int | None) -> int:
    """How much the partner was shown: its positions count it, and the sequences of its cases in the order of events."""
    shown_to_it = select(PartnerEvent).where(PartnerEvent.partner_id == partner_id, PartnerEvent.status == "shown")
    rows = session.exec(shown_to_it.order_by(col(PartnerEvent.position))).all()
    assert [each.position for each in rows] == list(range(1, len(rows) + 1))
    for case_id in {each.case_id for each in rows}:
        mine = [each for each in rows if each.case_id == case_id]
        assert [each.sequence for each in mine] == list(range(1, len(mine) + 1))
        assert [each.event_id for each in mine] == sorted(each.event_id for each in mine)
    return len(rows)


def test_many_at_once_leave_no_gap_and_no_reader_sees_one(engine: Engine) -> None:
    """Some have chosen events of two partners shown, some pull for one of them, one reads all the time."""
    with write_session(engine) as session:
        partners = [partner(session, name) for name in ("clinic", "workshop")]
        cases = open_cases(session, 20)
        events = [announce(session, case) for _ in range(6) for case in cases]
        for case in cases:
            consent(session, case)
        owed = []
        for each in partners:
            agree(session, each)
            owed.append(owe(session, *events, to=each))
        session.commit()
    mixed = [id_ for pair in zip(owed[0], reversed(owed[1]), strict=True) for id_ in pair]
    workers = 6
    gate, over = threading.Barrier(workers + 1), threading.Event()

    def work(number: int) -> None:
        gate.wait(timeout=30)
        for start in range(number, len(mixed), workers * 8):
            with write_session(engine) as session:
                show(session, mixed[start : start + 6], public_url=URL, day=NOW.date(), now=NOW)
                session.commit()
        found: object = True
        while found:
            with write_session(engine) as session:
                found = show_next(session, partners[number % 2].id or 0, 7, public_url=URL, day=NOW.date(), now=NOW)
                session.commit()

    def read() -> None:
        gate.wait(timeout=30)
        while not over.is_set():
            with read_session(engine) as session:
                for each in partners:
                    _gap_free(session, each.id)

    with ThreadPoolExecutor(workers + 1) as pool:
        writers = [pool.submit(work, number) for number in range(workers)]
        reader = pool.submit(read)
        wait(writers, timeout=120)
        over.set()
        for done in (*writers, reader):
            done.result(timeout=30)
    with write_session(engine) as session:
        for each in partners:
            assert _gap_free(session, each.id) == len(events) == session.get_one(Partner, each.id).position
