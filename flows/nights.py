"""The nightly run: catches up every night since the last one, each once, chunk by chunk, with a receipt of its own.

`flows.nightly` and `segin nightly` call `run_nights`. It needs no Prefect, survives being killed anywhere, and changes
nothing for a night that is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select
from sqlmodel import Session, col

from flows.hand_over import hand_over_counts
from flows.liveness import take_lease
from flows.night_receipts import NightReceipt, NightsReport, Progress
from flows.night_steps import STEPS, Night, NightOptions
from flows.night_watch import last_done_night, night_instant
from models.backup import back_up, rotate
from models.database import write_session
from models.errors import LockedByAnotherRun, WrongUse
from models.runs import NightlyRun
from models.tally import tally
from states import leases
from states.anchors import RECEIPT_KEY, anchor_journal, last_anchor

LEASE: Final = "nightly"
TTL: Final = timedelta(minutes=5)
"""How long a run that stopped without a trace, on another machine, holds the next one up."""

Sessions = Callable[[], Session]


def run_nights(
    engine: Engine,
    as_of: date,
    *,
    clock: Callable[[], datetime],
    tz: ZoneInfo,
    hour: int = 2,
    options: NightOptions | None = None,
    flow_run_id: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    dry_run: bool = False,
) -> NightsReport:
    """Run the night of `as_of` after all those since the last one that is done; the first ever runs alone.

    Everything is written with the business time of its night. A night that is done, or lies before one that is, is
    already done. A night that was killed goes on where it stopped. `clock` is read for leases and for when the run
    started and finished. A `dry_run` does the same in a transaction that is rolled back, hands nothing over to partners
    and makes no backup; on SQLite nobody else can write meanwhile.

    Raises LockedByAnotherRun while another run is at work, LeaseLost when another one took over because this one had
    stopped for too long (nothing is changed after that), WrongUse for a date to come, and BackupFailed, after which
    the run can be repeated.
    """
    if as_of > clock().astimezone(tz).date() and not dry_run:
        raise WrongUse(
            f"The night of {as_of} is still to come.",
            f"La nuit du {as_of} est encore à venir.",
            remedy="Give today's date or an earlier one, or use --dry-run.",
            remedy_fr="Indiquez la date du jour ou une date passée, ou utilisez --dry-run.",
        )
    options = options or NightOptions()

    def night(day: date) -> Night:
        return Night(day, night_instant(day, tz, hour), options, clock, flow_run_id)

    with _rehearsal(engine) if dry_run else _for_good(engine) as sessions:
        if _is_done(sessions, as_of):
            return NightsReport(as_of, (), already_done=True, dry_run=dry_run)
        token = _take_lease(sessions, clock)
        try:
            days = _missed_nights(sessions, as_of)
            receipts = []
            for place, day in enumerate(days, start=1):
                runner = _Runner(sessions, night(day), day, token, (place, len(days)), on_progress)
                runner.run_steps()
                if day == as_of and not dry_run:
                    runner.hand_over(engine)
                    _back_up(engine, options, day)
                receipts.append(runner.finish(anchored=not dry_run))
        finally:
            _give_back(sessions, token)
    return NightsReport(as_of, tuple(receipts), already_done=not receipts, dry_run=dry_run)


class _Runner:
    """One night, from its first chunk to its receipt. Every transaction renews the lease before it changes anything."""

    def __init__(
        self,
        sessions: Sessions,
        night: Night,
        as_of: date,
        token: int,
        place: tuple[int, int],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._sessions = sessions
        self._night = night
        self._as_of = as_of
        self._token = token
        self._place = place
        self._on_progress = on_progress

    def run_steps(self) -> None:
        """Do what is left to do, and commit each chunk together with the night's progress."""
        more = True
        while more:
            with self._transaction() as (session, row):
                more = self._do_chunk(session, row)
            if self._on_progress is not None:
                step = next((name for name in STEPS if name not in row.done_steps), "receipt")
                changed = sum(row.changes.values())
                self._on_progress(Progress(self._as_of, *self._place, step, len(row.done_steps), len(STEPS), changed))

    def hand_over(self, engine: Engine) -> None:
        """Messages and files for partners, with all that the night has brought about. It has transactions of its own:
        none is open while a server is asked. What fails stays for the next night; if this one is killed and taken up
        again, so does what it did, and only the count of it is lost."""
        ways = self._night.options.ways
        for counts in () if ways is None else hand_over_counts(engine, ways, clock=self._night.clock):
            with self._transaction() as (_, row):
                row.changes = _added(row.changes, counts)

    def finish(self, *, anchored: bool) -> NightReceipt:
        """Close the night with its receipt."""
        with self._transaction() as (session, row):
            row.after = tally(session)
            anchor = anchor_journal(session, last_anchor(session, self._as_of)) if anchored else None
            if anchor is not None:
                row.after = row.after | {RECEIPT_KEY: anchor._asdict()}
            row.status, row.finished_at = "done", self._night.clock()
        return NightReceipt(self._as_of, row.before, row.changes, row.after)

    def _do_chunk(self, session: Session, row: NightlyRun) -> bool:
        """Do steps until one has had something to do; whether there may be more to do."""
        for name, step in STEPS.items():
            if name in row.done_steps:
                continue
            chunk = step(session, self._night)
            changes = {key: count for key, count in chunk.changes.items() if count}
            row.changes = _added(row.changes, changes)
            if not chunk.more:
                row.done_steps = [*row.done_steps, name]
            if changes or chunk.more:
                return True
        return False

    @contextmanager
    def _transaction(self) -> Iterator[tuple[Session, NightlyRun]]:
        now = self._night.clock()
        with self._sessions() as session:
            leases.renew(session, LEASE, self._token, now=now, ttl=TTL)
            row = session.scalars(select(NightlyRun).where(col(NightlyRun.as_of) == self._as_of)).one_or_none()
            if row is None:
                row = NightlyRun(as_of=self._as_of, started_at=now, before=tally(session))
                session.add(row)
            row.flow_run_id = self._night.flow_run_id
            yield session, row
            session.commit()


def _added(changes: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {**changes, **{key: changes.get(key, 0) + count for key, count in more.items() if count}}


def _take_lease(sessions: Sessions, clock: Callable[[], datetime]) -> int:
    with sessions() as session:
        token = take_lease(session, LEASE, now=clock(), ttl=TTL)
        session.commit()
    if token is None:
        raise LockedByAnotherRun(
            "Another nightly run is at work.",
            "Une autre exécution nocturne est en cours.",
            remedy="Wait for it, or try again in a few minutes: a run that was killed is taken over.",
            remedy_fr="Attendez-la, ou réessayez dans quelques minutes : une exécution interrompue est reprise.",
        )
    return token


def _give_back(sessions: Sessions, token: int) -> None:
    with sessions() as session:
        leases.release(session, LEASE, token)
        session.commit()


def _is_done(sessions: Sessions, as_of: date) -> bool:
    """Nights are done in order, so one that was left out before the last one is covered by it."""
    with sessions() as session:
        last = last_done_night(session)
    return last is not None and last >= as_of


def _missed_nights(sessions: Sessions, as_of: date) -> list[date]:
    """The nights to run, in order, with `as_of` as the last; none when somebody has just finished it."""
    with sessions() as session:
        last = last_done_night(session)
        begun = session.scalar(select(func.min(col(NightlyRun.as_of))))
    first = last + timedelta(days=1) if last is not None else min(begun or as_of, as_of)
    return [first + timedelta(days=number) for number in range((as_of - first).days + 1)]


def _back_up(engine: Engine, options: NightOptions, day: date) -> None:
    if options.backup_dir is not None:
        back_up(engine, options.backup_dir, f"segin-{day}")
        rotate(options.backup_dir, options.backups_kept)


@contextmanager
def _for_good(engine: Engine) -> Iterator[Sessions]:
    yield lambda: write_session(engine)


@contextmanager
def _rehearsal(engine: Engine) -> Iterator[Sessions]:
    """Sessions that commit into one transaction, which is rolled back at the end."""
    with engine.connect() as connection, connection.begin() as transaction:
        try:
            yield lambda: Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        finally:
            transaction.rollback()
