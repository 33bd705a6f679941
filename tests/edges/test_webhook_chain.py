"""From the writer to the partner: what real transitions announce arrives, traceable, and names nobody."""

from __future__ import annotations

from datetime import timedelta

from cloudevents.core.formats.json import JSONFormat
from edges.receivers.sink import Sink
from edges.webhook_outbox import Clock, attempts, connect, send
from sqlalchemy import Engine
from sqlmodel import col, select
from synthetic_cases import START, open_caseload

from integrations.webhooks.fanout import fan_out
from models import Case, Event, JournalRow, Returnee
from models.database import write_session

STEPS = ("confirm_arrival", "begin_screening", "begin_planning", "hold", "resume", "close", "reopen")


def test_what_real_transitions_announce_arrives_and_leads_back_to_the_journal(engine: Engine) -> None:
    with write_session(engine) as session:
        load = open_caseload(session)
        (case_id,) = load.register_many(1)
        load.record_everything(case_id)
        now = START
        for trigger in STEPS:
            now += timedelta(hours=1)
            reason = {"hold": "medical", "close": "withdrew"}.get(trigger)
            outcome = load.advance(
                case_id, trigger, now=now, reason=reason, note="synthétique", correlation_id=f"by-{trigger}"
            )
            assert outcome.kind == "moved", (trigger, outcome)
        session.commit()
    with Sink() as sink:
        connect(engine, ngo=sink)
        with write_session(engine) as session:
            while fan_out(session, now=now):
                pass
            session.commit()
        send(engine, Clock(now))
    with write_session(engine) as session:
        events = session.exec(select(Event).order_by(col(Event.sequence))).all()
        case, person = session.exec(select(Case)).one(), session.exec(select(Returnee)).one()
        journal = {row.seq: row.correlation_id for row in session.exec(select(JournalRow)).all()}
    assert len(events) >= len(STEPS)
    assert {attempt.outcome for attempt in attempts(engine)} == {"ok"}
    received = [JSONFormat().read(None, request.body) for request in sink.requests]
    assert [event.get_id() for event in received] == [event.uid for event in events]
    assert [int(event.get_extension("sequence")) for event in received] == list(range(1, len(events) + 1))
    assert [event.get_extension("correlationid") for event in received] == [journal[event.seq] for event in events]
    assert {event.get_subject() for event in received} == {case.code}
    everything = " ".join(f"{request.headers}{request.body.decode()}" for request in sink.requests)
    private = (person.family_name, person.given_names, person.code, str(case.arrival_date), case.departure_country)
    assert not [word for word in private if word in everything]
