"""Runs the waves of a migration, or takes one back, chunk by chunk, each with its own commit, under one lease.

`segin pathway migrate` calls it. A run that is killed is taken over by the next one, which goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session

from flows.liveness import take_lease
from models.database import write_session
from models.errors import LockedByAnotherRun, WrongUse
from models.waves import MigrationWave, PathwayMigration, WaveStatus
from states import leases
from states.change.carrying import move_chunk
from states.change.mapping import names_of
from states.change.sides import Change, change_between, published_id
from states.change.undo import undo_chunk
from states.change.waves import WaveOptions, begin_wave, migration_between, waves_of
from states.moves import Actor

LEASE: Final = "pathway-migration"
TTL: Final = timedelta(minutes=2)
CHUNK: Final = 2000


@dataclass(frozen=True)
class WaveRun:
    """What a run needs: the database, who runs it and under which correlation id, the clock, and whom to tell of each
    committed chunk."""

    engine: Engine
    actor: Actor
    correlation_id: str
    clock: Callable[[], datetime]
    on_progress: Callable[[MigrationWave], None]
    chunk: int = CHUNK


def run_waves(run: WaveRun, change: Change, options: WaveOptions, *, every: bool) -> list[MigrationWave]:
    """Finish the wave that was interrupted, if there is one; else the next wave, or `every` one while none stops.

    Gives the waves that ran, none when no case is left to move. An interrupted wave goes on as it was begun, whatever
    is asked for now. Raises LockedByAnotherRun, and WrongUse when the new version is not published.
    """
    published_id(change.new)
    ran: list[MigrationWave] = []
    with _lease(run) as token:
        while True:
            with _transaction(run, token) as session:
                wave = _interrupted(session, change) or begin_wave(session, change.way, options, run.actor, run.clock())
            if wave is None:
                return ran
            own = change_between(change.old, change.new, names_of(wave.names), keep_deadlines=wave.keep_deadlines)
            while wave.status == WaveStatus.RUNNING:
                with _transaction(run, token) as session:
                    wave = session.get_one(MigrationWave, wave.id)
                    move_chunk(
                        *(session, own.way, wave, run.actor),
                        correlation_id=run.correlation_id,
                        now=run.clock(),
                        limit=run.chunk,
                    )
                run.on_progress(wave)
            ran.append(wave)
            if not every or wave.status == WaveStatus.STOPPED:
                return ran


def run_undo(run: WaveRun, change: Change, number: int) -> MigrationWave:
    """Take the wave of this number back. Raises LockedByAnotherRun, and WrongUse when there is none or it is undone."""
    with _lease(run) as token:
        with _transaction(run, token) as session:
            migration, wave = _numbered(session, change, number)
        while wave.status != WaveStatus.UNDONE:
            with _transaction(run, token) as session:
                wave = session.get_one(MigrationWave, wave.id)
                undo_chunk(
                    *(session, migration, wave, change.old.pathway, run.actor),
                    correlation_id=run.correlation_id,
                    now=run.clock(),
                    limit=run.chunk,
                )
            run.on_progress(wave)
    return wave


def _interrupted(session: Session, change: Change) -> MigrationWave | None:
    migration = migration_between(session, change.way.old_id, change.way.new_id)
    waves = [] if migration is None else waves_of(session, migration)
    return next((wave for wave in waves if wave.status == WaveStatus.RUNNING), None)


def _numbered(session: Session, change: Change, number: int) -> tuple[PathwayMigration, MigrationWave]:
    migration = migration_between(session, change.way.old_id, change.way.new_id)
    waves = [] if migration is None else waves_of(session, migration)
    wave = next((each for each in waves if each.number == number), None)
    if migration is None or wave is None or wave.status == WaveStatus.UNDONE:
        there = ", ".join(str(each.number) for each in waves if each.status != WaveStatus.UNDONE)
        raise WrongUse(
            f"There is no wave {number} from {change.old.label} to {change.new.label} to take back.",
            f"Il n'y a pas de vague {number} de {change.old.label} à {change.new.label} à défaire.",
            remedy=f"Waves that can be taken back: {there or 'none'}.",
            remedy_fr=f"Vagues qui peuvent l'être : {there or 'aucune'}.",
        )
    return migration, wave


@contextmanager
def _transaction(run: WaveRun, token: int) -> Iterator[Session]:
    with write_session(run.engine) as session:
        leases.renew(session, LEASE, token, now=run.clock(), ttl=TTL)
        yield session
        session.commit()


@contextmanager
def _lease(run: WaveRun) -> Iterator[int]:
    with write_session(run.engine) as session:
        token = take_lease(session, LEASE, now=run.clock(), ttl=TTL)
        session.commit()
    if token is None:
        raise LockedByAnotherRun(
            "Another run is moving cases to another version of their pathway.",
            "Une autre exécution déplace des dossiers vers une autre version de leur parcours.",
            remedy="Wait for it, or try again in a few minutes: a run that was killed is taken over.",
            remedy_fr="Attendez-la, ou réessayez dans quelques minutes : une exécution interrompue est reprise.",
        )
    try:
        yield token
    finally:
        with write_session(run.engine) as session:
            leases.release(session, LEASE, token)
            session.commit()
