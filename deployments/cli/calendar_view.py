"""Calendars and changes of them as documents for `--json`, and laid out for a person. Used by `segin calendar`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from rich.console import Console

from deployments.cli.output import Output
from models import CalendarChange
from states.calendars.changes import Change
from states.calendars.overview import MovedGroup, Overview
from states.calendars.shifts import Moved

_DAYS = {
    "monday": "lundi",
    "tuesday": "mardi",
    "wednesday": "mercredi",
    "thursday": "jeudi",
    "friday": "vendredi",
    "saturday": "samedi",
    "sunday": "dimanche",
}
_KINDS = {"off": ("chômé", "off"), "working": ("travaillé", "worked"), "ordinary": ("ordinaire", "ordinary")}
_WHATS = {"deadline": ("échéance", "deadline"), "timer": ("minuterie", "timer"), "task": ("tâche", "task")}


def overview_document(found: Overview, office: str | None) -> dict[str, Any]:
    """The calendar of a year."""
    return {
        "year": found.year,
        "office": office,
        "rest_days": list(found.rest_days),
        "country": found.country,
        "holidays": [
            {"day": each.day, "title_fr": each.title.fr, "title_en": each.title.en, "estimated": each.estimated}
            for each in found.holidays
        ],
        "days_off": [
            {
                "day": each.day,
                "title_fr": each.title.fr,
                "title_en": each.title.en,
                "estimated": each.estimated,
                "recorded": each.recorded,
            }
            for each in found.days_off
        ],
        "worked": [
            {"day": each.day, "title_fr": each.title.fr, "title_en": each.title.en, "recorded": each.recorded}
            for each in found.worked
        ],
    }


def render_overview(out: Output, console: Console, data: Mapping[str, Any]) -> None:
    """The same for a person: rest days, then every day off with its name."""
    rest = ", ".join(out.say(_DAYS[day], day) for day in data["rest_days"])
    where = data["office"] or out.say("programme", "programme")
    console.print(f"{data['year']} · {where} · {data['country'] or '–'}", style="bold")
    console.print(out.say(f"Jours de repos : {rest}.", f"Rest days: {rest}."))
    off = {each["day"] for each in data["days_off"]}
    rows = [
        [
            _day(out, each["day"]),
            each[f"title_{out.language}"],
            out.say("estimé", "estimated") if each["estimated"] else "",
            out.say("décidé", "decided") if each.get("recorded") else "",
        ]
        for each in sorted(data["days_off"], key=lambda each: each["day"])
    ]
    console.print(
        out.table([("Jour chômé", "Day off"), ("Motif", "Why"), ("Date", "Date"), ("Par", "By")], rows, title=" ")
    )
    other = [each for each in data["holidays"] if each["day"] not in off]
    if other:
        mark = out.say(" (estimé)", " (estimated)")
        named = ", ".join(
            f"{each['day']} {each[f'title_{out.language}']}{mark if each['estimated'] else ''}" for each in other
        )
        console.print(
            out.say(f"Jours fériés qui ne changent rien : {named}.", f"Holidays that make no difference: {named}.")
        )
    for each in data["worked"]:
        title = each[f"title_{out.language}"]
        console.print(out.say(f"Travaillé : {each['day']} ({title}).", f"Worked: {each['day']} ({title})."))


def change_document(
    change: Change,
    office: str | None,
    moved: Iterable[Moved],
    groups: Iterable[MovedGroup],
    codes: Mapping[int | None, str],
) -> dict[str, Any]:
    """A change before it is made, with everything that it would move."""
    return {
        "kind": change.kind,
        "office": office,
        "days": [
            {"day": day, "kind": entry.kind, "title_fr": entry.title.fr, "title_en": entry.title.en}
            for day, entry in sorted(change.sets.items())
        ],
        "forgotten": sorted(change.forgets),
        "rest_days": None if change.weekend is None else list(change.weekend),
        "country": change.country,
        "groups": [
            {
                "office": codes.get(group.office_id),
                "what": group.what,
                "key": group.key,
                "title_fr": group.title.fr,
                "title_en": group.title.en,
                "number": group.number,
                "held": group.held,
                "least_days": _days(group.least),
                "most_days": _days(group.most),
            }
            for group in groups
        ],
        "moves": [
            {
                "case": each.code,
                "office": codes.get(each.office_id),
                "what": each.what,
                "key": each.key,
                "old": each.old,
                "new": each.new,
                "held": each.stands,
            }
            for each in moved
        ],
        "change": None,
    }


def made_document(change: CalendarChange) -> dict[str, Any]:
    """A change that was made, and what it moved."""
    names = ("id", "kind", "recorded_at", "finished_at", "cases", "deadlines", "tasks")
    return {name: getattr(change, name) for name in names}


def render_change(out: Output, console: Console, data: Mapping[str, Any], shown: int) -> None:
    """What a change moves, for a person: by office and kind, then the first moves one by one."""
    for each in data["days"]:
        console.print(f"{each['day']}: {out.say(*_KINDS[each['kind']])} ({each[f'title_{out.language}']})")
    total = len(data["moves"])
    console.print(
        out.say(f"{total} échéances et tâches changent de date.", f"{total} deadlines and tasks move."), style="bold"
    )
    if total:
        console.print(
            out.table(
                [
                    *(("Bureau", "Office"), ("Quoi", "What"), ("Nom", "Name"), ("Nombre", "Number")),
                    *(("À l'arrêt", "On hold"), ("Jours", "Days")),
                ],
                (
                    [
                        *(group["office"], out.say(*_WHATS[group["what"]]), group[f"title_{out.language}"]),
                        *(group["number"], group["held"], _range(group["least_days"], group["most_days"])),
                    ]
                    for group in data["groups"]
                ),
            )
        )
    for each in data["moves"][:shown]:
        console.print(f"  {each['case']} · {each['key']} · {out.when(each['old'])} → {out.when(each['new'])}")
    if total > shown:
        console.print(out.say(f"  … et {total - shown} autres", f"  … and {total - shown} more"))
    if data["change"] is not None:
        cases = data["change"]["cases"]
        console.print(
            out.say(f"Fait : {cases} dossiers mis à jour.", f"Done: {cases} cases brought up to date."), style="bold"
        )


def _day(out: Output, day: date) -> str:
    name = list(_DAYS)[day.weekday()]
    return f"{day} {out.say(_DAYS[name], name)}"


def _days(shift: timedelta) -> float:
    """In days, to the hundredth."""
    return round(shift / timedelta(days=1), 2)


def _range(least: float, most: float) -> str:
    return f"{least:+g}" if least == most else f"{least:+g} … {most:+g}"
