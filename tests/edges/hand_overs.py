"""Partners without a system, what happened to the people that they know, and what they were handed. All synthetic."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edges.mail_server import MailServer
from edges.sharing_rows import URL, agree, consent, owe, partner
from edges.test_notice_tables import read_csv
from edges.webhook_outbox import NOW, announce, open_cases
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from flows.hand_over import run_hand_over
from integrations.notices.email import MailServer as Address
from integrations.notices.hand_over import HandedOver, Ways
from models import Case, Channel, Event, Partner, PartnerEvent, Subscription
from models.database import read_session

NIGHT = datetime(2024, 3, 6, 2, 0, tzinfo=UTC)


def ways_through(server: MailServer, folder: Path) -> Ways:
    """This mail server, and a folder of its own."""
    (folder / "drop").mkdir()
    return Ways(
        timezone=ZoneInfo("Africa/Bamako"),
        public_url=URL,
        mail=Address(host="127.0.0.1", port=server.port, sender="segin@example.org", allow_plain_loopback=True),
        drop_dir=folder / "drop",
    )


def hand_over(engine: Engine, ways: Ways) -> list[HandedOver]:
    return list(run_hand_over(engine, ways, clock=lambda: NIGHT))


def said(done: list[HandedOver]) -> list[tuple[str, str, int, int]]:
    return [(each.partner, each.outcome, each.parcels, each.events) for each in done]


def subscribe(session: Session, to: Partner, channel: Channel = Channel.EMAIL, **given: Any) -> int:
    url = f"mailto:{to.code}@partner.example.org" if channel == Channel.EMAIL else to.code
    row = Subscription(**{"partner_id": to.id, "url": url, "channel": channel, "secret": "", "created_at": NOW} | given)
    session.add(row)
    session.flush()
    return row.id or 0


def a_partner(session: Session, code: str, channel: Channel = Channel.EMAIL, **given: Any) -> Partner:
    """One that may see everything, with a subscription."""
    made = partner(session, code)
    agree(session, made, event_types=["case.arrived", "case.advanced", "case.closed", "referral.made"])
    subscribe(session, made, channel, **given)
    return made


def happen(session: Session, *to: Partner, count: int = 1, event_type: str = "case.advanced", **given: Any) -> Case:
    """So many events of a new case, whose person consents, in line for these partners."""
    (case,) = open_cases(session, 1)
    consent(session, case)
    more(session, case, *to, count=count, event_type=event_type, **given)
    return case


def more(
    session: Session, case: Case, *to: Partner, count: int = 1, event_type: str = "case.advanced", **given: Any
) -> list[Event]:
    events = [announce(session, case, event_type, **given) for _ in range(count)]
    for each in to:
        owe(session, *events, to=each)
    return events


def attached(server: MailServer, place: int = -1) -> list[dict[str, str]]:
    (file,) = server.taken[place].message.iter_attachments()
    return read_csv(file.get_payload(decode=True))  # type: ignore[arg-type]


def standing(engine: Engine) -> list[tuple[int, int | None, bool]]:
    with read_session(engine) as session:
        rows = session.exec(select(Subscription).order_by(col(Subscription.id))).all()
        return [(row.cursor, row.offered, row.failing_since is not None) for row in rows]


def received(engine: Engine) -> list[datetime | None]:
    with read_session(engine) as session:
        return list(session.exec(select(PartnerEvent.received_at).order_by(col(PartnerEvent.id))).all())
