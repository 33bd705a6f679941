"""The partner API over one database, as partner systems call it: tokens, a clock that stands still, no port.

The partners and the people are those of `partner_cases`: all synthetic.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI
from partner_cases import PartnerCases, open_partner_cases
from sqlalchemy import Engine
from sqlmodel import Session
from synthetic_cases import START

from integrations.api.app import api
from integrations.api.installation import Installation, Intake
from integrations.api.problems import KINDS, MEDIA_TYPE
from integrations.api.scopes import SCOPES
from integrations.api.tokens import add_token
from integrations.manifests.profile import load_profile
from models.database import write_session
from states.pathways.loader import bundled_pathway

INTAKE = Intake(bundled_pathway("mali"), load_profile("mali"), None, random.Random(7).randbytes)
HERE = Installation("https://segin.example.org", ZoneInfo("Africa/Bamako"), stopping=lambda: False, intake=INTAKE)


@dataclass
class ApiClient:
    """Calls the API of `engine` as somebody who has a token of the clinic, unless another is given."""

    engine: Engine
    cases: PartnerCases
    tokens: dict[str, str] = field(repr=False)
    now: datetime = START
    readiness: str = "ready"
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.app: FastAPI = api(
            self.engine,
            HERE,
            clock=lambda: self.now,
            new_id=lambda: f"api-test-{next(self._numbers)}",
            readiness=lambda: self.readiness,
        )

    def get(self, path: str, **parts: Any) -> httpx.Response:
        return self.call("GET", path, **parts)

    def post(self, path: str, *, key: str | None = "", **parts: Any) -> httpx.Response:
        """A write under a key of its own, unless one is given (none: without a key)."""
        headers = dict(parts.pop("headers", {}))
        if key is not None:
            headers["Idempotency-Key"] = key or f"key-{next(self._numbers)}"
        return self.call("POST", path, headers=headers, **parts)

    def call(
        self, method: str, path: str, *, by: str | None = "clinique", headers: Any = None, **parts: Any
    ) -> httpx.Response:
        """The answer to one request. `by` is a partner's code, a whole token, or none for a request without."""
        sent = dict(headers or {})
        if by is not None:
            sent["Authorization"] = f"Bearer {self.tokens.get(by, by)}"

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=("192.0.2.7", 4711))
            async with httpx.AsyncClient(transport=transport, base_url="http://segin.test") as client:
                return await client.request(method, path, headers=sent, **parts)

        return asyncio.run(ask())

    def later(self, **time: float) -> None:
        """Let the clock go on."""
        self.now += timedelta(**time)

    def token(self, partner: str, scopes: Iterable[str] = tuple(SCOPES), **parts: Any) -> str:
        """A new token of this partner."""
        with write_session(self.engine) as session:
            made = new_token(session, partner, scopes, seed=next(self._numbers), now=self.now, **parts)
            session.commit()
        return made


def new_token(session: Session, partner: str, scopes: Iterable[str], *, seed: int, now: datetime, **parts: Any) -> str:
    """A token from bytes that are the same in every run."""
    source = random.Random(seed).randbytes
    return add_token(
        session, partner=partner, title="Essai", scopes=scopes, random_bytes=source, now=now, **parts
    ).shown


def open_api(session: Session, engine: Engine, *, referrals: int = 0) -> tuple[ApiClient, list[str]]:
    """The API with one token for each partner, and the codes of so many referrals to the clinic."""
    cases = open_partner_cases(session)
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    codes = [cases.refer(cases.clinic) for _ in range(referrals)]
    tokens = {
        code: new_token(session, code, SCOPES, seed=1000 + number, now=START)
        for number, code in enumerate(("clinique", "atelier"))
    }
    session.commit()
    return ApiClient(engine, cases, tokens), codes


def kind_of(answer: httpx.Response) -> str:
    """The kind of problem that the answer is, whose form is checked too."""
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["content-language"] in ("fr", "en")
    body = answer.json()
    kind = body["type"].removeprefix("urn:segin:problem:").replace("-", "_")
    assert (body["status"], answer.status_code) == (KINDS[kind].status, KINDS[kind].status)
    assert body.keys() - {"reasons", "errors"} == {"type", "title", "status", "detail", "code"}
    replayed = "idempotent-replayed" in answer.headers
    assert (body["code"] == answer.headers["x-request-id"]) is not replayed
    return str(kind)
