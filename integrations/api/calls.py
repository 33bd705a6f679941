"""What a route gets: who calls, when and in which language; and for a write, its key and the way to do it once.

Each router file takes `Depends(needs(SCOPE))` or `Depends(writes(SCOPE))`; the gate has let the caller in before.
"""

# Annotations are values here: those of the inner functions hold what the framework calls.

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session

from integrations.api.errors import problem_of
from integrations.api.problems import MEDIA_TYPE, Language, Problem
from integrations.api.requests import Answer, answer_of, claim, digest_of, keep
from integrations.api.tokens import Caller
from integrations.api.versions import version_of
from models.database import read_session, write_session
from models.errors import SeginError
from models.partner_access import ApiRequest
from states.moves import Actor
from states.pathway import Text

BEARER: Final = HTTPBearer(auto_error=False, description="The token that Segin's people gave you: `prefix.secret`")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a partner. `id` is its reference: in the journal, in the log, and in problems as `code`."""

    id: str
    engine: Engine = field(repr=False)
    now: datetime
    language: Language
    caller: Caller
    body: bytes = field(repr=False)

    @property
    def actor(self) -> Actor:
        """The partner's system, as the pathway knows it."""
        return Actor(role="partner", partner_id=self.caller.partner_id)

    def reading(self) -> Session:
        """A session to read with, as a context; nothing can be changed in it."""
        return read_session(self.engine)


@dataclass(frozen=True, slots=True)
class Write:
    """One request that changes something. `command_id` makes its moves safe to repeat, beyond the key's own time."""

    call: Call
    key: str
    digest: str
    if_match: str | None

    @property
    def command_id(self) -> str:
        """An id for the journal: the same for the same request under the same key of the same partner, so that a key
        that was forgotten is free for another request."""
        said = hashlib.sha256(f"{self.key}\n{self.digest}".encode())
        return f"api-{self.call.caller.partner_id}-{said.hexdigest()[:32]}"

    def expects(self, etag: str) -> None:
        """Raises `stale` when If-Match was given and names another version than this one."""
        if self.if_match is None or self.if_match.strip() == "*":
            return
        if etag not in [tag.strip() for tag in self.if_match.split(",")]:
            raise Problem("stale", headers={"ETag": etag})

    def once(self, work: Callable[[Session], Answer]) -> Response:
        """Do the work and commit it with its answer; the same request again gets that answer and does nothing.

        A refusal (a `refused` problem, or an error that is one) is an answer too, and its work is undone. Whatever
        else is raised leaves nothing behind.
        """
        caller, now = self.call.caller, self.call.now
        with _alone(caller.partner_id, self.key), write_session(self.call.engine) as session:
            row, fresh = claim(session, partner_id=caller.partner_id, key=self.key, digest=self.digest, now=now)
            if not fresh:
                return self._again(row)
            try:
                with session.begin_nested():
                    given = work(session)
            except (Problem, SeginError) as error:
                problem = problem_of(error)
                if not problem.final:
                    raise
                given = answer_with(problem, self.call.language, self.call.id)
            keep(session, row, given)
            session.commit()
        return respond(given)

    def _again(self, row: ApiRequest) -> Response:
        if row.digest != self.digest:
            raise Problem("key_reused")
        given = answer_of(row)
        return respond(given._replace(headers={**given.headers, "Idempotent-Replayed": "true"}))


def needs(scope: str | None) -> Callable[..., Call]:
    """A dependency: the call of a partner whose token has this scope (none: any token will do)."""

    scopes = [] if scope is None else [scope]

    def allowed(request: Request, _token: Annotated[object, Security(BEARER, scopes=scopes)]) -> Call:
        call: Call = request.state.call
        if scope is not None and scope not in call.caller.scopes:
            raise Problem("scope_missing")
        return call

    return allowed


def writes(scope: str, *media_types: str) -> Callable[..., Write]:
    """A dependency: the write of a partner whose token has this scope, under its idempotency key, with a body of one of
    these types (none: JSON)."""
    accepted = media_types or ("application/json",)
    only = Text(f"Envoyez l'un de ces types : {', '.join(accepted)}.", f"Send one of these: {', '.join(accepted)}.")

    def keyed(
        request: Request,
        call: Annotated[Call, Depends(needs(scope))],
        idempotency_key: Annotated[
            str,
            Header(
                pattern=r"^[!-~]+$", min_length=1, max_length=255, description="The same request again has the same key"
            ),
        ],
        if_match: Annotated[str | None, Header(max_length=200, description="The ETag of what you read")] = None,
    ) -> Write:
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if call.body and media not in accepted:
            raise Problem("unsupported_type", detail=only if media_types else None)
        return Write(call, idempotency_key, digest_of(request.method, request.url.path, call.body), if_match)

    return keyed


def answer(body: BaseModel, *, status: int = 200) -> Answer:
    """What this is as an answer, with its version as the ETag."""
    text = body.model_dump_json()
    return Answer(status, text, {"Content-Type": "application/json", "ETag": etag_of(body)})


def answer_with(problem: Problem, language: Language, id_: str) -> Answer:
    """The problem as an answer, in this language, with the id of the request to quote."""
    about = {"Content-Type": MEDIA_TYPE, "Content-Language": language, "Vary": "Accept-Language"}
    return Answer(problem.status_code, problem.body(language, id_), {**(problem.headers or {}), **about})


def etag_of(body: BaseModel) -> str:
    """The version of what this shows: the same when it shows the same."""
    return version_of(body.model_dump_json().encode())


def respond(given: Answer) -> Response:
    """The answer as a response."""
    return Response(given.body, given.status, given.headers)


_running: set[tuple[int, str]] = set()
_guard = threading.Lock()


@contextmanager
def _alone(partner_id: int, key: str) -> Iterator[None]:
    """Whoever comes while this process works on the key is told so, instead of waiting for the database."""
    name = (partner_id, key)
    with _guard:
        if name in _running:
            raise Problem("still_running", headers={"Retry-After": "1"})
        _running.add(name)
    try:
        yield
    finally:
        with _guard:
            _running.discard(name)
