"""`segin consent`: what a person agreed to, refused and took back."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from deployments.cli.acts import Acting, CommandId, new_code, record
from deployments.cli.cases import Code
from deployments.cli.desk import AsLogin, AsRole, desk
from deployments.cli.output import AsJson
from models import WrongUse
from models.caseload import find_case
from models.database import read_session
from models.referral_list import consents_of, find_partner
from states.casework.consents import ConsentAnswer, Revocation, record_consents, revoke_consents
from states.moves import Outcome
from states.record_words import PURPOSE_WORDS
from states.referral_words import INFORMATION_WORDS

consent_app = typer.Typer(no_args_is_help=True, help="Consents: list, record and revoke.")


class Purpose(StrEnum):
    """What the person is asked for."""

    ASSISTANCE = "assistance"
    SHARING = "sharing"


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(consent_app, name="consent")


@consent_app.command("list")
def list_(code: Code, as_json: AsJson = False) -> None:
    """Every answer of the person, the first one first; the newest for a purpose and recipient counts."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        found: list[dict[str, Any]] = [
            {
                "code": consent.code,
                "purpose": consent.purpose,
                "partner": "*" if consent.any_partner else partner,
                "information": consent.information,
                "status": consent.status,
                "source": consent.source,
                "recorded_at": consent.recorded_at,
                "revoked_at": consent.revoked_at,
            }
            for consent, partner in consents_of(session, case.id or 0)
        ]
        out = work.out

        def words(codes: list[str]) -> str:
            return ", ".join(out.say(*INFORMATION_WORDS[one]) if one in INFORMATION_WORDS else one for one in codes)

        table = out.table(
            [
                ("Consentement", "Consent"),
                ("Finalité", "Purpose"),
                ("Partenaire", "Partner"),
                ("Informations", "Information"),
                ("Étape", "Status"),
                ("Source", "Source"),
                ("Enregistré", "Recorded"),
                ("Retiré", "Revoked"),
            ],
            (
                [
                    *(one["code"], out.say(*PURPOSE_WORDS[one["purpose"]]), one["partner"], words(one["information"])),
                    *(one["status"], one["source"], out.when(one["recorded_at"]), out.when(one["revoked_at"])),
                ]
                for one in found
            ),
        )
        out.show({"code": case.code, "consents": found}, lambda console: console.print(table))


@consent_app.command("record")
def record_(
    code: Code,
    purpose: Annotated[Purpose, typer.Argument(help="What the person was asked for.")],
    partner: Annotated[str | None, typer.Option(help="The partner that it is about (its code).")] = None,
    any_partner: Annotated[
        bool, typer.Option("--any-partner", help="The person said that it may be any partner.")
    ] = False,
    information: Annotated[list[str] | None, typer.Option(help="What may be shared; repeatable.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="The person said no.")] = False,
    form: Annotated[str | None, typer.Option(help="SHA-256 of the scan of the signed form.")] = None,
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Record what the person answered. A refusal revokes what was given before for the same recipient."""
    if partner is not None and any_partner:
        raise WrongUse(
            "Name one partner, or say --any-partner.",
            "Nommez un partenaire, ou dites --any-partner.",
            remedy="Record two answers when there are two.",
            remedy_fr="Enregistrez deux réponses s'il y en a deux.",
        )

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        answer = ConsentAnswer(
            **here.signed,
            code=new_code(),
            purpose=purpose.value,
            given=not refused,
            partner_id=None if partner is None else find_partner(here.session, partner).id,
            any_partner=any_partner,
            information=tuple(information or ()),
            source="interview" if form is None else "form",
            form_sha256=form,
        )
        (outcome,) = record_consents(here.session, [answer], now=here.desk.now())
        return outcome, {"consent": answer.code}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@consent_app.command("revoke")
def revoke(
    code: Code,
    consent: Annotated[str, typer.Argument(help="Code of the consent, as `segin consent list` says.")],
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """The person takes a consent back: open referrals that lean on it are revoked, and their partners told."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        (outcome,) = revoke_consents(here.session, [Revocation(**here.signed, consent=consent)], now=here.desk.now())
        return outcome, {"consent": consent}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)
