"""One transaction a move through Django's ORM with `django-fsm-2`, written as well as one writes such a loop.

The models map the tables that are there. Durability is that of `models.database`: on SQLite the same pragmas and
`BEGIN IMMEDIATE`, on PostgreSQL the server's. Guards are conditions that ask the database; updates touch only the
columns that change; new rows of a kind go in together. What a move writes is given, hashes and due times included.
"""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.db import connections, models, transaction
from written import CASE_COLUMNS, DEADLINE_COLUMNS, DEADLINE_END, EVENT_COLUMNS, TASK_COLUMNS, TASK_END, MoveRows

from models.database import WAL_SAFE_SINCE
from models.types import utc_text
from states.chain import JOURNAL_COLUMNS

settings.configure(USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
django.setup()

from django_fsm import FSMField  # noqa: E402  (needs the settings)
from django_fsm import transition as fsm_transition  # noqa: E402

NUMBERS = {"seq", "version", "events", "sequence", "level", "closed_seq", "case_id", "actor_id", "done_by"} | {
    *("office_id", "pathway_version_id"),
}


class Instant(models.Field):  # type: ignore[type-arg]
    """A time as `models.types.UtcDateTime` keeps it."""

    def get_internal_type(self) -> str:
        return "DateTimeField"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: ARG002
        return utc_text(value) if connection.vendor == "sqlite" and value is not None else value

    def get_db_converters(self, _connection: Any) -> list[Any]:
        """Django would read its own form on SQLite; these loops read no times."""
        return []


def _table(name: str, table: str, columns: tuple[str, ...], **fields: Any) -> Any:
    """A model of these columns of a table that is there."""
    body: dict[str, Any] = {"id": models.BigAutoField(primary_key=True), "__module__": __name__}
    for column in columns:
        if column == "at" or column.endswith("_at"):
            body[column] = Instant(null=True)
        elif column in NUMBERS:
            body[column] = models.BigIntegerField(null=True)
        else:
            body[column] = models.JSONField() if column == "data" else models.TextField(null=True)
    body["Meta"] = type("Meta", (), {"managed": False, "app_label": "benchmark", "db_table": table})
    return type(name, (models.Model,), body | fields)


Journal = _table("Journal", "journal", JOURNAL_COLUMNS)
Task = _table("Task", "task", (*TASK_COLUMNS, *TASK_END[1:]))
Deadline = _table("Deadline", "deadline", (*DEADLINE_COLUMNS, *DEADLINE_END[1:]))
Event = _table("Event", "event", EVENT_COLUMNS)
Consent = _table("Consent", "consent", ("case_id", "purpose", "status"))
Assessment = _table("Assessment", "assessment", ("case_id", "instrument"))
Plan = _table(
    "Plan",
    "case_plan",
    ("case_id", "status"),
    needs=models.JSONField(),
    revision=models.IntegerField(),
    author_id=models.BigIntegerField(),
    approver_id=models.BigIntegerField(null=True),
)
Session = _table("Session", "psychosocial_session", ("case_id",), attended=models.BooleanField())
Enrolment = _table("Enrolment", "training_enrolment", ("case_id", "certificate_at"))
Grant = _table("Grant", "livelihood_grant", ("case_id", "status"))


def consent_given(case: Any) -> bool:
    newest = Consent.objects.filter(case_id=case.pk, purpose="assistance").order_by("-id").only("status").first()
    return newest is not None and newest.status == "given"


def assessed(case: Any) -> bool:
    found = set(Assessment.objects.filter(case_id=case.pk).values_list("instrument", flat=True))
    return "vulnerability" in found and bool(found & {"k6", "phq4", "who5", "phq9", "k10", "rhs13"})


def session_attended(case: Any) -> bool:
    return bool(Session.objects.filter(case_id=case.pk, attended=True).exists())


def plan_asks_for(need: str) -> Any:
    def asks(case: Any) -> bool:
        plan = _plan(case)
        return plan is not None and plan.status == "approved" and need in plan.needs

    return asks


def needs_are_served(case: Any) -> bool:
    plan = _plan(case)
    if plan is None or plan.status != "approved":
        return False
    certified = Enrolment.objects.filter(case_id=case.pk).order_by("-id").values_list("certificate_at", flat=True)
    grants = Grant.objects.filter(case_id=case.pk).order_by("-id").values_list("status", flat=True)
    return bool(
        ("psychosocial" not in plan.needs or Session.objects.filter(case_id=case.pk, attended=True).exists())
        and ("training" not in plan.needs or certified.first())
        and ("livelihood" not in plan.needs or grants.first() == "verified")
    )


def _plan(case: Any) -> Any:
    return Plan.objects.filter(case_id=case.pk).order_by("-revision").first()


def _ways() -> dict[str, Any]:
    """The state and the methods that change it."""
    state = FSMField()
    methods: dict[str, Any] = {"state": state}
    for name, source, target, conditions in (
        ("confirm_arrival", "registered", "arrived", []),
        ("begin_screening", "arrived", "screening", [consent_given]),
        ("begin_planning", "screening", "planning", [assessed]),
        ("start_psychosocial", "planning", "psychosocial", [plan_asks_for("psychosocial")]),
        ("review_psychosocial", "psychosocial", None, [session_attended]),
        ("start_training", "psychosocial", "training", [plan_asks_for("training")]),
        ("start_follow_up", "training", "follow_up", [needs_are_served]),
    ):

        def way(_case: Any) -> None:
            """What it writes is given."""

        way.__name__ = name
        methods[name] = fsm_transition(field=state, source=source, target=target, conditions=conditions)(way)
    return methods


Case = _table("Case", "case", CASE_COLUMNS[1:], **_ways())


class DjangoLoop:
    """Moves one case in one transaction."""

    def __init__(self, url: str) -> None:
        connections.settings = connections.configure_settings({"default": _database(url)})

    def move(self, rows: MoveRows) -> None:
        with transaction.atomic():
            case = Case.objects.select_for_update(no_key=True).get(pk=rows.case_id)
            case.moved_by = rows.journal["actor_id"]
            getattr(case, rows.step.trigger)()
            if case.state != rows.case["state"]:
                raise SystemExit("a case of the Django loop is not where it should be")
            if Case.objects.filter(pk=case.pk, version=rows.journal["seq"] - 1).update(**rows.case) != 1:
                raise SystemExit("a move of the Django loop was not made")
            for model, ended in ((Task, rows.ended_tasks), (Deadline, rows.ended_deadlines)):
                for values, keys in ended:
                    running = model.objects.filter(case_id=case.pk, key__in=keys, status__in=("open", "held"))
                    running.update(**values)
            Journal.objects.create(**rows.journal)
            for model, new in ((Task, rows.tasks), (Deadline, rows.deadlines), (Event, rows.events)):
                if new:
                    model.objects.bulk_create([model(**values) for values in new])

    def close(self) -> None:
        connections["default"].close()
        del connections["default"]


def _database(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        mode = "wal" if sqlite3.sqlite_version_info >= WAL_SAFE_SINCE else "truncate"
        init = f"PRAGMA synchronous=FULL; PRAGMA journal_mode={mode}"
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///"),
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": init},
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.removeprefix("/"),
        "USER": parts.username,
        "HOST": parse_qs(parts.query)["host"][0],
        "OPTIONS": {"options": "-c synchronous_commit=on"},
    }
