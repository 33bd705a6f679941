"""The web process: a page that says how Segin is, the same for whatever watches over the machine, and the partner API.

`segin up` starts it; `python -m deployments.web` is the process itself.
"""

from __future__ import annotations

import secrets
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import Engine

from deployments.children import end_with_parent
from deployments.health import Check, check_all, readiness
from deployments.logging import configure_logging
from integrations.api.app import api
from integrations.api.installation import Installation, Intake
from integrations.manifests.headers import load_mapping
from integrations.manifests.profile import load_profile
from models.database import create_engine_for
from models.settings import Settings, load_settings
from states.pathways.loader import read_pathway

_WORDS: Final = {
    "ready": ("Prêt", "Ready"),
    "degraded": ("Prêt, mais quelque chose attend", "Ready, but something waits"),
    "unready": ("Indisponible", "Unavailable"),
    "database": ("Base de données", "Database"),
    "schema": ("Schéma de la base", "Schema of the database"),
    "prefect": ("Serveur Prefect", "Prefect server"),
    "backlog": ("Transitions en attente", "Transitions waiting"),
    "night": ("Dernière nuit faite", "Last night done"),
}

_PAGE: Final = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Segin</title><style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem }}
td, th {{ text-align: left; padding: .2rem 1.5rem .2rem 0 }}
</style></head><body>
<h1>Segin</h1>
<p><strong>{fr}</strong> <span lang="en">({en})</span></p>
<table>{rows}</table>
<p><a href="{prefect}">Prefect</a> · <a href="/health/ready">JSON</a></p>
</body></html>
"""


def create_app(settings: Settings, engine: Engine, stopping: Callable[[], bool] = lambda: False) -> FastAPI:
    """The application. It loads nothing from elsewhere: no script, no style, no documentation page. Whoever waits for
    news is answered once `stopping` says that the process ends."""
    app = FastAPI(title="Segin", docs_url=None, redoc_url=None, openapi_url=None)

    def look() -> tuple[str, list[Check]]:
        checks = check_all(settings, engine, _now())
        return readiness(checks), checks

    @app.get("/", response_class=HTMLResponse)
    def page() -> HTMLResponse:
        status, checks = look()
        return HTMLResponse(_render(settings, status, checks), status_code=_code(status))

    @app.get("/health/live")
    def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @app.get("/health/ready")
    def ready() -> JSONResponse:
        """People can work: 200, also when something else waits; else 503."""
        status, checks = look()
        found: dict[str, Any] = {check.name: {"ok": check.ok, "found": check.found} for check in checks}
        return JSONResponse({"status": status, "checks": found}, status_code=_code(status))

    layouts = None if settings.mapping_file is None else load_mapping(settings.mapping_file)
    intake = Intake(
        read_pathway(settings.pathway), load_profile(settings.country_profile), layouts, secrets.token_bytes
    )
    here = Installation(settings.public_url, settings.timezone, stopping, intake)
    app.mount("/v1", api(engine, here, clock=_now, new_id=_request_id, readiness=lambda: look()[0]))
    return app


def _now() -> datetime:
    """The time of this machine, read only here."""
    return datetime.now(UTC)


def _request_id() -> str:
    return f"api-{uuid.uuid4().hex}"


def _code(status: str) -> int:
    return 503 if status == "unready" else 200


def _render(settings: Settings, status: str, checks: list[Check]) -> str:
    rows = "".join(
        f'<tr><th>{_WORDS[check.name][0]} <span lang="en">({_WORDS[check.name][1]})</span></th>'
        f"<td>{'✓' if check.ok else '✗'}</td><td>{escape(check.found)}</td></tr>"
        for check in checks
    )
    fr, en = _WORDS[status]
    return _PAGE.format(fr=fr, en=en, rows=rows, prefect=escape(settings.prefect_api_url.removesuffix("/api")))


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = load_settings()
    configure_logging(settings)
    end_with_parent(arguments)
    engine = create_engine_for(settings.database_url)
    app = create_app(settings, engine, stopping=lambda: server.should_exit)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.web_host,
            port=settings.web_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
    )
    with suppress(KeyboardInterrupt):
        server.run()


if __name__ == "__main__":
    main(sys.argv[1:])
