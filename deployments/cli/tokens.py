"""`segin token`: the tokens with which partner systems call the partner API."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.desk import Desk, desk
from deployments.cli.output import AsJson
from integrations.api.tokens import MadeToken, add_token, list_tokens, revoke_token, rotate_token
from models.database import read_session, write_session

token_app = typer.Typer(no_args_is_help=True, help="Tokens of partner systems for the partner API.")

Prefix = Annotated[str, typer.Argument(help="The token's prefix, the part before the dot; see the list.")]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(token_app, name="token")


@token_app.command("add")
def add(
    partner: Annotated[str, typer.Argument(help="The partner's code.")],
    scope: Annotated[list[str], typer.Option(help="What it may be used for; repeatable; docs/api.md lists them.")],
    title: Annotated[str, typer.Option(help="What it is for, so that somebody recognises it in the list.")] = "API",
    expires: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its last day is the one before (UTC); none: a year.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token for a partner. It is shown now and never again."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        made = add_token(
            session,
            partner=partner,
            title=title,
            scopes=scope,
            expires_at=None if expires is None else expires.replace(tzinfo=UTC),
            random_bytes=secrets.token_bytes,
            now=work.now(),
        )
        session.commit()
        _show(work, made, {"partner": partner})


@token_app.command("rotate")
def rotate(
    prefix: Prefix,
    overlap: Annotated[
        int, typer.Option(min=0, max=90, help="For so many days the old one still counts; at most 90.")
    ] = 7,
    as_json: AsJson = False,
) -> None:
    """Make a token that takes the place of another; both count for a while. It is shown now and never again."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        made = rotate_token(
            session, prefix, overlap=timedelta(days=overlap), random_bytes=secrets.token_bytes, now=work.now()
        )
        session.commit()
        _show(work, made, {"replaces": prefix})


@token_app.command("revoke")
def revoke(prefix: Prefix, as_json: AsJson = False) -> None:
    """From now on the token does not count any more."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        token = revoke_token(session, prefix, now=work.now())
        session.commit()
        text = work.out.say(f"Jeton {prefix} révoqué.", f"Token {prefix} revoked.")
        work.out.show({"prefix": prefix, "revoked_at": token.revoked_at}, lambda console: console.print(text))


@token_app.command("list")
def list_(
    partner: Annotated[str | None, typer.Option(help="Only this partner's (its code).")] = None,
    as_json: AsJson = False,
) -> None:
    """Every token, without its secret."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        lines = list_tokens(session, now=work.now(), partner=partner)
        words = {
            "active": work.out.say("actif", "active"),
            "expired": work.out.say("expiré", "expired"),
            "revoked": work.out.say("révoqué", "revoked"),
        }
        table = work.out.table(
            [
                ("Préfixe", "Prefix"),
                ("Partenaire", "Partner"),
                ("Usage", "For"),
                ("Droits", "Scopes"),
                ("Statut", "Status"),
                ("Fin", "Ends"),
                ("Dernier usage", "Last used"),
            ],
            (
                [
                    *(line.prefix, line.partner, line.title, ", ".join(line.scopes), words[line.status]),
                    *(work.out.when(line.expires_at), work.out.when(line.last_used_at)),
                ]
                for line in lines
            ),
        )
        work.out.show({"tokens": [line._asdict() for line in lines]}, lambda console: console.print(table))


def _show(work: Desk, made: MadeToken, about: dict[str, Any]) -> None:
    """The token itself, this once."""
    row = made.row
    data = {**about, "token": made.shown, "prefix": row.prefix, "scopes": row.scopes, "expires_at": row.expires_at}

    def render(console: Console) -> None:
        until = work.out.when(row.expires_at)
        console.print(work.out.say(f"Jeton {row.prefix}, jusqu'au {until}.", f"Token {row.prefix}, until {until}."))
        console.print(work.out.say("Jeton, montré cette seule fois : ", "Token, shown this once: ") + made.shown)

    work.out.show(data, render)
