"""A case and its parts as documents for `--json`, and laid out for a person. Used by the case and task commands."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from deployments.cli.output import Output
from models import Case, Task
from models.caseload import CaseFile
from states.pathway import Pathway


def case_summary(case: Case) -> dict[str, Any]:
    """What a list shows of a case: nothing that names a person."""
    return {
        "code": case.code,
        "state": case.state,
        "since": case.entered_state_at,
        "arrival_date": case.arrival_date,
        "region": case.region_pcode,
        "priority": case.priority,
        "version": case.version,
    }


def task_document(task: Task) -> dict[str, Any]:
    """One task."""
    names = ("id", "key", "state", "role", "priority", "status", "opened_at", "due_at", "closed_at")
    return {name: getattr(task, name) for name in names}


def case_document(file: CaseFile) -> dict[str, Any]:
    """One case in full, the person included."""
    case, person = file.case, file.returnee
    deadline_names = ("key", "kind", "state", "status", "due_at", "first_due_at", "level", "overdue_at", "closed_at")
    journal_names = (
        "seq",
        "at",
        "trigger",
        "from_state",
        "to_state",
        "role",
        "actor_id",
        "reason",
        "note",
        "data",
        "hash",
    )
    return case_summary(case) | {
        "previous_state": case.previous_state,
        "held_at": case.held_at,
        "closed_at": case.closed_at,
        "closure_reason": case.closure_reason,
        "office": None if file.office is None else file.office.code,
        "departure_country": case.departure_country,
        "returnee": {
            "reference": person.reference,
            "family_name": person.family_name,
            "given_names": person.given_names,
            "sex": person.sex,
            "birth_date": person.birth_date,
            "phone": person.phone,
        },
        "journal": [{name: getattr(row, name) for name in journal_names} for row in file.journal],
        "tasks": [task_document(task) for task in file.tasks],
        "deadlines": [{name: getattr(one, name) for name in deadline_names} for one in file.deadlines],
    }


def case_blocks(out: Output, file: CaseFile, pathway: Pathway) -> list[RenderableType]:
    """The same for a person to read: a heading, the journal, the tasks and the deadlines."""
    case, person = file.case, file.returnee
    state = pathway.states[case.state].title
    name = f"{person.family_name} {person.given_names} · {person.sex} · {person.birth_date or '–'}"
    return [
        Text(f"{case.code} · {out.say(state.fr, state.en)} · {out.when(case.entered_state_at)}", style="bold"),
        Text(name),
        out.table(
            [("N°", "No"), ("Quand", "When"), ("Action", "Move"), ("De", "From"), ("Vers", "To"), ("Rôle", "Role")],
            ([r.seq, out.when(r.at), r.trigger, r.from_state, r.to_state, r.role] for r in file.journal),
            title=out.say("\nJournal", "\nJournal"),
        ),
        out.table(
            [("Tâche", "Task"), ("Statut", "Status"), ("Échéance", "Due"), ("Rôle", "Role")],
            ([t.key, t.status, out.when(t.due_at), t.role] for t in file.tasks),
            title=out.say("\nTâches", "\nTasks"),
        ),
        out.table(
            [("Délai", "Deadline"), ("Statut", "Status"), ("Échéance", "Due"), ("Escalades", "Escalations")],
            ([d.key, d.status, out.when(d.due_at), d.level] for d in file.deadlines if d.kind == "deadline"),
            title=out.say("\nDélais", "\nDeadlines"),
        ),
    ]
