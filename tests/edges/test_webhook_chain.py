"""From the writer to the partner: what real transitions announce arrives under its own codes, and names nobody."""

from __future__ import annotations

from datetime import timedelta

from cloudevents.core.formats.json import JSONFormat
from edges.receivers.sink import Sink
from edges.webhook_outbox import Clock, attempts, connect, known_to, send
from sqlalchemy import Engine
from sqlmodel import col, select
from synthetic_cases import START, open_caseload

from integrations.sharing.pseudonyms import case_code, event_uid
from integrations.webhooks.fanout import fan_out
from models import Case, Event, Partner, Returnee
from models.database import write_session

STEPS = ("confirm_arrival", "begin_screening", "begin_planning", "hold", "resume", "close", "reopen")


def test_what_real_transitions_announce_arrives_in_order_under_the_partners_own_codes(engine: Engine) -> None:
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
        key = session.exec(select(Partner.pseudonym_key)).one()
    assert len(events) >= len(STEPS)
    assert {attempt.outcome for attempt in attempts(engine)} == {"ok"}
    received = [JSONFormat().read(None, request.body) for request in sink.requests]
    assert [event.get_id() for event in received] == known_to(engine, "ngo")
    assert known_to(engine, "ngo") == [event_uid(key, event.uid) for event in events]
    assert [int(event.get_extension("sequence")) for event in received] == list(range(1, len(events) + 1))
    assert {event.get_subject() for event in received} == {case_code(key, case.id or 0)}
    everything = " ".join(f"{request.headers}{request.body.decode()}" for request in sink.requests)
    private = (person.family_name, person.given_names, person.code, str(case.arrival_date), case.departure_country)
    ours = (case.code, *(event.uid for event in events), *(event.correlation_id for event in events))
    assert not [word for word in (*private, *ours) if word in everything]
