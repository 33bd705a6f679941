"""A database that is ready to work with: made when it is new, refused when it is old. The command line and `segin up`
begin with it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, inspect

from models.database import write_session
from models.errors import SeginError
from models.migrate import current, head, upgrade
from models.seal import Seal, load_seal
from models.settings import Settings
from states.casework.sessions import seal_old_notes
from states.pathways.loader import read_pathway
from states.pathways.shelf import publish


def make_ready(settings: Settings, engine: Engine) -> None:
    """Make a new database, with the pathway of the settings published.

    An older database is refused: a backup comes before an upgrade, and that is for a person to decide.
    """
    if current(engine) == head():
        return
    if inspect(engine).get_table_names():
        raise SeginError(
            "The database was made by another version of Segin.",
            "La base de données vient d'une autre version de Segin.",
            remedy="Save it with `segin db backup`, then run `segin db upgrade`.",
            remedy_fr="Sauvegardez-la avec `segin db backup`, puis lancez `segin db upgrade`.",
        )
    bring_up_to_date(settings, engine)


def bring_up_to_date(settings: Settings, engine: Engine) -> None:
    """Bring the schema to the newest revision, publish the pathway of the settings, and seal notes that are not yet."""
    upgrade(engine)
    published_pathway(settings, engine)
    with write_session(engine) as session:
        seal_old_notes(session, lambda: notes_seal(settings, engine))
        session.commit()


def notes_seal(settings: Settings, engine: Engine) -> Seal | None:
    """The seal on notes of the settings. With SQLite a key is made when there is none; several machines on PostgreSQL
    need the same one, which somebody has to give them."""
    return load_seal(settings.notes_key, settings.data_dir, may_make=engine.dialect.name == "sqlite")


def published_pathway(settings: Settings, engine: Engine) -> int:
    """The id of the published version of the settings' pathway, which new cases follow; published when it is new."""
    with write_session(engine) as session:
        version = publish(session, read_pathway(settings.pathway), datetime.now(UTC))
        session.commit()
        assert version.id is not None  # noqa: S101  (it was just written)
        return version.id
