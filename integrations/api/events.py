"""The partner's own stream of events, to be read by itself, one event of it, and the acknowledgement of one.

A partner that was away for a week catches up alone; what it reads are the very bytes that would be pushed to it.
"""

# Annotations are values here: the framework reads those of the routes.

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from integrations.api.calls import Call, Write, answer, needs, writes
from integrations.api.installation import Here, Installation
from integrations.api.pages import cursor_of, link_to_next, place_of
from integrations.api.problems import Problem, answers
from integrations.api.requests import Answer
from integrations.api.versions import UNCHANGED, Known, unless_known, version_of
from integrations.catalogue.schemas import CONTENT_TYPE
from integrations.sharing.projection import show_next
from integrations.sharing.stream import (
    Read,
    StreamEvent,
    acknowledge,
    event_of,
    events_after,
    is_news,
    is_waiting,
    note_read,
    position_of,
)
from models.database import write_session

router = APIRouter(prefix="/events", tags=["events"])

MOST: Final = 500
LONGEST_WAIT: Final = 25
MOST_WAITING: Final = 10
"""So many requests of one partner may wait for news at a time; any other is answered at once."""

_LIST: Final = "events"
_LOOKS_EVERY: Final = 1.0
_SHOWN_AT_ONCE: Final = 100
_MOST_TURNS: Final = 50
_PLACE: Final = re.compile(r"(evt-[a-z2-7]{26})\.(\d{1,15})\.(\d{1,13})", re.ASCII)

Reader = Annotated[Call, Depends(needs("events:read"))]
Writer = Annotated[Write, Depends(writes("events:acknowledge"))]
Id = Annotated[str, Path(pattern=r"^evt-[a-z2-7]{26}$", description="The event's own id")]


class EventBody(BaseModel):
    """An event: CloudEvents 1.0 in structured JSON. `dataschema` leads to the exact shape of its type."""

    model_config = ConfigDict(extra="allow")

    specversion: Literal["1.0"]
    id: str = Field(description="The same at every attempt and on every way")
    source: str
    type: str
    subject: str = Field(description="Your own code of the case")
    time: datetime
    datacontenttype: Literal["application/json"]
    dataschema: str
    sequence: str = Field(description="The number of the event among your events of the case")
    sequencetype: Literal["Integer"]
    data: dict[str, Any]


class EventPage(BaseModel):
    """Some of your events, in the order of your stream."""

    events: list[EventBody]
    next: str | None = Field(
        description="Give it as `after` the next time, which says that you have these; null: there was nothing ever"
    )


class AcknowledgementBody(BaseModel):
    """That you have an event."""

    id: str
    received_at: datetime = Field(description="When you surely had it")
    acknowledged_at: datetime = Field(description="When you said so first")


@router.get("", response_model=EventPage, responses=answers())
async def list_events(
    request: Request,
    call: Reader,
    here: Here,
    after: Annotated[str | None, Query(max_length=200, description="`next` of the page that you have read")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="At most so many")] = 100,
    wait: Annotated[
        int, Query(ge=0, le=LONGEST_WAIT, description="When there is nothing, wait so many seconds for something")
    ] = 0,
) -> Response:
    """Your events after those that you have, the oldest first; without `after`, from the beginning."""
    start = await run_in_threadpool(_position, call, after)
    clock = asyncio.get_running_loop().time
    began, gone_by = clock(), 0.0
    with _waiting(call.caller.partner_id) as may_wait:
        while True:
            now = call.now + timedelta(seconds=gone_by)
            found = await run_in_threadpool(_look, call, here, start, limit + 1, now)
            left = wait - gone_by
            if found or left <= 0 or not may_wait or here.stopping() or await request.is_disconnected():
                break
            await asyncio.sleep(min(_LOOKS_EVERY, left))
            gone_by = clock() - began
    events = found[:limit]
    following = _cursor(events[-1], start, now) if events else after
    headers = {}
    if len(found) > limit:
        headers["Link"] = link_to_next(request, {"limit": limit, "after": following})
    return Response(_page(events, following), headers=headers, media_type="application/json")


@router.get(
    "/{id}",
    response_model=EventBody,
    response_class=Response,
    responses={
        200: {"content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/EventBody"}}}},
        **UNCHANGED,
        **answers(404),
    },
)
def show_event(id: Id, call: Reader, known: Known = None) -> Response:
    """One event that was shown to you, as it was or would be sent."""
    with call.reading() as session:
        event = event_of(session, call.caller.partner_id, id)
    if event is None:
        raise Problem("not_found")
    return unless_known(event.body.encode(), known, media_type=CONTENT_TYPE, headers={})


@router.post("/{id}/acknowledgement", response_model=AcknowledgementBody, responses=answers(404, 409, 412, 415))
def acknowledge_event(id: Id, write: Writer) -> Response:
    """You have it, and act on it. Again changes nothing."""

    def work(session: Session) -> Answer:
        partner_id = write.call.caller.partner_id
        if (event := event_of(session, partner_id, id)) is not None:
            write.expects(version_of(event.body.encode()))
        said = acknowledge(session, partner_id, id, now=write.call.now)
        if said is None:
            raise Problem("not_found")
        return answer(AcknowledgementBody(id=id, received_at=said.received_at, acknowledged_at=said.acknowledged_at))

    return write.once(work)


def _position(call: Call, after: str | None) -> int:
    """Where a cursor leads. Whoever asks for more has read the page that the cursor ended: that is noted."""
    if after is None:
        return 0
    parts = _PLACE.fullmatch(place_of(_LIST, after))
    if parts is None:
        raise Problem("bad_cursor")
    uid, start, made_at = parts[1], int(parts[2]), datetime.fromtimestamp(int(parts[3]) / 1000, UTC)
    partner_id = call.caller.partner_id
    with call.reading() as session:
        end = position_of(session, partner_id, uid)
        if end is None or start >= end:
            raise Problem("bad_cursor")
        read = Read(start, end, made_at)
        news = is_news(session, partner_id, read)
    if news:
        with write_session(call.engine) as session:
            note_read(session, partner_id, read, now=call.now)
            session.commit()
    return end


def _look(call: Call, here: Installation, position: int, limit: int, now: datetime) -> Sequence[StreamEvent]:
    """The events after this position, once what waits was shown or withheld, be it by somebody else who was quicker.
    Nothing is locked when nothing waits."""
    partner_id = call.caller.partner_id
    for _turn in range(_MOST_TURNS):
        with call.reading() as session:
            found = events_after(session, partner_id, position, limit)
            if len(found) == limit or not is_waiting(session, partner_id):
                break
        with write_session(call.engine) as session:
            batch = max(_SHOWN_AT_ONCE, limit - len(found))
            show_next(session, partner_id, batch, public_url=here.public_url, day=here.day(now), now=now)
            session.commit()
    return found


def _page(events: Sequence[StreamEvent], following: str | None) -> bytes:
    """The page as JSON, in which each event has the bytes in which it was shown."""
    inside = ",".join(event.body for event in events)
    return f'{{"events":[{inside}],"next":{json.dumps(following)}}}'.encode()


def _cursor(last: StreamEvent, start: int, now: datetime) -> str:
    """The cursor after this event: it tells which page it ended, and when that was."""
    return cursor_of(_LIST, f"{last.uid}.{start}.{int(now.timestamp() * 1000)}")


_waiters: Counter[int] = Counter()


@contextmanager
def _waiting(partner_id: int) -> Iterator[bool]:
    """Count the requests of the partner that are at it; whether this one may wait. Only the loop's thread counts."""
    _waiters[partner_id] += 1
    try:
        yield _waiters[partner_id] <= MOST_WAITING
    finally:
        _waiters[partner_id] -= 1
        if not _waiters[partner_id]:
            del _waiters[partner_id]
