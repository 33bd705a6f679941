"""`GET /v1/health/live` and `/ready`: whether it is worth calling, for anybody, in one word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from integrations.api.problems import answers


class LiveBody(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class ReadyBody(BaseModel):
    """Whether requests can be served."""

    status: Literal["ready", "degraded", "unready"]


def health_router(readiness: Callable[[], str]) -> APIRouter:
    """The routes, by what `readiness` says: ready, degraded (something else waits) or unready."""
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", responses=answers())
    def live() -> LiveBody:
        """The process answers. Needs no token."""
        return LiveBody()

    @router.get("/ready", responses={**answers(), 503: {"model": ReadyBody, "description": "not now"}})
    def ready(response: Response) -> ReadyBody:
        """Requests can be served: 200, also while something else waits; else 503. Needs no token."""
        body = ReadyBody.model_validate({"status": readiness()})
        response.status_code = 503 if body.status == "unready" else 200
        return body

    return router
