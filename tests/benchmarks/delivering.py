"""What the benchmarks of deliveries share: an endpoint that takes everything, databases to copy, and the clock."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from edges.receivers import sink
from postgres_cluster import postgres_cluster
from sqlalchemy import make_url
from sqlmodel import SQLModel

from models.database import create_engine_for


@contextlib.contextmanager
def sink_process() -> Iterator[str]:
    """URL of an endpoint in a process of its own that answers 204 to everything, whatever follows in the path."""
    process = subprocess.Popen(
        [sys.executable, str(sink.__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/events"  # type: ignore[union-attr]
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        process.wait(10)


@contextlib.contextmanager
def databases(name: str) -> Iterator[Callable[[str | None], str]]:
    """Makes databases, "sqlite" or "postgres", with all tables or like the one whose URL is given; gives their URLs,
    and removes them at the end."""
    numbers = count()
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:

            def sqlite(like: str | None) -> str:
                file = f"{folder}/{next(numbers)}.db"
                if like is not None:
                    shutil.copy(like.removeprefix("sqlite:///"), file)
                return f"sqlite:///{file}" if like else make_tables(f"sqlite:///{file}")

            yield sqlite
    else:
        with postgres_cluster() as cluster:

            def postgres(like: str | None) -> str:
                if like is None:
                    return make_tables(cluster.fresh_database("template0"))
                return cluster.fresh_database(str(make_url(like).database))

            yield postgres


def make_tables(url: str) -> str:
    """The URL, once its database has all tables."""
    engine = create_engine_for(url)
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    return url


def now() -> datetime:
    return datetime.now(UTC)
