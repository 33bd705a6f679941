"""What goes out with claimed deliveries: the bodies that their partners may see, worked out just before they are sent.

The sender calls it once in each turn for all that it claimed, however many subscriptions they are for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from integrations.sharing.covering import Reason
from integrations.sharing.projection import enqueue, show
from integrations.sharing.still_covered import STILL_COVERED
from integrations.webhooks import outcomes
from integrations.webhooks.claim import Claimed
from models.partner import Subscription
from models.sharing import Showing
from models.types import BigId
from states.bulk import SetStatement

_READ = SetStatement(
    f"""SELECT partner_event.id, partner_event.uid, partner_event.status, partner_event.reason, partner_event.body,
        {STILL_COVERED}
    FROM {{rows}} JOIN partner_event ON partner_event.id = r.id""",  # noqa: S608
    id=BigId,
)
_LINE_UP = SetStatement(
    "UPDATE delivery SET partner_event_id = r.partner_event_id FROM {rows} WHERE delivery.id = r.id",
    id=BigId,
    partner_event_id=BigId,
)


class _Owed(NamedTuple):
    """A partner event; `covered` as `still_covered` has it."""

    id: int
    uid: str
    status: str
    reason: str | None
    body: str | None
    covered: bool


def with_bodies(
    session: Session, claimed: Sequence[Claimed], *, public_url: str, day: date, now: datetime
) -> list[Claimed]:
    """The same deliveries with what their partners get, or why they get nothing. `day` is the programme's.

    What was shown before is the same bytes again, unless the person took the consent back before it arrived. The
    number of statements does not depend on how many there are.
    """
    lined_up = _lined_up(session, claimed)
    owed = _read(session, {each.partner_event_id for each in lined_up if each.partner_event_id is not None})
    unseen = [each.id for each in owed.values() if each.status != Showing.SHOWN]
    if unseen:
        show(session, unseen, public_url=public_url, day=day, now=now)
        owed |= _read(session, unseen)
    return [_filled(each, owed.get(each.partner_event_id or 0)) for each in lined_up]


def _filled(claimed: Claimed, owed: _Owed | None) -> Claimed:
    if owed is not None and owed.status == Showing.SHOWN and owed.covered:
        return replace(claimed, event_uid=owed.uid, body=(owed.body or "").encode())
    unknown = owed is not None and owed.reason == Reason.NOT_IN_CATALOGUE
    return replace(claimed, withheld=outcomes.NOT_IN_CATALOGUE if unknown else outcomes.WITHHELD)


def _lined_up(session: Session, claimed: Sequence[Claimed]) -> Sequence[Claimed]:
    """The same, each with its partner event: deliveries that are older than these were made without one."""
    without = [each for each in claimed if each.partner_event_id is None]
    if not without:
        return claimed
    subscriptions = {each.endpoint.subscription_id for each in without}
    query = select(Subscription.id, Subscription.partner_id).where(col(Subscription.id).in_(subscriptions))
    partners = dict(session.exec(query).all())
    pairs = {each.delivery_id: (each.event_id, partners[each.endpoint.subscription_id]) for each in without}
    ids = enqueue(session, set(pairs.values()))
    found = {delivery_id: ids[pair] for delivery_id, pair in pairs.items() if pair in ids}
    _LINE_UP.execute(session, list(found.items()))
    return [
        replace(each, partner_event_id=found[each.delivery_id]) if each.delivery_id in found else each
        for each in claimed
    ]


def _read(session: Session, ids: Collection[int]) -> dict[int, _Owed]:
    return {row[0]: _Owed(*row) for row in _READ.execute(session, [(id_,) for id_ in sorted(ids)])}
