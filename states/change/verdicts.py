"""What stands against moving a case to another version of its pathway, and the verdict that follows. Pure.

`states.change.consequences` counts verdicts over the caseload, `states.change.carrying` moves only what is automatic.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from states.change.caseload import Running
from states.change.passage import Passage
from states.moves import Reason
from states.pathway import Text


class Verdict(StrEnum):
    """Of one case: it moves by itself (as the mapping says), a mapping would let it, or it cannot be moved."""

    AUTOMATIC = "automatic"
    NEEDS_MAPPING = "needs_mapping"
    BLOCKED = "blocked"


VERDICT_WORDS: Final = {
    Verdict.AUTOMATIC: Text("automatique", "automatic"),
    Verdict.NEEDS_MAPPING: Text("correspondance nécessaire", "needs a mapping"),
    Verdict.BLOCKED: Text("bloqué", "blocked"),
}

_LIFTED_BY_MAPPING: Final = frozenset({"state_unknown", "previous_state_unknown", "record_status_unknown"})


def verdict_of(reasons: list[Reason]) -> Verdict:
    """The verdict on a case with these objections."""
    if not reasons:
        return Verdict.AUTOMATIC
    mapping_helps = all(reason.code in _LIFTED_BY_MAPPING for reason in reasons)
    return Verdict.NEEDS_MAPPING if mapping_helps else Verdict.BLOCKED


def objections(way: Passage, running: Running) -> list[Reason]:
    """Every reason why the case cannot be moved; none: it can."""
    case = running.case
    goal = way.names.state(case.state)
    reasons = _against_state(way, case.state, goal)
    if not reasons and case.previous_state is not None:
        reasons = _against_way_back(way, goal, case.previous_state)
    for record in running.facts.records.values():
        if (record.kind, record.status) in way.live:
            reasons += _against_record(way, record.kind, record.status)
    return list(dict.fromkeys(reasons))


def _against_state(way: Passage, state: str, goal: str) -> list[Reason]:
    before = way.old.states[state]
    after = way.new.states.get(goal)
    title = before.title
    if after is None:
        return [
            Reason(
                "state_unknown",
                f"La nouvelle version n'a pas d'étape « {title.fr} » ({state}) : dites laquelle la remplace.",
                f"The new version has no state “{title.en}” ({state}): say which one replaces it.",
                f"map.{state}",
            )
        ]
    if after.kind is not before.kind:
        return [
            Reason(
                "kind_differs",
                f"« {title.fr} » et « {after.title.fr} » ne sont pas du même genre : le dossier serait mis en suspens, "
                "repris ou clos sans que personne l'ait décidé.",
                f"“{title.en}” and “{after.title.en}” are not of the same kind: the case would be put on hold, resumed "
                "or closed without anybody's decision.",
                f"map.{state}",
            )
        ]
    return []


def _against_way_back(way: Passage, goal: str, previous: str) -> list[Reason]:
    """A held case must be able to go back to where it came from, unless it could not before."""
    back, title = way.names.state(previous), way.old.states[previous].title
    if back not in way.new.states:
        return [
            Reason(
                "previous_state_unknown",
                f"La nouvelle version n'a pas d'étape « {title.fr} » ({previous}), où le dossier doit revenir.",
                f"The new version has no state “{title.en}” ({previous}), to which the case is to return.",
                f"map.{previous}",
            )
        ]
    if (goal, back) in way.returns:
        return []
    return [
        Reason(
            "no_way_back",
            f"Dans la nouvelle version, rien ne ramène le dossier à « {title.fr} », d'où il vient.",
            f"In the new version nothing leads the case back to “{title.en}”, where it came from.",
            "previous_state",
        )
    ]


def _against_record(way: Passage, kind: str, status: str) -> list[Reason]:
    before = way.old.records[kind]
    after = way.new.records.get(kind)
    fr, en = before.title
    if after is None:
        return [
            Reason(
                "record_kind_unknown",
                f"La nouvelle version ne connaît pas cet élément du dossier ({fr}), et il est en cours.",
                f"The new version knows no such record ({en}), and the case has one under way.",
                f"records.{kind}",
            )
        ]
    if way.names.status(kind, status) in after.states:
        return []
    said = before.states[status]
    return [
        Reason(
            "record_status_unknown",
            f"La nouvelle version n'a pas l'étape « {said.fr} » de cet élément ({fr}) : dites laquelle la remplace.",
            f"The new version has no status “{said.en}” of this record ({en}): say which one replaces it.",
            f"map.{kind}.{status}",
        )
    ]
