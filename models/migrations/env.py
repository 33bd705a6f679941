"""Run by Alembic for each upgrade (through `models.migrate`) and for `alembic revision --autogenerate`."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlmodel import SQLModel

import models  # noqa: F401  (registers the tables)
from models.database import create_engine_for
from models.settings import load_settings
from models.types import BigId, Json, UtcDateTime


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our column types with the names that `script.py.mako` gives them, so that a revision stays as it was."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "MOMENT"
    if item is BigId or repr(item) == repr(BigId):
        return "KEY"
    if item is Json or repr(item) == repr(Json):
        return "DOCUMENT"
    return "sa.String()" if type(item).__name__ == "AutoString" else False


def run(connection: Connection) -> None:
    """Bring this connection's database to the revision asked for, inside the transaction that it is in."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = create_engine_for(load_settings().database_url)
    with engine.begin() as own:
        run(own)
