"""`segin partner scoreboard`: what each partner makes of what it is asked and told, as numbers."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from deployments.cli.desk import Desk, desk
from deployments.cli.output import AsJson, Output
from deployments.cli.partners import partner_app
from models.database import read_session
from models.errors import WrongUse
from models.scoreboard import PartnerScore, Period, Spread, scoreboard
from states.silence import ASKS

_DAY = ["%Y-%m-%d"]


def add_commands(_app: typer.Typer) -> None:
    """Put this room's command beside those of `segin partner`."""
    partner_app.command("scoreboard")(scoreboard_)


def scoreboard_(
    first: Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="The first day; none: ever.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="The last day; none: until now.")] = None,
    partner: Annotated[str | None, typer.Option(help="Only this partner (its code).")] = None,
    as_json: AsJson = False,
) -> None:
    """For each partner: referrals, events and deliveries, how long it takes, and since when it is silent. Counts and
    hours only."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        period = _period(work, first, last)
        scores = scoreboard(session, ASKS, now=work.now(), period=period, partner=partner)
        work.out.show(
            {"from": period.since, "to": period.until, "partners": [dataclasses.asdict(score) for score in scores]},
            lambda console: _render(work.out, console, scores),
        )


def _period(work: Desk, first: datetime | None, last: datetime | None) -> Period:
    """From the midnight before the first day to the one after the last, in the programme's time zone."""
    if first is not None and last is not None and first > last:
        raise WrongUse(
            "The first day is not after the last.",
            "Le premier jour n'est pas après le dernier.",
            remedy="Write for instance --from 2024-01-01 --to 2024-06-30.",
            remedy_fr="Écrivez par exemple --from 2024-01-01 --to 2024-06-30.",
        )
    ends = (first, None if last is None else last + timedelta(days=1))
    timezone = work.settings.timezone
    return Period(*(None if day is None else day.replace(tzinfo=timezone).astimezone(UTC) for day in ends))


def _render(out: Output, console: Console, scores: list[PartnerScore]) -> None:
    partner = ("Partenaire", "Partner")
    referrals = [
        *(partner, ("Orientations", "Referrals"), ("Sans réponse", "Open"), ("Acceptées", "Accepted")),
        *(("Refusées", "Rejected"), ("Servies", "Done"), ("Retirées", "Revoked"), ("Éteintes", "Expired")),
        *(("En retard", "Late"), ("Réponse (h)", "Answer (h)"), ("Service (h)", "Service (h)")),
    ]
    events = [
        *(partner, ("Événements", "Events"), ("Reçus", "Received"), ("À confirmer", "Asking")),
        *(("Confirmés", "Acknowledged"), ("Confirmation (h)", "Acknowledgement (h)"), ("Envois en file", "Waiting")),
        *(("Arrivés", "Delivered"), ("Abandonnés", "Dead"), ("Retenus", "Withheld"), ("Essais", "Attempts")),
        *(("Échoués", "Failed"), ("Dernier signe", "Last sign")),
    ]
    console.print(out.table(referrals, (_referral_cells(score) for score in scores)), "", sep="\n")
    console.print(out.table(events, (_event_cells(out, score) for score in scores)), "", sep="\n")
    for score in scores:
        if score.referrals.reasons:
            why = ", ".join(f"{code} {number}" for code, number in score.referrals.reasons.items())
            console.print(f"{score.partner} · {out.say('refus', 'rejections')} : {why}")
    console.print(
        out.say(
            "Heures : médiane / neuf sur dix, nuits et jours chômés compris.",
            "Hours: median / nine of ten, nights and days off included.",
        )
    )


def _referral_cells(score: PartnerScore) -> list[object]:
    its = score.referrals
    counts = [its.made, its.open, its.accepted, its.rejected, its.done, its.revoked, its.expired, its.late]
    return [score.partner, *counts, _hours(its.answer_hours), _hours(its.service_hours)]


def _event_cells(out: Output, score: PartnerScore) -> list[object]:
    its, sent = score.events, score.deliveries
    return [
        *(score.partner, its.shown, its.received, its.asking, its.acknowledged, _hours(its.acknowledgement_hours)),
        *(sent.pending + sent.sending, sent.delivered, sent.dead, sent.withheld, sent.attempts, sent.attempts_failed),
        out.when(score.silent_since),
    ]


def _hours(spread: Spread) -> str:
    return "" if spread.number == 0 else f"{spread.median:.1f} / {spread.p90:.1f}"
