"""Published pathways never change: the same content is one row, other content under the same version is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from small_pathway import SMALL
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from models.case import PathwayVersion
from models.database import read_session, write_session
from models.errors import WrongUse
from states.pathways import shelf
from states.pathways.loader import PathwayError, load_pathway
from states.pathways.shelf import current_version, newest_besides, pathways_of, publish

NOW = datetime(2024, 1, 2, 9, tzinfo=UTC)
LATER = datetime(2024, 6, 1, 9, tzinfo=UTC)


def second_version() -> str:
    return SMALL.replace("version: 1", "version: 2").replace("due: P60D", "due: P90D")


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has not compiled anything yet."""
    monkeypatch.setattr(shelf, "_COMPILED", {})


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def test_publishing_the_same_content_again_gives_the_same_row(session: Session) -> None:
    first = publish(session, SMALL, NOW)
    again = publish(session, "# A comment is no change\n" + SMALL, LATER)
    assert again.id == first.id
    assert again.published_at == NOW
    assert again.body == SMALL
    assert len(session.exec(select(PathwayVersion)).all()) == 1


def test_other_content_under_a_published_version_is_refused(session: Session) -> None:
    publish(session, SMALL, NOW)
    with pytest.raises(WrongUse, match="published with other content") as refused:
        publish(session, SMALL.replace("due: P60D", "due: P61D"), LATER)
    assert "raise the version number" in refused.value.remedy
    assert "augmentez" in refused.value.remedy_fr


def test_a_file_with_faults_is_not_published(session: Session) -> None:
    with pytest.raises(PathwayError):
        publish(session, SMALL.replace("due: P60D", "due: soon"), NOW)
    assert session.exec(select(PathwayVersion)).all() == []


def test_a_pathway_that_cannot_be_meant_is_not_published_but_goes_on_if_it_is(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    guards = "- {guard: reason_in, with: {reasons: [ill]}}\n      - {guard: reason_in, with: {reasons: [done, absent]}}"
    text = SMALL.replace("- {guard: reason_in, with: {reasons: [done, absent]}}", guards)
    with pytest.raises(PathwayError, match=r"new\.yaml:\d+: 'end' is never possible"):
        publish(session, text, NOW, name="new.yaml")
    with monkeypatch.context() as before:  # it was published when nothing looked at guards together
        before.setattr(shelf, "meaning_problems", lambda *_: [])
        row = publish(session, text, NOW)
    assert publish(session, text, LATER).id == row.id


def test_the_newest_version_is_the_current_one(session: Session) -> None:
    with pytest.raises(WrongUse, match="No version of the pathway 'small' is published"):
        current_version(session, "small")
    second = publish(session, second_version(), NOW)
    publish(session, SMALL, LATER)
    assert current_version(session, "small").id == second.id


def test_pathways_are_read_in_one_statement_and_compiled_once(engine: Engine, forgetful: None) -> None:
    with write_session(engine) as session:
        ids = [int(publish(session, text, NOW).id or 0) for text in (SMALL, second_version())]
        session.commit()
    shelf._COMPILED.clear()
    with read_session(engine) as session:
        with statements(session) as cold:
            first = pathways_of(session, ids)
        with statements(session) as warm:
            second = pathways_of(session, [*ids, ids[0]])
    assert len([each for each in cold if "pathway_version" in each]) == 1
    assert len([each for each in warm if "pathway_version" in each]) == 1
    assert [pathway.version for pathway in first.values()] == [1, 2]
    assert all(first[id_] is second[id_] for id_ in ids)


def test_an_id_that_is_not_there_is_named(session: Session) -> None:
    found = publish(session, SMALL, NOW)
    assert pathways_of(session, []) == {}
    with pytest.raises(WrongUse, match="published under: 4711, 4712"):
        pathways_of(session, [int(found.id or 0), 4712, 4711])


def test_publishing_at_the_same_moment_makes_one_row(engine: Engine) -> None:
    start = Barrier(4)
    ids: list[int | None] = []

    def work() -> None:
        start.wait(timeout=30)
        with write_session(engine) as session:
            row = publish(session, SMALL, NOW)
            session.commit()
            ids.append(row.id)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(ids) == 4
    assert len(set(ids)) == 1
    with read_session(engine) as session:
        assert len(session.exec(select(col(PathwayVersion.id))).all()) == 1


def test_the_newest_version_besides_one_is_found_or_refused(session: Session) -> None:
    first, second = load_pathway(SMALL, "small"), load_pathway(second_version(), "small")
    publish(session, SMALL, NOW)
    assert newest_besides(session, second).version == 1
    with pytest.raises(WrongUse, match="No other version"):
        newest_besides(session, first)
    publish(session, second_version(), LATER)
    assert newest_besides(session, first).version == 2
    assert newest_besides(session, second).version == 1
