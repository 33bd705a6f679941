"""A change of the pathway and its consequences as plain lists and mappings, with the words of one language.

`segin pathway diff` and the dry run of `segin pathway migrate` print it; the console will show the same.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from states.change.comparison import Change as Difference
from states.change.comparison import compare, touched_states
from states.change.consequences import Consequences
from states.change.sentences import in_words
from states.change.sides import Change
from states.change.verdicts import VERDICT_WORDS
from states.moves import Reason
from states.pathway import Pathway


def differences_document(change: Change, language: str) -> list[dict[str, Any]]:
    """What changed, one entry each, in the order of the file."""
    found = differences(change)
    sentences = in_words(found, change.old.file, change.new.file)
    return [
        {"part": each.part, "key": each.key, "kind": each.kind, "field": each.field, "text": text.in_(language)}
        for each, text in zip(found, sentences, strict=True)
    ]


def differences(change: Change) -> list[Difference]:
    """What the two files say differently."""
    return compare(change.old.file, change.new.file, change.way.names.states)


def consequences_document(change: Change, found: Consequences, language: str) -> dict[str, Any]:
    """What the change means for the cases that were looked at; only what concerns any of them is listed."""
    old, new = change.old.pathway, change.new.pathway
    touched = touched_states(differences(change), change.old.file)
    return {
        "cases": found.cases,
        "states": [
            {
                "state": key,
                "title": old.states[key].title.in_(language),
                "goal": found.goals[key] if found.goals[key] in new.states else None,
                "cases": number,
                "changed": key in touched,
            }
            for key, number in found.states.items()
        ],
        "verdicts": {
            str(verdict): {"title": VERDICT_WORDS[verdict].in_(language), "cases": number}
            for verdict, number in found.verdicts.items()
        },
        "objections": [
            {
                "verdict": str(each.verdict),
                "state": each.state,
                "code": each.reason.code,
                "why": _said(each.reason, language),
                "missing": each.reason.missing,
                "cases": each.cases,
                "examples": list(each.examples),
            }
            for each in found.objections
        ],
        "deadlines": [
            {
                "key": each.key,
                "title": new.deadlines[each.key].title.in_(language),
                "moved": each.moved,
                "least": shift_in_words(each.least, language),
                "middle": shift_in_words(each.middle, language),
                "most": shift_in_words(each.most, language),
                "least_seconds": int(each.least.total_seconds()),
                "middle_seconds": int(each.middle.total_seconds()),
                "most_seconds": int(each.most.total_seconds()),
                "run_out": each.run_out,
                "relieved": each.relieved,
            }
            for each in found.shifts
        ],
        "moves": [
            {
                "state": each.state,
                "trigger": each.trigger,
                "title": (new.triggers.get(each.trigger) or old.triggers[each.trigger]).in_(language),
                "way": str(each.way),
                "cases": each.cases,
                "reasons": [{"why": _said(reason, language), "cases": number} for reason, number in each.reasons],
            }
            for each in found.moves
        ],
        "stuck": [
            {"state": key, "title": old.states[key].title.in_(language), "cases": number}
            for key, number in found.stuck.items()
        ],
        "cancelled": _keyed(found.cancelled, old, language),
        "begun": _keyed(found.begun, new, language),
        "breached": found.breached,
    }


def shift_in_words(shift: timedelta, language: str) -> str:
    """`+7 j`, `−2 j 4 h`, `+30 min`: to the minute."""
    minutes = abs(int(shift.total_seconds())) // 60
    days, hours, left = minutes // 1440, minutes // 60 % 24, minutes % 60
    units = ((days, "d" if language == "en" else "j"), (hours, "h"), (left, "min"))
    amount = " ".join(f"{number} {unit}" for number, unit in units if number)
    return f"{'−' if shift < timedelta() else '+'}{amount or '0 min'}"


def _keyed(counts: dict[str, int], pathway: Pathway, language: str) -> list[dict[str, Any]]:
    lines = []
    for key, number in counts.items():
        template = pathway.tasks.get(key) or pathway.deadlines.get(key)
        lines.append({"key": key, "title": template.title.in_(language) if template else key, "cases": number})
    return lines


def _said(reason: Reason, language: str) -> str:
    return reason.text_en if language == "en" else reason.text_fr
