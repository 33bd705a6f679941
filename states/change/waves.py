"""The waves in which cases move to another version of their pathway: how one is to go, and which cases it takes.

A wave names its cases before `states.change.carrying` moves the first. The command line begins waves.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from models.case import Case
from models.waves import MigrationWave, PathwayMigration, WaveCase, WaveOutcome
from states.bulk import insert_into
from states.change.caseload import count_open, open_states
from states.change.mapping import Names, names_of
from states.change.passage import Passage
from states.change.shares import Share
from states.moves import Actor
from states.pathway import Pathway

_NAME_CASES = insert_into("wave_case", "wave_id", "case_id", "outcome", "breaches", "before")


class WaveOptions(NamedTuple):
    """How a wave is to go: how many cases, by which names, whether running clocks keep their due times, and how many of
    its cases may be refused, or have a clock run out by the move, before it stops."""

    size: Share
    names: Names
    keep_deadlines: bool
    max_refused: Share
    max_breaches: Share


def migration_between(session: Session, old_id: int, new_id: int) -> PathwayMigration | None:
    """The migration from one version to the other, if there ever was one."""
    query = select(PathwayMigration).where(
        PathwayMigration.old_version_id == old_id, PathwayMigration.new_version_id == new_id
    )
    return session.exec(query).first()


def waves_of(session: Session, migration: PathwayMigration) -> list[MigrationWave]:
    """Its waves, in order."""
    query = select(MigrationWave).where(MigrationWave.migration_id == migration.id)
    return list(session.exec(query.order_by(col(MigrationWave.number))))


def next_cases(
    session: Session, old_id: int, old: Pathway, migration: PathwayMigration | None, names: Names
) -> list[int]:
    """The ids of the cases that the next waves take, in the order in which they take them.

    Open cases of the old version, in an order that has nothing to do with their office, age or state but is the same
    whenever it is asked for. A case that was refused under the same names is not asked again.
    """
    refused: set[int] = set()
    if migration is not None:
        for wave in waves_of(session, migration):
            if names_of(wave.names) == names:
                refused |= set(session.exec(with_outcome(wave, WaveOutcome.REFUSED)))
    query = select(Case.id, Case.code).where(Case.pathway_version_id == old_id, col(Case.state).in_(open_states(old)))
    found = [(_spread(code), id_) for id_, code in session.exec(query) if id_ is not None and id_ not in refused]
    return [id_ for _, id_ in sorted(found)]


def taken_next(session: Session, way: Passage, migration: PathwayMigration | None, options: WaveOptions) -> list[int]:
    """The ids of the cases that the next wave takes. Its size is a part of the cases that were open on the old version
    when the migration began (none: that are open now)."""
    ids = next_cases(session, way.old_id, way.old, migration, options.names)
    cases = migration.cases if migration else _open_cases(session, way)
    return ids[: max(1, options.size.of(cases))]


def begin_wave(
    session: Session, way: Passage, options: WaveOptions, actor: Actor, now: datetime
) -> MigrationWave | None:
    """The next wave, its cases named; none: no case is left to take."""
    migration = migration_between(session, way.old_id, way.new_id)
    taken = taken_next(session, way, migration, options)
    if not taken:
        return None
    if migration is None:
        cases = _open_cases(session, way)
        migration = PathwayMigration(old_version_id=way.old_id, new_version_id=way.new_id, cases=cases, started_at=now)
        session.add(migration)
        session.flush()
    waves = waves_of(session, migration)
    wave = MigrationWave(
        migration_id=migration.id or 0,
        number=waves[-1].number + 1 if waves else 1,
        names=options.names.as_pairs(),
        keep_deadlines=options.keep_deadlines,
        max_refused=str(options.max_refused),
        max_breaches=str(options.max_breaches),
        cases=len(taken),
        started_by=actor.id,
        started_at=now,
    )
    session.add(wave)
    session.flush()
    _NAME_CASES.execute(session, [(wave.id, id_, WaveOutcome.WAITING, 0, {}) for id_ in taken])
    return wave


def with_outcome(wave: MigrationWave, outcome: WaveOutcome) -> SelectOfScalar[int]:
    """The ids of the cases of the wave that have this outcome."""
    return select(WaveCase.case_id).where(WaveCase.wave_id == wave.id, WaveCase.outcome == outcome)


def _open_cases(session: Session, way: Passage) -> int:
    return sum(count_open(session, way.old_id, way.old).values())


def _spread(code: str) -> bytes:
    return blake2b(code.encode(), digest_size=8).digest()
