"""The plan of a case for people and, with codes instead of words, as JSON; `segin plan show` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text as Line

from deployments.cli.output import Output
from models.plan_history import PlanRevision
from states.pathway import RecordKind, Text
from states.plan_words import DIMENSION_WORDS, LEVEL_WORDS, MODE_WORDS
from states.referral_words import SERVICE_WORDS

_REVISION_NAMES = (
    *("code", "revision", "status", "in_force", "needs", "added", "left_out", "author", "drafted_at"),
    *("submitted_at", "approver", "approved_at"),
)
_ITEM_NAMES = (
    *("code", "level", "dimension", "need", "goal", "service", "mode", "provider", "referral", "starts_on", "ends_on"),
    *("status", "reason"),
)


def document(revision: PlanRevision) -> dict[str, Any]:
    """One revision with its items, in codes."""
    items = [{name: getattr(item, name) for name in _ITEM_NAMES} for item in revision.items]
    return {**{name: getattr(revision, name) for name in _REVISION_NAMES}, "items": items}


def plan_lines(
    out: Output, revisions: Sequence[PlanRevision], records: Mapping[str, RecordKind]
) -> Iterator[RenderableType]:
    """Each revision and its items, in words; `records` are those of the case's pathway, which names the statuses."""
    for revision in revisions:
        yield _heading(out, revision, _statuses(records, "plan"))
        yield _items(out, revision, _statuses(records, "plan_item"))


def _heading(out: Output, revision: PlanRevision, statuses: Mapping[str, Text]) -> Line:
    force = out.say(" · en vigueur", " · in force") if revision.in_force else ""
    people = f"{revision.author or '–'} → {revision.approver or '–'}"
    status = _word(out, statuses, revision.status)
    return Line(f"\n{revision.revision} · {revision.code} · {status}{force} · {people}", style="bold")


def _items(out: Output, revision: PlanRevision, statuses: Mapping[str, Text]) -> RenderableType:
    return out.table(
        [
            ("Code", "Code"),
            ("Niveau", "Level"),
            ("Dimension", "Dimension"),
            ("Objectif", "Goal"),
            ("Service", "Service"),
            ("Mode", "Mode"),
            ("Statut", "Status"),
        ],
        (
            [
                *(item.code, _word(out, LEVEL_WORDS, item.level), _word(out, DIMENSION_WORDS, item.dimension)),
                *(item.goal, _word(out, SERVICE_WORDS, item.service), _word(out, MODE_WORDS, item.mode)),
                _word(out, statuses, item.status),
            ]
            for item in revision.items
        ),
    )


def _statuses(records: Mapping[str, RecordKind], kind: str) -> Mapping[str, Text]:
    return records[kind].states if kind in records else {}


def _word(out: Output, words: Mapping[str, Text], code: str) -> str:
    """What people call it; a code that nothing names stays one."""
    return words[code].in_(out.language) if code in words else code
