"""`segin partner` and `segin deliveries`: who receives events, what is owed to them, and sending again."""

from __future__ import annotations

import dataclasses
import secrets
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from deployments.cli.desk import desk
from deployments.cli.output import AsJson, Limit
from integrations.webhooks.dead_letters import list_deliveries, replay_dead, replay_one
from integrations.webhooks.outcomes import in_words
from integrations.webhooks.subscriptions import add_partner, add_subscription, list_subscriptions, new_secret
from models import DeliveryStatus, WrongUse
from models.database import read_session, write_session

partner_app = typer.Typer(no_args_is_help=True, help="Partner systems and what they subscribe to.")
deliveries_app = typer.Typer(no_args_is_help=True, help="What partners were sent, are owed, or could not be sent.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(partner_app, name="partner")
    app.add_typer(deliveries_app, name="deliveries")


@partner_app.command("add")
def add(
    code: Annotated[str, typer.Argument(help="Small letters, digits and hyphens.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    url: Annotated[str, typer.Option(help="Where its events go; https.")],
    event: Annotated[list[str] | None, typer.Option(help="Event type; repeatable; none: all.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="First-level P-code; repeatable; none: all.")] = None,
    secret: Annotated[str | None, typer.Option(help="Its Standard Webhooks secret; none: a new one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a partner with its subscription. The secret is shown now and never again."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        shown = secret or new_secret(secrets.token_bytes)
        add_partner(session, code=code, name=name, now=work.now())
        subscription = add_subscription(
            session,
            partner=code,
            url=url,
            secret=shown,
            now=work.now(),
            event_types=event or (),
            regions=region or (),
            allow_loopback=work.settings.allow_loopback_webhooks,
        )
        session.commit()
        data = {
            "partner": code,
            "subscription": subscription.id,
            "url": url,
            "event_types": subscription.event_types,
            "regions": subscription.regions,
            "secret": shown,
        }

        def render(console: Console) -> None:
            console.print(work.out.say(f"Partenaire {code} ajouté.", f"Partner {code} added."))
            console.print(work.out.say("Secret, montré cette seule fois : ", "Secret, shown this once: ") + shown)

        work.out.show(data, render)


@partner_app.command("list")
def list_partners(as_json: AsJson = False) -> None:
    """Every subscription, without its secret."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        lines = list_subscriptions(session)
        every = work.out.say("tous", "all")
        table = work.out.table(
            [
                ("Partenaire", "Partner"),
                ("N°", "No"),
                ("Adresse", "URL"),
                ("Événements", "Events"),
                ("Régions", "Regions"),
                ("Statut", "Status"),
            ],
            (
                [
                    line.partner,
                    line.id,
                    line.url,
                    ", ".join(line.event_types) or every,
                    ", ".join(line.regions) or every,
                    line.status,
                ]
                for line in lines
            ),
        )
        work.out.show(
            {"subscriptions": [dataclasses.asdict(line) for line in lines]}, lambda console: console.print(table)
        )


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

        def words(outcome: str | None) -> str | None:
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
                    words(line.dead_reason or line.outcome),
                ]
                for line in lines
            ),
        )
        work.out.show(
            {"deliveries": [dataclasses.asdict(line) for line in lines]}, lambda console: console.print(table)
        )


@deliveries_app.command("replay")
def replay(
    delivery: Annotated[int | None, typer.Argument(help="One delivery, by its number.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that are dead.")] = False,
    partner: Annotated[str | None, typer.Option(help="With --dead: only this partner's (its code).")] = None,
    since: Annotated[datetime | None, typer.Option(help="With --dead: only events since this time (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Send again under the same event ids, in the same order. The number is exact."""
    if (delivery is None) == (not dead) or (delivery is not None and (partner or since)):
        raise WrongUse(
            "Name one delivery, or give --dead.",
            "Nommez un envoi, ou donnez --dead.",
            remedy="segin deliveries replay 17, or segin deliveries replay --dead --partner CODE.",
            remedy_fr="segin deliveries replay 17, ou segin deliveries replay --dead --partner CODE.",
        )
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        if delivery is not None:
            count = replay_one(session, delivery, now=work.now())
        else:
            moment = None if since is None else since.replace(tzinfo=UTC)
            count = replay_dead(session, now=work.now(), partner=partner, since=moment)
        session.commit()
        text = work.out.say(f"{count} envoi(s) remis en file.", f"{count} deliveries will be sent again.")
        work.out.show({"replayed": count}, lambda console: console.print(text))
