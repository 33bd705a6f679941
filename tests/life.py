"""A programme's life for the stories: a caseload with one person for each role, a clock, and nights that are run.

Everything goes through the real functions of staff and the real steps of the night. All people are synthetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

from sqlmodel import Session, SQLModel, col, select
from synthetic_cases import START, Caseload, open_caseload, person

from flows.night_steps import STEPS, Night, NightOptions
from models import Deadline, Event, JournalRow, Notice, Staff, Task
from states.gather import load_cases
from states.moves import SYSTEM, Outcome, OutcomeKind

NIGHT = time(2)


@dataclass
class Life:
    """One programme from `now` on. Time passes only in `wait`, with every night that lies between."""

    caseload: Caseload
    now: datetime = START
    _commands: count[int] = field(default_factory=lambda: count(1))

    @property
    def session(self) -> Session:
        return self.caseload.session

    def arrives(self, number: int = 1, **said: Any) -> int:
        """Somebody is registered today with what the manifest says of them; the id of their case."""
        (made,) = self.caseload.register(person(number, **{"arrival_date": self.now.date(), **said}), now=self.now)
        return made.case_id

    def signed(self, case_id: int, role: str) -> dict[str, Any]:
        """What every act of staff carries: case, actor, command id, correlation id."""
        actor = SYSTEM if role == "system" else self.caseload.staff[role]
        command = f"life-{next(self._commands)}"
        return {"case_id": case_id, "actor": actor, "command_id": command, "correlation_id": "life"}

    def does(self, case_id: int, trigger: str, role: str, **parts: Any) -> Outcome:
        """Somebody moves the case, and it moves."""
        return moved(self.tries(case_id, trigger, role, **parts))

    def tries(self, case_id: int, trigger: str, role: str, **parts: Any) -> Outcome:
        """Somebody asks for a move, whatever comes of it."""
        return self.caseload.advance(case_id, trigger, role=role, now=self.now, **parts)

    def wait(self, **span: float) -> None:
        """Time passes (`hours=`, `days=`); each night on the way is run at its hour."""
        until = self.now + timedelta(**span)
        night = datetime.combine(self.now.date(), NIGHT, UTC)
        while night <= until:
            if night > self.now:
                self.now = night
                self._run(*STEPS)
            night += timedelta(days=1)
        self.now = until

    def office_works(self) -> None:
        """What moves left behind is carried out: tasks get their people, reminders are armed, partners' deliveries are
        made. Deadlines watched all day are looked at."""
        self._run("dispatch", "deadlines")

    def tasks(self, case_id: int) -> dict[str, str | None]:
        """The open tasks of the case, and who has each (a login; none: nobody yet)."""
        self.session.expire_all()
        query = (
            select(Task.key, Staff.login)
            .join(Staff, col(Staff.id) == col(Task.staff_id), isouter=True)
            .where(Task.case_id == case_id, Task.status == "open")
        )
        return dict(self.session.exec(query).all())

    def clocks(self, case_id: int) -> dict[str, datetime]:
        """The clocks of the case that run, and when each is due."""
        return {each.key: each.due_at for each in self.rows(Deadline, case_id) if each.status == "open"}

    def triggers(self, case_id: int) -> list[str]:
        """What happened to the case, in order."""
        return [row.trigger for row in self.rows(JournalRow, case_id)]

    def events(self, case_id: int) -> list[Event]:
        """What partners can learn of the case, in order."""
        return self.rows(Event, case_id)

    def told(self, case_id: int) -> set[tuple[str, str]]:
        """Who was told what about the case so far: kind of notice and role."""
        return {(str(each.kind), each.role) for each in self.rows(Notice, case_id) if each.sent_at is not None}

    def rows(self, table: type[SQLModel], case_id: int) -> list[Any]:
        """The rows that the case has in a table, the oldest first, as they stand in the database."""
        query = select(table).where(col(table.case_id) == case_id).order_by(col(table.id))  # type: ignore[attr-defined]
        return list(self.session.exec(query.execution_options(populate_existing=True)))

    def state(self, case_id: int) -> str:
        """Where the case is."""
        return load_cases(self.session, [case_id])[case_id].state

    def priority(self, case_id: int) -> str:
        """How pressing the case is."""
        return load_cases(self.session, [case_id])[case_id].priority

    def _run(self, *steps: str) -> None:
        """Steps of the night, each until nothing is left."""
        night = Night(self.now.date(), self.now, NightOptions(), lambda: self.now, None)
        for name in steps:
            while STEPS[name](self.session, night).more:
                pass


def moved(outcome: Outcome) -> Outcome:
    """The outcome, which must be that the case moved."""
    assert outcome.kind is OutcomeKind.MOVED, [reason.code for reason in outcome.reasons]
    return outcome


def all_moved(outcomes: Sequence[Outcome]) -> None:
    """Every one of them moved."""
    for outcome in outcomes:
        moved(outcome)


def begin(session: Session) -> Life:
    """A programme on its first day."""
    return Life(open_caseload(session))
