"""A small caseload on a small pathway and a changed version of it, for the tests of changes: everybody is synthetic."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from small_pathway import SMALL
from sqlalchemy import text
from sqlmodel import Session
from synthetic_cases import START, person

from models.waves import MigrationWave
from states.advance import advance_cases
from states.change.carrying import WaveChunk, move_chunk
from states.change.mapping import NO_NAMES, Names, read_names
from states.change.shares import read_share
from states.change.sides import Change, Side, change_between, read_side
from states.change.undo import UndoChunk, undo_chunk
from states.change.waves import WaveOptions, begin_wave, migration_between, waves_of
from states.codes import case_code
from states.moves import Actor, Move, OutcomeKind
from states.pathways.compiler import compile_pathway
from states.pathways.loader import content_hash, read_file
from states.pathways.shelf import publish
from states.registration import register_cases

DAY = timedelta(days=1)
NOW = START + 6 * DAY
WORKER, CHIEF = Actor("worker"), Actor("chief")
RENAMED = "helped=assisted"

OLD = SMALL.replace("      - plan_approved\n", "      - note_given\n")
NEW = (
    OLD.replace("version: 1", "version: 2")
    .replace("helped", "assisted")
    .replace("title: {fr: Aide, en: Help}", "title: {fr: Appui, en: Support}")
    # Help is to be given sooner, greeting is somebody else's, an answer is not waited for any more.
    .replace("due: P10D", "due: P8D")
    .replace("    role: worker\n    state: waiting\n    due: P3D", "    role: chief\n    state: waiting\n    due: P5D")
    .replace("      set: [answered]\n", "")
    .replace(SMALL[SMALL.index("  answered:") : SMALL.index("timers:")], "")
    # Whoever waits is seen within two days; nobody has to say why anybody is helped.
    .replace("      set: [absent]", "      set: [absent, seen]")
    .replace(
        "deadlines:\n  help_given",
        "deadlines:\n  seen:\n    title: {fr: Vu, en: Seen}\n    owner: worker\n    state: waiting\n    due: P2D\n"
        "    ladder: [{after: P1D, role: chief}]\n  help_given",
    )
    .replace("      - note_given\n", "      - {guard: priority_in, with: {priorities: [normal, urgent]}}\n")
)
"""A state renamed, a time shortened, a role and a condition changed, a clock dropped and one added."""


def newer(*edits: tuple[str, str], of: str = OLD) -> str:
    """The next version of a text, with these replacements and another title."""
    text_ = of.replace("version: 1", "version: 2").replace("Petit parcours", "Autre parcours")
    for before, after in edits:
        assert before in text_, before
        text_ = text_.replace(before, after)
    return text_


def side_of(text_: str) -> Side:
    """A side that is not published."""
    file, source = read_file(text_, "test")
    return Side(None, compile_pathway(file, content_hash(source.value)), file)


def change_of(old: str, new: str, *pairs: str, keep_deadlines: bool = False) -> Change:
    """The change between two texts."""
    before, after = side_of(old), side_of(new)
    return change_between(
        before, after, read_names(pairs, before.pathway, after.pathway), keep_deadlines=keep_deadlines
    )


def options(names: Names, *, size: str = "100%", refused: str = "0", breaches: str = "100%") -> WaveOptions:
    return WaveOptions(read_share(size), names, False, read_share(refused), read_share(breaches))


@dataclass
class Changing:
    """Cases on the old version, and the new one published beside it."""

    session: Session
    old: Side
    new: Side
    _random: random.Random = field(default_factory=lambda: random.Random(1))
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def change(self, *pairs: str, keep_deadlines: bool = False) -> Change:
        names = read_names(pairs, self.old.pathway, self.new.pathway) if pairs else NO_NAMES
        return change_between(self.old, self.new, names, keep_deadlines=keep_deadlines)

    def register(self, number: int, now: datetime = START) -> list[int]:
        made = register_cases(
            self.session,
            [person(next(self._numbers)) for _ in range(number)],
            pathway_version_id=self.old.id or 0,
            now=now,
            actor=WORKER,
            correlation_id="test",
            new_code=lambda: case_code(self._random.randbytes),
        )
        return [each.case_id for each in made]

    def advance(self, ids: Sequence[int], trigger: str, now: datetime, actor: Actor = WORKER, **parts: Any) -> None:
        moves = [Move(id_, trigger, actor, f"test-{next(self._numbers)}", "test", **parts) for id_ in ids]
        outcomes = advance_cases(self.session, moves, now=now)
        assert {outcome.kind for outcome in outcomes} <= {OutcomeKind.MOVED}

    def spread_out(self, number: int) -> list[int]:
        """So many cases: in turn waiting, helped, helped and noted, on hold out of help; the last one is closed."""
        ids = self.register(number)
        self.advance([id_ for place, id_ in enumerate(ids) if place % 4], "help", START + DAY, note="oui")
        noted = [id_ for place, id_ in enumerate(ids) if place % 4 == 2]
        self.advance(noted, "note", START + 2 * DAY, data={"week": 1})
        held = [id_ for place, id_ in enumerate(ids) if place % 4 == 3]
        self.advance(held, "pause", START + 3 * DAY)
        closed = self.register(1)
        self.advance(closed, "end", START + 3 * DAY, CHIEF, reason="done")
        return [*ids, *closed]

    def run_wave(self, change: Change, how: WaveOptions, *, now: datetime = NOW, limit: int = 3) -> list[WaveChunk]:
        """The next wave, chunk by chunk, until it is done or stopped."""
        wave = begin_wave(self.session, change.way, how, CHIEF, now)
        assert wave is not None
        chunks = []
        while wave.status == "running":
            chunks.append(
                move_chunk(self.session, change.way, wave, CHIEF, correlation_id="wave", now=now, limit=limit)
            )
        return chunks

    def undo_wave(self, change: Change, number: int, *, now: datetime = NOW, limit: int = 3) -> list[UndoChunk]:
        """The wave taken back, chunk by chunk."""
        migration = migration_between(self.session, change.way.old_id, change.way.new_id)
        assert migration is not None
        wave = self.wave(change, number)
        chunks = []
        while wave.status != "undone":
            chunks.append(
                undo_chunk(
                    *(self.session, migration, wave, change.old.pathway, CHIEF),
                    correlation_id="undo",
                    now=now,
                    limit=limit,
                )
            )
        return chunks

    def wave(self, change: Change, number: int) -> MigrationWave:
        migration = migration_between(self.session, change.way.old_id, change.way.new_id)
        assert migration is not None
        return waves_of(self.session, migration)[number - 1]


def changing(session: Session, new: str = NEW, *, old: str = OLD) -> Changing:
    """No case yet, both versions published."""
    publish(session, old, START)
    publish(session, new, START)
    return Changing(session, read_side(session, "small@1", "small"), read_side(session, "2", "small"))


_COUNTED = ("version", "journal_head", "events")


def fingerprint(session: Session, seqs: dict[int, int] | None = None) -> dict[str, list[Any]]:
    """Every case with its tasks and clocks, without what counts its journal and its events. `seqs` gives the version of
    each case at an earlier time: tasks and clocks that came later must be over, and are left out."""
    found: dict[str, list[Any]] = {}
    for table in ("case", "task", "deadline"):
        found[table] = []
        for row in session.execute(text(f'SELECT * FROM "{table}" ORDER BY id')).mappings():
            if seqs is not None and table != "case" and row["seq"] > seqs[row["case_id"]]:
                assert row["status"] == "cancelled"
            else:
                found[table].append({name: value for name, value in row.items() if name not in _COUNTED})
    return found


def versions(session: Session) -> dict[int, int]:
    """The version of each case."""
    return {id_: version for id_, version in session.execute(text('SELECT id, version FROM "case"'))}  # noqa: C416
