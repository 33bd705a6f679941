"""`segin deadline`: waiving one with a reason, and how often that was done."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.acts import say_refused
from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import DONE, FAILED, AsJson
from models import WrongUse
from models.caseload import find_case
from models.database import read_session, write_session
from states.advance import advance_case
from states.moves import Move, OutcomeKind
from states.pathway import Pathway
from states.pathways.shelf import pathways_of
from states.waivers import DEADLINE, OF, UNTIL, waiver_counts

deadline_app = typer.Typer(no_args_is_help=True, help="Waivers of deadlines, within what the pathway allows.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(deadline_app, name="deadline")


@deadline_app.command("waive")
def waive(
    code: Annotated[str, typer.Argument(help="Code of the case.")],
    key: Annotated[str, typer.Argument(help="The deadline, as `segin case show` names it.")],
    reason: Annotated[str, typer.Option(help="Code of the reason, as the pathway names it.")],
    note: Annotated[str, typer.Option(help="Why, in words; it counts as sensitive.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its new last day; none: it is lifted.")
    ] = None,
    record: Annotated[
        str | None, typer.Option(help="Code of the record that it is about, if there are several.")
    ] = None,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """Give a deadline more time, or lift it. A refusal says every reason and exits with 1."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        case = find_case(session, code)
        pathway = pathways_of(session, [case.pathway_version_id])[case.pathway_version_id]
        data = {DEADLINE: key, UNTIL: None if until is None else until.date().isoformat(), OF: record}
        move = Move(
            case_id=case.id or 0,
            trigger=_waiving(pathway),
            actor=acting(session, login, role),
            command_id=f"cli:{uuid.uuid4().hex}",
            correlation_id=work.correlation_id,
            reason=reason,
            note=note,
            data={name: value for name, value in data.items() if value is not None},
        )
        outcome = advance_case(session, move, now=work.now())
        session.commit()
        waived = outcome.kind is OutcomeKind.MOVED
        result = {
            "code": case.code,
            "deadline": key,
            "until": data[UNTIL],
            "outcome": outcome.kind,
            "version": outcome.version,
            "reasons": [one._asdict() for one in outcome.reasons],
        }

        def render(console: Console) -> None:
            if waived:
                how = work.out.say("levée", "lifted") if until is None else f"→ {until:%Y-%m-%d}"
                console.print(f"{case.code} · {key}: {how}")
            else:
                say_refused(work.out, console, case.code, outcome)

        work.out.show(result, render)
    raise typer.Exit(DONE if waived else FAILED)


@deadline_app.command("waivers")
def waivers(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; none: from the start.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day; none: up to now.")] = None,
    as_json: AsJson = False,
) -> None:
    """How often deadlines were waived, by deadline and reason."""
    with desk(as_json=as_json) as work:
        titles = work.pathway().deadlines
        after = None if until is None else until + timedelta(days=1)
        first, end = (None if day is None else day.replace(tzinfo=work.settings.timezone) for day in (since, after))
        with read_session(work.engine) as session:
            counts = waiver_counts(session, since=first, until=end)
        rows: list[dict[str, Any]] = [
            {
                "deadline": each.key,
                "title": titles[each.key].title.in_(work.out.language) if each.key in titles else each.key,
                "reason": each.reason,
                "extended": each.extended,
                "lifted": each.lifted,
            }
            for each in counts
        ]
        table = work.out.table(
            [
                *(("Échéance", "Deadline"), ("Motif", "Reason"), ("Reportée", "Extended")),
                ("Levée", "Lifted"),
            ],
            ([row["title"], row["reason"], row["extended"], row["lifted"]] for row in rows),
        )
        total = sum(each.extended + each.lifted for each in counts)
        work.out.show({"waivers": rows, "total": total}, lambda console: console.print(table))


def _waiving(pathway: Pathway) -> str:
    """The pathway's trigger that waives."""
    found = next((each.trigger for each in pathway.table.values() if each.waives), None)
    if found is None:
        raise WrongUse(
            "The pathway of this case has no waivers.",
            "Le parcours de ce dossier ne prévoit pas de dérogations.",
            remedy="Publish a version that has them, and migrate the case.",
            remedy_fr="Publiez une version qui en prévoit, et migrez le dossier.",
        )
    return found
