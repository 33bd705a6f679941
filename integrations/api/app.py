"""The partner API as an application that `deployments.web` mounts under `/v1`.

A new room of routes is a file with a `router` and one line in `ROUTERS`; `integrations.api.calls` says what its routes
take, `integrations.api.problems.answers` what they document.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.responses import Response

from integrations.api import arrivals, attendance, cases, documents, events, me, referrals, reports
from integrations.api.errors import problem_of
from integrations.api.gate import Gate, respond_with
from integrations.api.health import health_router
from integrations.api.installation import Installation
from integrations.api.problems import ProblemBody
from integrations.catalogue.openapi_webhooks import openapi_webhooks

ROUTERS: Final = (
    documents.router,
    me.router,
    events.router,
    cases.router,
    referrals.router,
    reports.router,
    attendance.router,
    arrivals.router,
)

_ABOUT: Final = """What a partner system may ask of Segin and tell it. Every request but those of `health` carries a
token; every write carries an `Idempotency-Key`; every error is `application/problem+json`, in French or English by
`Accept-Language`. Nothing here names a person unless a sharing agreement and the person's consent allow it."""


def api(
    engine: Engine,
    here: Installation,
    *,
    clock: Callable[[], datetime],
    new_id: Callable[[], str],
    readiness: Callable[[], str],
) -> FastAPI:
    """The application. `clock` is the time of this machine, `new_id` makes ids of requests (letters, digits, hyphens),
    `readiness` says ready, degraded or unready."""
    app = FastAPI(
        title="Segin",
        version="1",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        servers=[{"url": "/v1"}],
        root_path_in_servers=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.installation = here
    for router in (*ROUTERS, health_router(readiness)):
        app.include_router(router)
    app.add_middleware(Gate, engine=engine, clock=clock, new_id=new_id)
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _answer(request: Request, error: Exception) -> Response:
    return respond_with(problem_of(error), request.state.language, request.state.request_id)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The description of the routes and webhooks, with the shape of problems, which no route returns by itself."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, servers=app.servers
        )
        problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = schema.setdefault("components", {}).setdefault("schemas", {})
        parts |= problem.pop("$defs") | {"ProblemBody": problem}
        schema["webhooks"] = openapi_webhooks(app.state.installation.public_url)
        app.openapi_schema = schema
    return app.openapi_schema
