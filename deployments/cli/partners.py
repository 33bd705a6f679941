"""`segin partner`: who receives events, on what terms, whether their endpoint answers, and new secrets."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from sqlmodel import Session

from deployments.cli.deliveries import deliveries_app
from deployments.cli.desk import Desk, desk
from deployments.cli.output import DONE, FAILED, AsJson
from integrations.webhooks.advice import what_to_do
from integrations.webhooks.claim import endpoint_of
from integrations.webhooks.outcomes import OK, in_words
from integrations.webhooks.rotation import rotate_key, rotate_secret
from integrations.webhooks.subscriptions import (
    SubscriptionLine,
    add_partner,
    add_subscription,
    check_is_webhook,
    find_subscriptions,
    list_subscriptions,
    new_secret,
    pause,
    resume,
    unknown_subscription,
)
from integrations.webhooks.trial import try_endpoint
from models import WrongUse
from models.database import read_session, write_session
from models.partner import CLOUDEVENTS, Channel
from states.calendar import Span

partner_app = typer.Typer(no_args_is_help=True, help="Partner systems and what they subscribe to.")

Named = Annotated[
    str, typer.Argument(metavar="CODE_OR_SUBSCRIPTION", help="A partner's code, or a subscription's number.")
]
Numbered = Annotated[int, typer.Argument(help="The subscription's number, as `segin partner list` shows it.")]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(partner_app, name="partner")
    app.add_typer(deliveries_app, name="deliveries")


@partner_app.command("add")
def add(
    code: Annotated[str, typer.Argument(help="Small letters, digits and hyphens.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    url: Annotated[str | None, typer.Option(help="Where its events go; https; none: no subscription yet.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Event type; repeatable; none: all.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="First-level P-code; repeatable; none: all.")] = None,
    secret: Annotated[str | None, typer.Option(help="Its Standard Webhooks secret; none: a new one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a partner, with a first webhook when its address is given. The secret is shown now and never again."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        shown = None if url is None else secret or new_secret(secrets.token_bytes)
        add_partner(session, code=code, name=name, now=work.now())
        subscription = None
        if shown is None:
            _refuse_without_url(secret, event, region)
        else:
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
            "subscription": subscription and subscription.id,
            "url": url,
            "event_types": [] if subscription is None else subscription.event_types,
            "regions": [] if subscription is None else subscription.regions,
            "secret": shown,
        }

        def render(console: Console) -> None:
            console.print(work.out.say(f"Partenaire {code} ajouté.", f"Partner {code} added."))
            if shown is not None:
                console.print(work.out.say("Secret, montré cette seule fois : ", "Secret, shown this once: ") + shown)

        work.out.show(data, render)


@partner_app.command("list")
def list_partners(as_json: AsJson = False) -> None:
    """Every subscription, without its secret."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        _show(work, list_subscriptions(session))


@partner_app.command("pause")
def pause_(named: Named, as_json: AsJson = False) -> None:
    """Let what is owed wait until you resume it. A disabled subscription stays so."""
    _change(named, lambda _work, session, id_: pause(session, id_), as_json=as_json)


@partner_app.command("resume")
def resume_(named: Named, as_json: AsJson = False) -> None:
    """Send again, from now on, what waits for a subscription that is paused, disabled or resting."""
    _change(named, lambda work, session, id_: resume(session, id_, now=work.now()), as_json=as_json)


@partner_app.command("rotate")
def rotate(
    subscription: Numbered,
    overlap: Annotated[str, typer.Option(help="How long the old secret goes on signing beside the new one.")] = "P7D",
    asymmetric: Annotated[
        bool, typer.Option("--asymmetric", help="A new Ed25519 key beside the secret; its public half is shown.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give a subscription a new secret. It is shown now and never again."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        check_is_webhook(session, subscription)
        now, kept = work.now(), _overlap(overlap)
        change = rotate_key if asymmetric else rotate_secret
        shown = change(session, subscription, random_bytes=secrets.token_bytes, overlap=kept, now=now)
        session.commit()
        name = "public_key" if asymmetric else "secret"
        data = {"subscription": subscription, "old_signs_until": now + kept, "secret": None, "public_key": None}

        def render(console: Console) -> None:
            if asymmetric:
                console.print(work.out.say("Clé publique : ", "Public key: ") + shown)
            else:
                console.print(work.out.say("Secret, montré cette seule fois : ", "Secret, shown this once: ") + shown)
            until = work.out.when(now + kept)
            console.print(work.out.say(f"L'ancien signe encore jusqu'au {until}.", f"The old one signs until {until}."))

        work.out.show({**data, name: shown}, render)


@partner_app.command("test")
def try_(subscription: Numbered, as_json: AsJson = False) -> None:
    """Send a signed test event, of no case, and say what the answer means and what to do. 1: it was not received."""
    with desk(as_json=as_json) as work:
        with read_session(work.engine) as session:
            check_is_webhook(session, subscription)
            endpoint = endpoint_of(session, subscription, now=work.now())
        if endpoint is None:
            raise unknown_subscription(subscription)
        trial = asyncio.run(
            try_endpoint(
                endpoint,
                public_url=work.settings.public_url,
                random_bytes=secrets.token_bytes,
                now=work.now(),
                allow_loopback=work.settings.allow_loopback_webhooks,
            )
        )
        said, advice = in_words(trial.outcome), what_to_do(trial.outcome)
        data = {
            "subscription": subscription,
            "url": endpoint.url,
            **dataclasses.asdict(trial),
            "explanation_fr": said.fr,
            "explanation_en": said.en,
            "advice_fr": advice.fr,
            "advice_en": advice.en,
        }

        def render(console: Console) -> None:
            console.print(f"{endpoint.url} · {trial.event_uid} · {trial.duration_ms} ms")
            console.print(work.out.say(_sentence(said.fr), _sentence(said.en)), style="bold")
            console.print(work.out.say(advice.fr, advice.en))

        work.out.show(data, render)
    raise typer.Exit(DONE if trial.outcome == OK else FAILED)


def _change(named: str, change: Callable[[Desk, Session, int], None], *, as_json: bool) -> None:
    """Do it to all that is named, and show how they stand."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        for line in find_subscriptions(session, named):
            change(work, session, line.id)
        session.commit()
        _show(work, find_subscriptions(session, named))


def _show(work: Desk, lines: list[SubscriptionLine]) -> None:
    every = work.out.say("tous", "all")
    table = work.out.table(
        [
            ("Partenaire", "Partner"),
            ("N°", "No"),
            ("Canal", "Channel"),
            ("Adresse", "URL"),
            ("Événements", "Events"),
            ("Régions", "Regions"),
            ("Statut", "Status"),
        ],
        (
            [
                line.partner,
                line.id,
                line.channel if line.format == CLOUDEVENTS else f"{line.channel} ({line.format})",
                line.url,
                ", ".join(line.event_types) or every,
                ", ".join(line.regions) or every,
                _standing(work, line),
            ]
            for line in lines
        ),
    )
    work.out.show({"subscriptions": [dataclasses.asdict(line) for line in lines]}, lambda console: console.print(table))


def _standing(work: Desk, line: SubscriptionLine) -> str:
    """Its status, with the reason when it is disabled and the time until which it rests."""
    if line.status_reason is not None:
        words = in_words(line.status_reason)
        return f"{line.status} ({work.out.say(words.fr, words.en)})"
    if line.status == "active" and line.not_before is not None and line.not_before > work.now():
        until = work.out.when(line.not_before)
        return work.out.say(f"{line.status} (au repos jusqu'au {until})", f"{line.status} (rests until {until})")
    if line.status == "active" and line.channel != Channel.WEBHOOK and line.failing_since is not None:
        since = work.out.when(line.failing_since)
        return work.out.say(f"{line.status} (échoue depuis le {since})", f"{line.status} (failing since {since})")
    return line.status


def _refuse_without_url(secret: str | None, event: list[str] | None, region: list[str] | None) -> None:
    if secret or event or region:
        raise WrongUse(
            "--secret, --event and --region go with --url.",
            "--secret, --event et --region vont avec --url.",
            remedy="Give --url, or add the partner alone and then use `segin partner subscribe`.",
            remedy_fr="Donnez --url, ou ajoutez le partenaire seul puis utilisez `segin partner subscribe`.",
        )


def _overlap(text: str) -> timedelta:
    """A span of days or hours; P0D is none."""
    if text in ("P0D", "PT0S"):
        return timedelta(0)
    try:
        span = Span.parse(text)
    except ValueError:
        span = Span()
    if span.months or span.working_days or not (span.days or span.seconds):
        raise WrongUse(
            f"{text} is no span of days or hours.",
            f"{text} n'est pas une durée en jours ou en heures.",
            remedy="Write P7D, PT12H, or P0D for none.",
            remedy_fr="Écrivez P7D, PT12H, ou P0D pour aucune.",
        )
    return timedelta(days=span.days, seconds=span.seconds)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
