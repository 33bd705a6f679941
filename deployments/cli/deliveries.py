"""`segin deliveries`: what partners were sent or are owed, and sending again. `segin partner` brings it along."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from deployments.cli.desk import desk
from deployments.cli.output import AsJson, Limit
from integrations.webhooks.dead_letters import (
    DeliveryLine,
    list_deliveries,
    replay_dead,
    replay_one,
    replay_withheld,
)
from integrations.webhooks.outcomes import WITHHELD, in_words
from models import DeliveryStatus, WrongUse
from models.database import read_session, write_session
from models.referral_list import find_partner

deliveries_app = typer.Typer(no_args_is_help=True, help="What partners were sent, are owed, or could not be sent.")


@deliveries_app.command("list")
def list_(
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only these.")] = None,
    partner: Annotated[str | None, typer.Option(help="Only this partner's (its code).")] = None,
    case: Annotated[str | None, typer.Option(help="Only this case's (its code).")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """The newest deliveries."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        lines = list_deliveries(session, status=status, partner=partner, case_code=case, limit=limit)

        def words(line: DeliveryLine) -> str | None:
            outcome = WITHHELD if line.status == DeliveryStatus.WITHHELD else line.dead_reason or line.outcome
            return None if outcome is None else work.out.say(in_words(outcome).fr, in_words(outcome).en)

        table = work.out.table(
            [
                ("N°", "No"),
                ("Partenaire", "Partner"),
                ("Événement", "Event"),
                ("Dossier", "Case"),
                ("Statut", "Status"),
                ("Essais", "Attempts"),
                ("Prochain essai", "Next attempt"),
                ("Dernière réponse", "Last answer"),
            ],
            (
                [
                    line.id,
                    line.partner,
                    line.event_type,
                    line.case_code,
                    line.status,
                    line.attempts,
                    work.out.when(line.next_attempt_at),
                    words(line),
                ]
                for line in lines
            ),
        )
        work.out.show(
            {"deliveries": [dataclasses.asdict(line) for line in lines]}, lambda console: console.print(table)
        )


@deliveries_app.command("replay")
def replay(
    numbers: Annotated[
        str | None, typer.Argument(help="One delivery by its number (17), or the dead ones of a range (17-40).")
    ] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that are dead.")] = False,
    withheld: Annotated[
        bool, typer.Option("--withheld", help="All that were withheld: whether they may be sent is asked anew.")
    ] = False,
    partner: Annotated[str | None, typer.Option(help="Of several, only this partner's (its code).")] = None,
    since: Annotated[datetime | None, typer.Option(help="Of several, only events since this time (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Send again under the same event ids, in the same order. The number is exact."""
    span = None if numbers is None else _numbers(numbers)
    one = span is not None and "-" not in (numbers or "")
    if [span is not None, dead, withheld].count(True) != 1 or (one and (partner or since)):
        raise WrongUse(
            "Name one delivery or a range, or give --dead or --withheld.",
            "Nommez un envoi ou une suite d'envois, ou donnez --dead ou --withheld.",
            remedy="segin deliveries replay 17, 17-40, or --dead --partner CODE --since TIME.",
            remedy_fr="segin deliveries replay 17, 17-40, ou --dead --partner CODE --since DATE.",
        )
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        if span is not None and one:
            count = replay_one(session, span[0], now=work.now())
        else:
            moment = None if since is None else since.replace(tzinfo=UTC)
            if partner is not None:
                find_partner(session, partner)
            if withheld:
                count = replay_withheld(session, now=work.now(), partner=partner, since=moment)
            else:
                count = replay_dead(session, now=work.now(), partner=partner, since=moment, numbers=span)
        session.commit()
        text = work.out.say(f"{count} envoi(s) remis en file.", f"{count} deliveries will be sent again.")
        work.out.show({"replayed": count}, lambda console: console.print(text))


def _numbers(text: str) -> tuple[int, int]:
    """The first and the last of a range, or twice the same. Raises WrongUse for anything else."""
    found = re.fullmatch(r"([0-9]{1,18})(?:-([0-9]{1,18}))?", text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if first > last:
        raise WrongUse(
            f"{text} is no number and no range of numbers.",
            f"{text} n'est ni un numéro ni une suite de numéros.",
            remedy="Write 17, or 17-40.",
            remedy_fr="Écrivez 17, ou 17-40.",
        )
    return first, last
