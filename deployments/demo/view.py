"""The summary of a demonstration for a person to read, in French or English. `segin demo` prints it at the end."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from integrations.manifests.problems import REASONS
from states.pathways.loader import bundled_pathway, load_pathway

COUNTRIES: Final = {"DZA": ("Algérie", "Algeria"), "LBY": ("Libye", "Libya"), "NER": ("Niger", "Niger")}
DELIVERIES: Final = {
    "delivered": ("remis", "delivered"),
    "pending": ("en attente", "pending"),
    "sending": ("en cours", "sending"),
    "dead": ("abandonnés", "dead"),
    "withheld": ("retenus", "withheld"),
}


def show_summary(summary: Mapping[str, Any], console: Console, language: str) -> None:
    """Write what `run_demo` gave: the outcome first, what to do next last. `language` is fr or en."""
    _View(summary, console, language).show()


class _View:
    """Writes a summary on a console, part by part."""

    def __init__(self, summary: Mapping[str, Any], console: Console, language: str) -> None:
        self._summary = summary
        self._console = console
        self._language = "en" if language == "en" else "fr"
        self._pathway = load_pathway(bundled_pathway("mali"), "mali")

    def show(self) -> None:
        self._returnees()
        self._manifests()
        self._deadlines()
        self._events()
        self._flow_runs()
        self._stuck()
        self._end()

    def _say(self, fr: str, en: str) -> str:
        return en if self._language == "en" else fr

    def _number(self, value: int) -> str:
        return f"{value:,}" if self._language == "en" else f"{value:,}".replace(",", "\u202f")

    def _title(self, fr: str, en: str) -> None:
        self._console.print(f"\n[bold]{self._say(fr, en)}[/bold]", markup=True)

    def _line(self, text: str, indent: int = 2) -> None:
        self._console.print(Padding(Text(text), (0, 0, 0, indent), expand=False))

    def _table(self, headers: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
        """A table with numbers on the right; without headers when all of them are empty."""
        table = Table(box=None, pad_edge=False, header_style="dim", show_header=any(headers))
        for place, header in enumerate(headers):
            table.add_column(header, justify="left" if place == 0 else "right")
        for row in rows:
            table.add_row(*(self._number(cell) if isinstance(cell, int) else str(cell) for cell in row))
        self._console.print(Padding(table, (0, 0, 0, 2), expand=False))

    def _returnees(self) -> None:
        found = self._summary["returnees"]
        total = self._number(found["total"])
        self._title(f"{total} personnes de retour, par étape", f"{total} returnees, by state")
        states = [(key, found["by_state"].get(key, 0)) for key in self._pathway.states]
        self._table(
            (self._say("étape", "state"), self._say("dossiers", "cases")),
            [(self._pathway.states[key].title.in_(self._language), number) for key, number in states],
        )
        closed = found["closed_because"]
        if closed:
            reasons = (
                f"{self._pathway.close_reasons[key].in_(self._language)} {self._number(number)}"
                for key, number in closed.items()
            )
            self._line(self._say("clos : ", "closed: ") + ", ".join(reasons))
        months = found["by_month_and_country"]
        countries = sorted({country for each in months.values() for country in each})
        self._title("Par mois d'arrivée et pays de départ", "By month of arrival and country of departure")
        self._table(
            (self._say("mois", "month"), *(self._country(code) for code in countries), "Σ"),
            [
                (month, *(each.get(country, 0) for country in countries), sum(each.values()))
                for month, each in months.items()
            ],
        )

    def _country(self, code: str) -> str:
        return self._say(*COUNTRIES.get(code, (code, code)))

    def _manifests(self) -> None:
        found = self._summary["manifests"]
        self._title(
            f"{found['files']} manifestes, {self._number(found['rows'])} lignes",
            f"{found['files']} manifests, {self._number(found['rows'])} rows",
        )
        names = {
            "registered": ("enregistrées", "registered"),
            "already_known": ("déjà connues", "already known"),
            "waiting": ("doublons possibles qui attendent une personne", "possible duplicates, waiting for a person"),
            "rejected": ("rejetées", "rejected"),
        }
        self._table(("", ""), [(self._say(*text), found[name]) for name, text in names.items()])
        for code, number in found["reasons"].items():
            reason = REASONS.get(code)
            text = code if reason is None else self._say(reason.message_fr, reason.message_en)
            self._line(f"{number} × {text}", 4)

    def _deadlines(self) -> None:
        found = self._summary["deadlines"]
        self._title("Échéances", "Deadlines")
        names = {
            "kept": ("tenues", "kept"),
            "late": ("tenues en retard", "met late"),
            "overdue": ("dépassées, encore ouvertes", "overdue, still open"),
            "escalated": ("montées à la coordination", "escalated"),
            "held": ("suspendues avec leur dossier", "standing still with their case"),
        }
        self._table(("", ""), [(self._say(*text), found[name]) for name, text in names.items()])
        nights = self._summary["nights"]
        self._line(
            self._say(
                f"{nights['done']} nuits traitées, du {nights['first']} au {nights['last']}",
                f"{nights['done']} nights run, from {nights['first']} to {nights['last']}",
            )
        )

    def _events(self) -> None:
        found = self._summary["events"]
        announced = self._number(found["announced"])
        self._title(f"{announced} événements annoncés aux partenaires", f"{announced} events announced to partners")
        self._table(
            (self._say("partenaire", "partner"), *(self._say(*text) for text in DELIVERIES.values())),
            [(code, *(each[status] for status in DELIVERIES)) for code, each in found["deliveries"].items()],
        )
        for code, each in self._summary["partners"].items():
            numbers = [self._number(each[name]) for name in ("events", "turned_away", "not_verified", "out_of_order")]
            self._line(
                self._say(
                    "{} a compté {} événements, refusé {} envois ; signatures fausses {}, désordre {}",
                    "{} counted {} events, turned {} requests away; bad signatures {}, out of order {}",
                ).format(code, *numbers)
            )

    def _flow_runs(self) -> None:
        self._title("Exécutions Prefect", "Prefect flow runs")
        self._table(
            ("flow", self._say("exécutions", "runs"), ""),
            [
                (name, sum(states.values()), ", ".join(f"{state} {number}" for state, number in states.items()))
                for name, states in self._summary["flow_runs"].items()
            ],
        )

    def _stuck(self) -> None:
        if not self._summary["stuck"]:
            return
        self._title("Les dossiers les plus bloqués", "The most stuck cases")
        for each in self._summary["stuck"]:
            since = each["in_state_since"]
            self._console.print(
                f"  [bold]{each['case']}[/bold]  {each['state_title'][self._language]} "
                + self._say(f"depuis le {since:%Y-%m-%d}", f"since {since:%Y-%m-%d}"),
                markup=True,
            )
            self._line(each["sentence"][self._language], 4)

    def _end(self) -> None:
        journal, reconciled = self._summary["journal"], self._summary["reconciled"]
        self._title("Pour finir", "In the end")
        self._line(
            self._say(
                f"journal : {self._number(journal['transitions'])} lignes vérifiées, {journal['broken']} anomalie",
                f"journal: {self._number(journal['transitions'])} rows verified, {journal['broken']} faults",
            )
        )
        wrong = [name for name, holds in reconciled.items() if not holds]
        self._line(
            self._say("les comptes s'accordent", "the counts agree")
            if not wrong
            else self._say("les comptes ne s'accordent pas : ", "the counts do not agree: ") + ", ".join(wrong)
        )
        seconds = self._summary["wall_seconds"]
        self._line(self._say(f"durée : {seconds:.0f} s", f"wall time: {seconds:.0f} s"))
        self._title("Et maintenant", "What to run next")
        folder = _short(Path(self._summary["folder"]))
        for command in self._next():
            self._line(f"SEGIN_DATA_DIR={shlex.quote(folder)} {_program()} {command}")

    def _next(self) -> list[str]:
        stuck = self._summary["stuck"]
        case = [f"why {stuck[0]['case']}", f"case show {stuck[0]['case']}"] if stuck else []
        dead = any(each["dead"] for each in self._summary["events"]["deliveries"].values())
        return [
            "why --all",
            *case,
            *(["duplicates list"] if self._summary["duplicates_waiting"] else []),
            *(["deliveries list --status dead"] if dead else []),
            "journal verify",
        ]


def _program() -> str:
    """How one calls Segin here: by its name when the shell finds it, else by its path."""
    beside = Path(sys.executable).with_name("segin")
    return "segin" if shutil.which("segin") or not beside.exists() else shlex.quote(_short(beside))


def _short(path: Path) -> str:
    """The path as one would type it here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
