"""Rows for the webhook tests, written straight into the tables: partners, cases and their events. All synthetic."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from edges.receivers.sink import Sink
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from integrations.sharing.pseudonyms import event_uid
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.record import Recorded
from integrations.webhooks.sender import Sender
from integrations.webhooks.subscriptions import add_partner, add_subscription, new_secret
from models import (
    Attempt,
    Case,
    Consent,
    Delivery,
    Event,
    Partner,
    PartnerEvent,
    PathwayVersion,
    Returnee,
    SharingAgreement,
    Subscription,
)
from models.database import write_session
from models.events import EVENT_TYPES

NOW = datetime(2024, 3, 5, 8, 0, tzinfo=UTC)
PUBLIC_URL = "https://segin.example.org"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def secret_of(partner: str) -> str:
    """The same secret for the same partner."""
    return new_secret(lambda size: hashlib.sha512(partner.encode()).digest()[:size])


def subscribe(session: Session, partner: str, url: str, **filters: list[str]) -> Subscription:
    """A new partner that may see every event of the people it assists, with a subscription."""
    added = add_partner(session, code=partner, name=f"Partner {partner}", now=NOW)
    agree_on_assistance(session, added)
    return add_subscription(
        session, partner=partner, url=url, secret=secret_of(partner), now=NOW, allow_loopback=True, **filters
    )


def agree_on_assistance(session: Session, partner: Partner) -> SharingAgreement:
    """An agreement about every type of event and no detail, with the consents to assistance as its grounds."""
    agreement = SharingAgreement(
        code=partner.code,
        version=1,
        partner_id=partner.id or 0,
        title="Fictif",
        purpose="assistance",
        event_types=list(EVENT_TYPES),
        valid_from=date(2024, 1, 1),
        created_at=NOW,
    )
    session.add(agreement)
    session.flush()
    return agreement


def connect(engine: Engine, **endpoints: Sink | str) -> None:
    """A partner of that name for each endpoint."""
    with write_session(engine) as session:
        for name, endpoint in endpoints.items():
            subscribe(session, name, endpoint if isinstance(endpoint, str) else endpoint.url)
        session.commit()


def open_cases(session: Session, count: int) -> list[Case]:
    """Cases of synthetic people who consent to assistance, with the least that the tables ask for."""
    pathway = session.exec(select(PathwayVersion)).first()
    if pathway is None:
        pathway = PathwayVersion(name="test", version=1, content_hash="0" * 64, body="", published_at=NOW)
        session.add(pathway)
    first = len(session.exec(select(Case.id)).all())
    people = [
        Returnee(
            code=f"R-{number}", family_name="KEITA", given_names="Awa", name_key="awa keita", sex="f", created_at=NOW
        )
        for number in range(first, first + count)
    ]
    session.add_all(people)
    session.flush()
    cases = [
        Case(
            code=f"C-{person.code}",
            returnee_id=person.id or 0,
            pathway_version_id=pathway.id or 0,
            state="arrived",
            entered_state_at=NOW,
            version=1,
            journal_head="0" * 64,
            arrival_date=date(2024, 3, 1),
            departure_country="NE",
            registered_at=NOW,
        )
        for person in people
    ]
    session.add_all(cases)
    session.flush()
    consents = [
        Consent(code=f"assistance-{case.code}", case_id=case.id or 0, purpose="assistance", recorded_at=NOW)
        for case in cases
    ]
    session.add_all(consents)
    session.flush()
    return cases


def announce(session: Session, case: Case, event_type: str = "case.advanced", **given: object) -> Event:
    """The next event of a case, as the writer of transitions leaves it in the outbox."""
    case.events += 1
    announced = Event(
        uid="evt_" + hashlib.blake2b(f"{case.code}:{case.events}".encode(), digest_size=16).hexdigest(),
        case_id=case.id or 0,
        sequence=case.events,
        seq=case.events,
        type=event_type,
        **{  # type: ignore[arg-type]
            "occurred_at": NOW,
            "region_pcode": "ML01",
            "data": {"case": case.code},
            "correlation_id": f"corr-{case.code}-{case.events}",
            **given,
        },
    )
    session.add(announced)
    return announced


def fill(engine: Engine, *, cases: int, events: int) -> list[str]:
    """So many cases with so many events each, fanned out. The ids under which the first partner knows them, in the
    order in which they happened."""
    with write_session(engine) as session:
        opened = open_cases(session, cases)
        made = [announce(session, case) for _ in range(events) for case in opened]
        while fan_out(session, now=NOW):
            pass
        session.commit()
        first = session.exec(select(Partner).order_by(col(Partner.id))).first()
        return [] if first is None else [event_uid(first.pseudonym_key, each.uid) for each in made]


def known_to(engine: Engine, partner: str) -> list[str]:
    """The ids under which a partner knows all events that it is owed, in the order in which they happened."""
    with write_session(engine) as session:
        owed = select(PartnerEvent.uid).join(Partner, col(Partner.id) == col(PartnerEvent.partner_id))
        return list(session.exec(owed.where(Partner.code == partner).order_by(col(PartnerEvent.event_id))).all())


@contextlib.contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The SQL that is executed meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_rest: object) -> None:
        seen.append(sql)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def deliveries(engine: Engine) -> list[Delivery]:
    with write_session(engine) as session:
        return list(session.exec(select(Delivery).order_by(col(Delivery.id))).all())


def attempts(engine: Engine) -> list[Attempt]:
    with write_session(engine) as session:
        return list(session.exec(select(Attempt).order_by(col(Attempt.delivery_id), col(Attempt.number))).all())


def send(engine: Engine, clock: Callable[[], datetime], **options: Any) -> Recorded:
    """Deliver what is due by `clock`, without jitter. Signatures carry the real time, as receivers want."""
    sender = Sender(
        engine,
        **{
            "clock": clock,
            "random": lambda: 0.0,
            "public_url": PUBLIC_URL,
            "timezone": UTC,
            "signature_clock": lambda: datetime.now(UTC),
            "allow_loopback": True,
            **options,
        },
    )
    return asyncio.run(sender.deliver_due())
