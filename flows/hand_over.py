"""The daily hand-over to partners without a system, by one run at a time: `segin nightly` and its flow call it at the
end of a night, `segin partner handover` whenever somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from flows.liveness import take_lease
from integrations.notices.email import MailServer
from integrations.notices.hand_over import HandedOver, Ways, hand_over
from integrations.notices.outcomes import OK
from models.database import write_session
from models.errors import LockedByAnotherRun
from models.partner import Channel
from models.settings import Settings
from states import leases

LEASE: Final = "hand-over"
TTL: Final = timedelta(minutes=5)
"""Longer than one message may take; so long a run that stopped without a trace, elsewhere, holds the next one up."""


log = structlog.get_logger()


def ways_of(settings: Settings) -> Ways:
    """How this installation hands over."""
    mail = None
    if settings.smtp_host is not None and settings.smtp_sender is not None:
        password = settings.smtp_password
        mail = MailServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            sender=settings.smtp_sender,
            user=settings.smtp_user,
            password=None if password is None else password.get_secret_value(),
            ca_file=settings.smtp_ca_file,
            allow_plain_loopback=settings.allow_loopback_webhooks,
        )
    return Ways(timezone=settings.timezone, public_url=settings.public_url, mail=mail, drop_dir=settings.drop_dir)


def run_hand_over(engine: Engine, ways: Ways, *, clock: Callable[[], datetime]) -> Iterator[HandedOver]:
    """What became of each subscription, as it is done. `clock` is read for leases and for when something arrived.

    Raises LockedByAnotherRun while another run is at work, LeaseLost when another one took over because this one had
    stopped for too long (nothing is changed after that).
    """
    token = _take_lease(engine, clock)

    @contextmanager
    def transaction() -> Iterator[Session]:
        with write_session(engine) as session:
            leases.renew(session, LEASE, token, now=clock(), ttl=TTL)
            yield session
            session.commit()

    try:
        yield from hand_over(transaction, ways, clock=clock)
    finally:
        with write_session(engine) as session:
            leases.release(session, LEASE, token)
            session.commit()


def hand_over_counts(engine: Engine, ways: Ways, *, clock: Callable[[], datetime]) -> Iterator[dict[str, int]]:
    """The same for the receipt of a night. While another run is at work there is nothing to do."""
    try:
        for done in run_hand_over(engine, ways, clock=clock):
            by_mail = done.channel == Channel.EMAIL
            yield {
                "messages_sent": done.parcels if by_mail else 0,
                "files_put_down": 0 if by_mail else 2 * done.parcels,
                "events_handed_over": done.events,
                "hand_overs_failed": int(done.outcome != OK),
            }
    except LockedByAnotherRun:
        log.warning("notice.locked")


def _take_lease(engine: Engine, clock: Callable[[], datetime]) -> int:
    with write_session(engine) as session:
        token = take_lease(session, LEASE, now=clock(), ttl=TTL)
        session.commit()
    if token is None:
        raise LockedByAnotherRun(
            "Another run is handing over to partners.",
            "Une autre exécution remet déjà aux partenaires ce qui leur est dû.",
            remedy="Wait for it; what it does not hand over, the next one does.",
            remedy_fr="Attendez-la ; ce qu'elle ne remet pas, la suivante le remettra.",
        )
    return token
