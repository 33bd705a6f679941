"""`segin partner subscribe` and `handover`: by which way a partner is told, and what goes out without a system."""

from __future__ import annotations

import dataclasses
import secrets
from typing import Annotated, Literal

import typer
from rich.console import Console

from deployments.cli.desk import Desk, desk
from deployments.cli.output import DONE, FAILED, AsJson
from deployments.cli.partners import partner_app
from flows.hand_over import run_hand_over, ways_of
from integrations.bridges.formats import bridge_named
from integrations.notices.drop import make_folder
from integrations.notices.outcomes import OK, WORDS
from integrations.webhooks.subscriptions import add_subscription, new_secret
from models import WrongUse
from models.database import write_session
from models.partner import CLOUDEVENTS, Channel


def add_commands(_app: typer.Typer) -> None:
    """Put this room's commands beside those of `segin partner`."""
    partner_app.command("subscribe")(subscribe)
    partner_app.command("handover")(hand_over)


def subscribe(
    code: Annotated[str, typer.Argument(help="The partner's code.")],
    channel: Annotated[
        Channel, typer.Option(help="By which way: posted, asked for with a token, a daily message, daily files.")
    ] = Channel.WEBHOOK,
    url: Annotated[str | None, typer.Option(help="Where it goes: https, or an e-mail address.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Event type; repeatable; none: all.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="First-level P-code; repeatable; none: all.")] = None,
    format_: Annotated[
        str, typer.Option("--format", help="cloudevents, or the name of a mapping (webhook only).")
    ] = CLOUDEVENTS,
    language: Annotated[
        Literal["fr", "en"] | None, typer.Option(help="Of messages and files; none: that of the settings.")
    ] = None,
    secret: Annotated[str | None, typer.Option(help="A webhook's Standard Webhooks secret; none: a new one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a partner by one more way, from the next event on. The secret of a webhook is shown now and never again."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        if format_ != CLOUDEVENTS:
            bridge_named(format_, work.settings.bridges_dir)
        shown = (secret or new_secret(secrets.token_bytes)) if channel == Channel.WEBHOOK else None
        if secret is not None and shown is None:
            raise WrongUse(
                "Only a webhook has a secret.",
                "Seul un webhook a un secret.",
                remedy="Leave --secret out.",
                remedy_fr="Omettez --secret.",
            )
        subscription = add_subscription(
            session,
            partner=code,
            url=url,
            secret=shown or "",
            now=work.now(),
            event_types=event or (),
            regions=region or (),
            channel=channel,
            format_=format_,
            language=language or work.settings.language,
            allow_loopback=work.settings.allow_loopback_webhooks,
        )
        if channel == Channel.DROP:
            _make_folder(work, code)
        session.commit()
        data = {
            "partner": code,
            "subscription": subscription.id,
            "channel": channel,
            "url": subscription.url,
            "format": format_,
            "language": subscription.language,
            "event_types": subscription.event_types,
            "regions": subscription.regions,
            "secret": shown,
        }

        def render(console: Console) -> None:
            number = subscription.id
            console.print(work.out.say(f"Abonnement {number} ajouté.", f"Subscription {number} added."))
            if shown is not None:
                console.print(work.out.say("Secret, montré cette seule fois : ", "Secret, shown this once: ") + shown)

        work.out.show(data, render)


def hand_over(as_json: AsJson = False) -> None:
    """Send the messages and put down the files that partners are owed, as each night does. 1: something failed."""
    with desk(as_json=as_json) as work:
        done = list(run_hand_over(work.engine, ways_of(work.settings), clock=work.now))
        lines = []
        for each in done:
            (what, remedy) = WORDS[each.outcome]
            said = {
                "explanation_fr": what.fr,
                "explanation_en": what.en,
                "advice_fr": remedy.fr,
                "advice_en": remedy.en,
            }
            lines.append(dataclasses.asdict(each) | said)

        def render(console: Console) -> None:
            if not lines:
                console.print(work.out.say("Personne à servir ainsi.", "Nobody to serve in this way."))
            for line in lines:
                console.print(
                    f"{line['partner']} · {line['channel']} · "
                    + work.out.say(
                        f"{line['events']} événement(s) · {line['explanation_fr']}",
                        f"{line['events']} event(s) · {line['explanation_en']}",
                    )
                )
                if line["outcome"] != OK:
                    console.print("→ " + work.out.say(line["advice_fr"], line["advice_en"]))

        work.out.show({"subscriptions": lines, "failed": sum(each.outcome != OK for each in done)}, render)
    raise typer.Exit(DONE if all(each.outcome == OK for each in done) else FAILED)


def _make_folder(work: Desk, code: str) -> None:
    root = work.settings.drop_dir
    if root is None:
        raise WrongUse(
            "There is no folder for the files of partners.",
            "Il n'y a pas de dossier pour les fichiers des partenaires.",
            remedy="Set SEGIN_DROP_DIR to a folder that exists.",
            remedy_fr="Donnez à SEGIN_DROP_DIR un dossier qui existe.",
        )
    try:
        make_folder(root, code)
    except OSError:
        raise WrongUse(
            f"The folder {code} cannot be made in the folder for the files of partners.",
            f"Le dossier {code} ne peut pas être créé dans le dossier des fichiers des partenaires.",
            remedy="See that SEGIN_DROP_DIR exists, may be written, and has nothing else of that name.",
            remedy_fr="Vérifiez que SEGIN_DROP_DIR existe, est accessible et n'a rien d'autre de ce nom.",
        ) from None
