"""`segin pathway replay`: what another policy would have made of the real past. It writes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from deployments.cli.desk import Desk, desk
from deployments.cli.output import AsJson, Limit
from deployments.cli.pathway import pathway_app
from deployments.cli.pathway_change import Mapped
from deployments.cli.pathway_replay_view import show_replay
from models.database import read_session
from models.errors import WrongUse
from states.change.mapping import NO_NAMES, read_names
from states.change.sides import read_side
from states.pathways.shelf import newest_besides
from states.replay.chunks import Question, replay
from states.replay.report import ReplayReport
from states.replay.tally import CaseDifference

_DAY = ["%Y-%m-%d"]


def add_commands(_app: typer.Typer) -> None:
    """Put this room's commands beside those of `segin pathway`."""
    pathway_app.command("replay")(replay_)


def replay_(
    new: Annotated[str, typer.Argument(metavar="NEW", help="The policy: a pathway file, or a published version.")],
    since: Annotated[datetime, typer.Option("--from", formats=_DAY, help="The first day on which it counts.")],
    until: Annotated[datetime, typer.Option("--to", formats=_DAY, help="The last day that is replayed.")],
    mapped: Mapped = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """What another policy would have made of the cases that were open between two days: closings, refusals, breaches,
    and tasks for each role. Nothing is written."""
    with desk(as_json=as_json) as work:
        question = _question(work, new, since, until, mapped or [])
        with work.out.progress.status(work.out.say("Les dossiers…", "The cases…")) as status:
            report = replay(work.engine, question, on_progress=lambda done, every: status.update(f"{done:,}/{every:,}"))
        work.out.show(replay_document(report, limit), lambda console: show_replay(console, work.out, report, limit))


def _question(work: Desk, new: str, first: datetime, last: datetime, mapped: list[str]) -> Question:
    """The question in instants: from the midnight before the first day to the one after the last, in the programme's
    time zone, never later than now."""
    followed = work.pathway()
    with read_session(work.engine) as session:
        pathway = read_side(session, new, followed.name).pathway
        names = NO_NAMES
        if mapped:
            changed = followed.name == pathway.name and followed.content_hash != pathway.content_hash
            names = read_names(mapped, followed if changed else newest_besides(session, pathway), pathway)
    now = work.now()
    since, until = (day.replace(tzinfo=pathway.timezone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    if since >= until or until - timedelta(days=1) > now:
        raise WrongUse(
            "The days of a replay are in the past, and the first is not after the last.",
            "Les jours d'un rejeu sont passés, et le premier n'est pas après le dernier.",
            remedy="Write for instance --from 2024-01-01 --to 2024-06-30.",
            remedy_fr="Écrivez par exemple --from 2024-01-01 --to 2024-06-30.",
        )
    return Question(pathway, since, min(until, now), names, work.settings.nightly_hour)


def replay_document(report: ReplayReport, limit: int) -> dict[str, Any]:
    """The report as JSON, with at most so many of the cases that would have gone another way."""
    return {
        "pathway": f"{report.name}@{report.version}",
        "from": report.since,
        "to": report.until,
        "replayed": report.replayed,
        "moves": report.moves,
        "refused": {
            "cases": report.refused_cases,
            "moves": report.refused_moves,
            "only_follow": report.following_moves,
            "possible_later": report.later_moves,
            "not_told": report.unknown,
        },
        "refusals": [
            line._asdict() | {"title": line.title._asdict(), "reason": line.reason._asdict()}
            for line in report.refusals
        ],
        "closings": report.closings._asdict(),
        "breaches": {"cases_with_more": report.cases_breached, "cases_with_fewer": report.cases_spared},
        "deadlines": [line._asdict() | {"title": line.title._asdict()} for line in report.deadlines],
        "tasks": [line._asdict() | {"title": line.title._asdict(), "more": line.more} for line in report.tasks],
        "states": [line._asdict() | {"title": line.title._asdict()} for line in report.states],
        "differ": len(report.cases),
        "cases": [_case(case) for case in report.cases[:limit]],
    }


def _case(case: CaseDifference) -> dict[str, Any]:
    return case._asdict() | {
        "days": None if case.days is None else round(case.days, 2),
        "refused": [
            {
                "at": each.at,
                "trigger": each.trigger,
                "only_follows": each.follows,
                "possible_at": each.made_at,
                "reasons": [reason._asdict() for reason in each.reasons],
            }
            for each in case.refused
        ],
    }
