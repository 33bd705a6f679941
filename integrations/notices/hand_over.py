"""Handing over what partners without a system are owed: messages and files, one subscription after the other.

`flows.hand_over` calls it under its lease, by night or by hand. Before and after each message or file there is a short
transaction and none meanwhile; one that fails leaves its events for the next time and holds nobody else up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session

from integrations.notices import outcomes
from integrations.notices.drop import put_down
from integrations.notices.email import MailServer, send
from integrations.notices.message import digest_message
from integrations.notices.pending import Due, Parcel, due_subscriptions, make_parcel, settle
from integrations.sharing.projection import show_next
from models.partner import MAILTO, Channel

MOST_AT_ONCE: Final = 2_000
"""Events of one message or file."""

log = structlog.get_logger()

Transactions = Callable[[], AbstractContextManager[Session]]
"""Opens a session whose changes are committed at the end, unless something was raised."""


@dataclass(frozen=True)
class Ways:
    """How this installation hands over. No `mail` or no `drop_dir`: what would go that way stays. `public_url` is the
    address by which events name their schemas."""

    _: KW_ONLY
    timezone: ZoneInfo
    public_url: str
    mail: MailServer | None = None
    drop_dir: Path | None = None


@dataclass(frozen=True)
class HandedOver:
    """What one subscription got: so many messages (or pairs of files) with so many events; `outcome` is that of the
    last, or why there was none."""

    subscription_id: int
    partner: str
    channel: str
    outcome: str
    parcels: int
    events: int


def hand_over(
    transactions: Transactions, ways: Ways, *, clock: Callable[[], datetime], most_at_once: int = MOST_AT_ONCE
) -> Iterator[HandedOver]:
    """Hand over to every subscription that is due, and say of each what became of it. A fault of the mail server is
    found out once: the messages after it wait for the next time."""
    with transactions() as session:
        due = due_subscriptions(session)
    server_fault: str | None = None
    for each in due:
        by_mail = each.channel == Channel.EMAIL
        if by_mail and server_fault is not None:
            done = HandedOver(each.id, each.partner, each.channel, server_fault, 0, 0)
        else:
            done = _Subscription(transactions, ways, clock, most_at_once, each).hand_over()
        if by_mail and done.outcome in outcomes.OF_THE_SERVER:
            server_fault = done.outcome
        if done.outcome != outcomes.OK:
            log.warning("notice.failed", subscription_id=each.id, partner=each.partner, outcome=done.outcome)
        yield done


@dataclass(frozen=True)
class _Subscription:
    """One subscription at its turn."""

    transactions: Transactions
    ways: Ways
    clock: Callable[[], datetime]
    most_at_once: int
    due: Due

    def hand_over(self) -> HandedOver:
        """Until there is nothing left, or something failed."""
        self._show()
        outcome, parcels, events = outcomes.OK, 0, 0
        while outcome == outcomes.OK:
            with self.transactions() as session:
                parcel = make_parcel(session, self.due.id, limit=self.most_at_once)
            if parcel is None:
                break
            if parcel.lines:
                outcome = self._send(parcel)
            with self.transactions() as session:
                settle(session, parcel, outcome, now=self.clock())
            if outcome == outcomes.OK and parcel.lines:
                parcels, events = parcels + 1, events + len(parcel.lines)
        return HandedOver(self.due.id, self.due.partner, self.due.channel, outcome, parcels, events)

    def _show(self) -> None:
        """Have everything shown that waits for the partner."""
        shown = True
        while shown:
            now = self.clock()
            day = now.astimezone(self.ways.timezone).date()
            with self.transactions() as session:
                shown = bool(
                    show_next(
                        session,
                        self.due.partner_id,
                        self.most_at_once,
                        public_url=self.ways.public_url,
                        day=day,
                        now=now,
                    )
                )

    def _send(self, parcel: Parcel) -> str:
        return self._mail(parcel) if self.due.channel == Channel.EMAIL else self._drop(parcel)

    def _mail(self, parcel: Parcel) -> str:
        server = self.ways.mail
        if server is None:
            return outcomes.NO_SERVER
        to = parcel.target.removeprefix(MAILTO)
        message = digest_message(
            parcel.lines,
            subscription_id=parcel.subscription_id,
            first=parcel.first,
            last=parcel.last,
            sender=server.sender,
            to=to,
            language=parcel.language,
            timezone=self.ways.timezone,
            now=self.clock(),
        )
        return send(server, message, to)

    def _drop(self, parcel: Parcel) -> str:
        if self.ways.drop_dir is None:
            return outcomes.NO_FOLDER
        return put_down(
            self.ways.drop_dir,
            self.due.partner,
            parcel.lines,
            day=self.clock().astimezone(self.ways.timezone).date(),
            first=parcel.first,
            last=parcel.last,
            language=parcel.language,
        )
