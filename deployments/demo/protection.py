"""Simulated acts for the vulnerable: what was found is seen to, children who came alone get somebody who answers for
them, and screening is concluded. Each on all of the day's cases at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import col

from deployments.demo.diary import Todo
from deployments.demo.work import Work
from models import Guardian, Vulnerability
from states.casework.guardians import GuardianRecorded, GuardianStep, record_guardians, verify_guardians
from states.casework.vulnerabilities import VulnerabilityStep, address_vulnerabilities, resolve_vulnerabilities
from states.record_words import GUARDIAN_WORDS


def conclude(work: Work, todos: Sequence[Todo]) -> None:
    """The case goes on to its plan, or it is looked at again: an instrument may be missing, or a guardian."""
    moved = {todo.case_id for todo in work.fire(todos, "begin_planning")}
    work.try_again(todo for todo in todos if todo.case_id not in moved)


def see_to(work: Work, todos: Sequence[Todo]) -> None:
    """Everything that was identified in the case is seen to at once; some of it is over after a while."""
    steps = _steps(work, todos, "identified")
    address_vulnerabilities(work.session, steps, now=work.now)
    for todo in todos:
        if work.happens("vulnerability_ends", todo):
            work.later("resolve_vulnerability", todo)


def resolve(work: Work, todos: Sequence[Todo]) -> None:
    """What was seen to presses no more."""
    resolve_vulnerabilities(work.session, _steps(work, todos, "addressed"), now=work.now)


def find_guardian(work: Work, todos: Sequence[Todo]) -> None:
    """Somebody answers for the child from now on."""
    recorded = [
        GuardianRecorded(
            **work.signed(todo),
            code=work.new_code(),
            relation=work.luck.pick(tuple(GUARDIAN_WORDS), "relation", todo.case_id),
            name=f"Tuteur fictif {todo.case_id}",
        )
        for todo in todos
    ]
    work.moved(todos, record_guardians(work.session, recorded, now=work.now))


def verify_guardian(work: Work, todos: Sequence[Todo]) -> None:
    """Somebody makes sure that it is so."""
    query = select(col(Guardian.case_id), col(Guardian.code)).where(
        col(Guardian.case_id).in_([todo.case_id for todo in todos]), col(Guardian.status) == "recorded"
    )
    codes = dict(work.session.execute(query).tuples().all())
    there = [todo for todo in todos if todo.case_id in codes]
    steps = [GuardianStep(**work.signed(todo), guardian=codes[todo.case_id]) for todo in there]
    work.moved(there, verify_guardians(work.session, steps, now=work.now))


def _steps(work: Work, todos: Sequence[Todo], status: str) -> list[VulnerabilityStep]:
    """One step for each vulnerability of the cases that is in this state, by whoever has the case's todo."""
    query = select(col(Vulnerability.case_id), col(Vulnerability.code)).where(
        col(Vulnerability.case_id).in_([todo.case_id for todo in todos]), col(Vulnerability.status) == status
    )
    codes: dict[int, list[str]] = defaultdict(list)
    for case_id, code in work.session.execute(query.order_by(col(Vulnerability.id))).tuples():
        codes[case_id].append(code)
    return [
        VulnerabilityStep(**work.signed(todo), vulnerability=code) for todo in todos for code in codes[todo.case_id]
    ]
