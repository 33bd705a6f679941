"""`segin case screen`, `assess` and `assessments`: what was found, what was answered, and how it changes over time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text as Line

from deployments.cli.acts import Acting, CommandId, lines_of, new_code, record
from deployments.cli.cases import Code, case_app
from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import AsJson, Output
from models import WrongUse
from models.caseload import find_case
from models.database import read_session
from states.assessments import Change, History, Result, assessment_history
from states.casework.screening import Assessed, Screened, record_assessments, record_screenings
from states.instruments import load_catalogue
from states.moves import Outcome, OutcomeKind

_SEPARATORS = re.compile(r"[\s,;]+")


def add_commands(_app: typer.Typer) -> None:
    """Put this room's commands beside those of `segin case`."""
    case_app.command("screen")(screen)
    case_app.command("assess")(assess)
    case_app.command("assessments")(assessments)


def screen(
    code: Code,
    found: Annotated[
        list[str] | None, typer.Option("--found", help="A vulnerability that was found (its code); repeatable.")
    ] = None,
    login: AsLogin = None,
    role: AsRole = "vulnerability_focal_point",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Record a vulnerability screening; nothing found is an answer too. What is new gets its clock."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        screened = Screened(**here.signed, found=tuple(found or ()))
        (outcome,) = record_screenings(here.session, [screened], new_code=new_code, now=here.desk.now())
        return outcome, {"found": sorted(set(screened.found))}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


def assess(
    code: Code,
    instrument: Annotated[str, typer.Argument(help="The instrument, as `segin instrument list` names it.")],
    answers: Annotated[
        Path, typer.Option("--answers", help="File with one number for each item, in order; - reads standard input.")
    ],
    login: AsLogin = None,
    role: AsRole = "psychosocial_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Score an instrument's answers and record them; an answer that asks for help at once raises the emergency."""
    given = _answers(answers)

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        assessed = Assessed(**here.signed, instrument=instrument, answers=given)
        catalogue = load_catalogue(here.desk.settings.instruments_dir)
        (made,) = record_assessments(here.session, [assessed], catalogue=catalogue, now=here.desk.now())
        raised = made.raised
        helped = raised is not None and raised.kind in (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE)
        return made.outcome, {"help_at_once": raised is not None, "emergency_raised": helped}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act, warn=_help_at_once)


def assessments(code: Code, login: AsLogin = None, role: AsRole = "coordinator", as_json: AsJson = False) -> None:
    """The case's results over time and how they changed, of the instruments that the role may see; never an answer."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        actor = acting(session, login, role)
        histories = assessment_history(session, case.id or 0, actor.role)
        data = {"code": case.code, "role": actor.role, "instruments": [_document(each) for each in histories]}
        work.out.show(data, lambda console: _print(console, work.out, histories))


def _help_at_once(out: Output, more: Mapping[str, Any]) -> str | None:
    if not more["help_at_once"]:
        return None
    if more["emergency_raised"]:
        return out.say(
            "Une réponse demande de l'aide tout de suite : l'urgence est déclarée. Restez avec la personne.",
            "An answer asks for help at once: the emergency is raised. Stay with the person.",
        )
    return out.say(
        "Une réponse demande de l'aide tout de suite et le dossier est clos : agissez maintenant, puis rouvrez-le.",
        "An answer asks for help at once and the case is closed: act now, then reopen it.",
    )


def _answers(file: Path) -> tuple[int, ...]:
    words = [word for line in lines_of(file) for word in _SEPARATORS.split(line) if word]
    if not all(word.isascii() and word.isdigit() and len(word) < 6 for word in words):
        raise WrongUse(
            "The answers are not all whole numbers.",
            "Les réponses ne sont pas toutes des nombres entiers.",
            remedy="Write one number for each item, in the order of the form, with spaces or commas between.",
            remedy_fr="Écrivez un nombre par item, dans l'ordre du formulaire, séparés par des espaces ou virgules.",
        )
    return tuple(int(word) for word in words)


def _document(history: History) -> dict[str, Any]:
    return {
        "instrument": history.instrument,
        "title": history.title.en,
        "title_fr": history.title.fr,
        "lowest": history.lowest,
        "highest": history.highest,
        "higher": history.higher,
        "results": [_result(each) for each in history.results],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "assessed_at": result.assessed_at,
        "version": result.version,
        "score": result.score,
        "percent": result.percent,
        "band": result.band,
        "flags": list(result.flags),
        "subscales": {key: part._asdict() for key, part in result.subscales.items()},
        "since_previous": result.since_previous._asdict() if result.since_previous else None,
        "since_first": result.since_first._asdict() if result.since_first else None,
    }


def _print(console: Console, out: Output, histories: list[History]) -> None:
    if not histories:
        console.print(out.say("Aucun résultat que ce rôle puisse voir.", "No result that this role may see."))
    for history in histories:
        scale = f" ({history.lowest}–{history.highest})" if history.highest is not None else ""
        console.print(Line(f"\n{out.say(*history.title)}{scale}", style="bold"))
        rows = (
            [
                out.when(each.assessed_at),
                each.version,
                each.score,
                "" if each.percent is None else f"{each.percent} %",
                out.say(*each.band_title),
                ", ".join(each.flags),
                _moved(out, each.since_previous),
                _moved(out, each.since_first),
            ]
            for each in history.results
        )
        headers = [
            ("Date", "Date"),
            ("Version", "Version"),
            ("Score", "Score"),
            ("%", "%"),
            ("Tranche", "Band"),
            ("Signaux", "Flags"),
            ("Depuis le précédent", "Since the last"),
            ("Depuis le premier", "Since the first"),
        ]
        console.print(out.table(headers, rows))


def _moved(out: Output, change: Change | None) -> str:
    """`+3, mieux, significatif`."""
    if change is None:
        return ""
    words = [f"{change.points:+d}" if change.points else out.say("inchangé", "unchanged")]
    if change.better is not None:
        words.append(out.say("mieux", "better") if change.better else out.say("moins bien", "worse"))
    if change.significant is not None and change.points:
        words.append(out.say("significatif", "significant") if change.significant else "n. s.")
    return ", ".join(words)
