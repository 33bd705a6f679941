"""What every request to the partner API passes: its id, who it is, how much of it, and an answer that nobody keeps.

It stands before the routes, so that none can forget to ask for a token: only `is_public` paths answer without one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from integrations.api.calls import Call, answer_with, respond
from integrations.api.errors import is_fault, problem_of
from integrations.api.limits import Buckets, Standing
from integrations.api.problems import Language, Problem, language_of
from integrations.api.tokens import Caller, Unrecognised, is_worth_noting, note_use, recognise
from models.database import read_session, write_session

PUBLIC: Final = frozenset({"/health/live", "/health/ready", "/openapi.json", "/asyncapi.json", "/event-types"})
SCHEMAS: Final = "/schemas/"
MOST_BYTES: Final = 1_000_000
A_MINUTE, BURST = 600, 100
FAILURES_A_MINUTE, FAILURES_BURST = 20, 20
PUBLIC_A_MINUTE, PUBLIC_BURST = 120, 30

log = structlog.get_logger()


class Gate:
    """ASGI middleware around the routes. `clock` is the time of this machine, `new_id` gives a new request's id."""

    def __init__(
        self, app: ASGIApp, *, engine: Engine, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._app, self._engine, self._clock, self._new_id = app, engine, clock, new_id
        self._tokens = Buckets(A_MINUTE, BURST)
        self._failures = Buckets(FAILURES_A_MINUTE, FAILURES_BURST)
        self._public = Buckets(PUBLIC_A_MINUTE, PUBLIC_BURST)
        self._used: dict[int, datetime] = {}
        self._noting = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(self._new_id(), language_of(Headers(scope=scope).get("accept-language")), send)
        began = time.monotonic()
        with structlog.contextvars.bound_contextvars(correlation_id=visit.id):
            scope.setdefault("state", {}).update(request_id=visit.id, language=visit.language)
            try:
                await self._let_in(scope, receive, visit)
            except Exception as error:
                problem = problem_of(error)
                if is_fault(problem):
                    log.error("api.failed", exc_info=error)
                if visit.status is None:
                    await respond_with(problem, visit.language, visit.id)(scope, receive, visit.send)
            log.info(
                "api.answered",
                method=scope["method"],
                route=getattr(scope.get("route"), "path", "none"),
                status_code=visit.status,
                duration_ms=round((time.monotonic() - began) * 1000),
            )
        await self._note_uses()

    async def _let_in(self, scope: Scope, receive: Receive, visit: _Visit) -> None:
        now = self._clock()
        address = (scope.get("client") or ("unknown", 0))[0]
        if is_public(scope["path"].removeprefix(scope.get("root_path", ""))):
            _check(self._public.take(address, now.timestamp()))
            await self._app(scope, receive, visit.send)
            return
        caller = await self._caller(scope, address, now, visit)
        body = await _read(scope, receive)
        scope["state"]["call"] = Call(visit.id, self._engine, now, visit.language, caller, body)
        await self._app(scope, _replaying(body, receive), visit.send)

    async def _caller(self, scope: Scope, address: str, now: datetime, visit: _Visit) -> Caller:
        """Who calls. Only tokens that nobody has count against the address: a partner may share it with others."""
        _check(self._failures.look(address, now.timestamp()))
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Problem("token_missing", headers={"WWW-Authenticate": 'Bearer realm="segin"'})
        found = await run_in_threadpool(self._recognise, token, now)
        if found == "token_unknown":
            # Those that were on the way together are counted too: no more of them than the limit learn anything.
            _check(self._failures.take(address, now.timestamp()))
        else:
            visit.standing = self._tokens.take(token.partition(".")[0], now.timestamp())
            _check(visit.standing)
        if isinstance(found, Caller):
            if is_worth_noting(found, now):
                self._used.setdefault(found.token_id, now)
            return found
        if found == "partner_paused":
            raise Problem(found)
        raise Problem(found, headers={"WWW-Authenticate": 'Bearer realm="segin", error="invalid_token"'})

    def _recognise(self, token: str, now: datetime) -> Caller | Unrecognised:
        with read_session(self._engine) as session:
            return recognise(session, token, now=now)

    async def _note_uses(self) -> None:
        """Note which tokens were used, after the answer: nobody waits for whoever holds the database's write lock, and
        one thread at most."""
        if self._noting:
            return
        self._noting = True
        try:
            while self._used:
                used, self._used = self._used, {}
                await run_in_threadpool(self._write_uses, used)
        finally:
            self._noting = False

    def _write_uses(self, used: dict[int, datetime]) -> None:
        try:
            with write_session(self._engine) as session:
                for token_id, at in sorted(used.items()):
                    note_use(session, token_id, now=at)
                session.commit()
        except DBAPIError:
            log.warning("api.use_not_noted", tokens=len(used))


class _Visit:
    """One request on its way: its id, its language, and what its answer says beside the body."""

    def __init__(self, id_: str, language: Language, send: Send) -> None:
        self.id, self.language, self._send = id_, language, send
        self.status: int | None = None
        self.standing: Standing | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Content-Type-Options"] = "nosniff"
            headers["X-Request-Id"] = self.id
            if self.standing is not None:
                headers["RateLimit-Limit"] = str(A_MINUTE)
                headers["RateLimit-Policy"] = f"{A_MINUTE};w=60;burst={BURST}"
                headers["RateLimit-Remaining"] = str(self.standing.remaining)
                headers["RateLimit-Reset"] = str(self.standing.full_after)
        await self._send(message)


def is_public(path: str) -> bool:
    """Whether what is under this path of the API is for anybody."""
    return path in PUBLIC or path.startswith(SCHEMAS)


def respond_with(problem: Problem, language: Language, id_: str) -> Response:
    """The problem as a response."""
    return respond(answer_with(problem, language, id_))


def _check(standing: Standing) -> None:
    if not standing.allowed:
        raise Problem("too_many", headers={"Retry-After": str(standing.next_after)})


async def _read(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises `too_large` as soon as it is known to be."""
    said = Headers(scope=scope).get("content-length", "0")
    if said.isdecimal() and int(said[:20]) > MOST_BYTES:
        raise Problem("too_large", headers={"Connection": "close"})
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem("bad_request")
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise Problem("too_large", headers={"Connection": "close"})
        more = message.get("more_body", False)
    return bytes(body)


def _replaying(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> dict[str, Any]:
        nonlocal given
        if given:
            return dict(await receive())
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
