"""`segin why`: what holds a case, or the caseload, and the smallest action that frees it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.desk import Desk, desk, typed_code
from deployments.cli.output import AsJson, Limit, Output
from models import Case, WrongUse
from models.caseload import CaseFilter
from models.database import read_session
from states.why.cause import Cause
from states.why.ranking import RankedCause, Ranking, why_all, why_case

Code = Annotated[str | None, typer.Argument(metavar="CASE", help="Code of the case.", callback=typed_code)]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.command("why")(why_)


def why_(
    code: Code = None,
    every: Annotated[bool, typer.Option("--all", help="Rank what holds the open cases.")] = False,
    state: Annotated[str | None, typer.Option(help="With --all: only cases in this state.")] = None,
    region: Annotated[str | None, typer.Option(help="With --all: only this region of return (P-code).")] = None,
    office: Annotated[str | None, typer.Option(help="With --all: only this office (its code).")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Why a case does not go on, in one sentence with the smallest action that frees it; with --all, the causes over
    the caseload, the heaviest first."""
    wanted = CaseFilter(state=state, region=region, office=office)
    if every == (code is not None) or (code is not None and wanted != CaseFilter()):
        raise WrongUse(
            "Ask about one case, or about all of them with --all, which its filters go with.",
            "Demandez pour un dossier, ou pour tous avec --all, auquel vont les filtres.",
            remedy="Write segin why CASE, or segin why --all --office BKO.",
            remedy_fr="Écrivez segin why DOSSIER, ou segin why --all --office BKO.",
        )
    with desk(as_json=as_json) as work:
        if code is not None:
            with read_session(work.engine) as session:
                case, cause = why_case(session, code, work.now())
            data = {"case": _case(case, cause), "ranking": None}
            work.out.show(data, lambda console: console.print(work.out.say(*cause.sentence)))
            return
        ranking = _ranking(work, wanted)
        causes = ranking.causes[:limit]
        data = {"case": None, "ranking": _document(ranking, causes)}
        work.out.show(data, lambda console: _render(console, work.out, ranking, causes))


def _ranking(work: Desk, wanted: CaseFilter) -> Ranking:
    with work.out.progress.status(work.out.say("Les dossiers…", "The cases…")) as status:
        return why_all(
            work.engine, wanted, work.now(), on_progress=lambda done, every: status.update(f"{done:,}/{every:,}")
        )


def _case(case: Case, cause: Cause) -> dict[str, Any]:
    names = ("since", "guard", "missing", "trigger", "task", "record", "role", "login", "partner")
    return {
        "code": case.code,
        "state": case.state,
        "kind": cause.kind,
        "stuck": cause.stuck,
        "sentence": cause.sentence._asdict(),
        **{name: getattr(cause, name) for name in names},
    }


def _document(ranking: Ranking, causes: list[RankedCause]) -> dict[str, Any]:
    return {
        "cases": ranking.cases,
        "stuck": ranking.stuck,
        "waiting": ranking.waiting,
        "on_time": ranking.on_time,
        "causes": [
            asdict(cause)
            | {
                "label": cause.label._asdict(),
                "offices": {office or "": number for office, number in cause.offices.items()},
                "roles": {role or "": number for role, number in cause.roles.items()},
            }
            for cause in causes
        ],
    }


def _render(console: Console, out: Output, ranking: Ranking, causes: list[RankedCause]) -> None:
    console.print(
        out.say(
            f"{ranking.cases} dossiers ouverts : {ranking.stuck} bloqués, {ranking.waiting} attendent une date, "
            f"{ranking.on_time} sans retard.",
            f"{ranking.cases} open cases: {ranking.stuck} stuck, {ranking.waiting} waiting for a date, "
            f"{ranking.on_time} with nothing late.",
        )
    )
    if causes:
        console.print(
            out.table(
                [
                    ("Dossiers", "Cases"),
                    ("Ce qui bloque", "What holds them"),
                    ("Jours (médiane)", "Days (median)"),
                    ("Étapes", "States"),
                    ("À qui", "Whose turn"),
                    ("Bureaux", "Offices"),
                    ("Par exemple", "For instance"),
                ],
                (
                    [
                        *(cause.cases, out.say(*cause.label), f"{cause.median_days:g}", _counts(cause.states)),
                        *(_counts(cause.roles), _counts(cause.offices), cause.examples[0]),
                    ]
                    for cause in causes
                ),
            )
        )
    if len(causes) < len(ranking.causes):
        left = len(ranking.causes) - len(causes)
        console.print(out.say(f"… et {left} autres causes (--limit).", f"… and {left} more causes (--limit)."))


def _counts(numbers: dict[str, int] | dict[str | None, int]) -> str:
    """The three most frequent, with their numbers."""
    shown = [f"{key or '–'} {number}" for key, number in list(numbers.items())[:3]]
    return ", ".join(shown) + (", …" if len(numbers) > len(shown) else "")
