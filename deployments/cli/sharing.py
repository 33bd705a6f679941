"""`segin sharing`: which partner got what about a person, when and on which grounds, and what it did not get."""

from __future__ import annotations

import dataclasses
from typing import Final

import typer
from rich.console import Console

from deployments.cli.agreements import field_words
from deployments.cli.cases import Code
from deployments.cli.desk import desk
from deployments.cli.output import AsJson, Output
from integrations.sharing.covering import Reason
from integrations.sharing.ledger import LOOK, STOPPED, STREAM, LedgerEntry, sharing_ledger
from models.caseload import find_case
from models.database import read_session
from models.sharing import Way
from states.pathway import Text

WAY_WORDS: Final = {
    Way.PUSH: Text("envoi", "sent"),
    Way.FEED: Text("lu dans son flux", "read in its stream"),
    Way.EMAIL: Text("message", "message"),
    Way.DROP: Text("fichier", "file"),
    Way.ACKNOWLEDGEMENT: Text("sa confirmation", "its acknowledgement"),
    STREAM: Text("flux, pas encore reçu", "stream, not received yet"),
    STOPPED: Text("arrêté : consentement repris avant l'envoi", "stopped: consent taken back before it was sent"),
    LOOK: Text("consultation", "look"),
}
REASON_WORDS: Final = {
    Reason.NO_AGREEMENT: Text("pas d'accord qui le couvre", "no agreement covers it"),
    Reason.NO_CONSENT: Text("pas de consentement", "no consent"),
    Reason.NOTHING_SHOWN: Text("rien à reprendre : rien montré avant", "nothing to take back: nothing shown before"),
    Reason.TAKEN_BACK: Text("repris avant d'être montré", "taken back before it was shown"),
    Reason.OTHERS_REFERRAL: Text("orientation vers un autre partenaire", "referral to another partner"),
    Reason.NOT_IN_CATALOGUE: Text("type d'événement inconnu", "unknown type of event"),
}


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.command("sharing")(sharing)


def sharing(code: Code, as_json: AsJson = False) -> None:
    """The person's sharing ledger: which partner got which field, when, by which way, under which consent and
    agreement, when it received and acknowledged it; what was taken back and how far each partner has it; and what was
    withheld and why."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        entries = sharing_ledger(session, case.id or 0)
        shown = [each for each in entries if each.withheld is None]
        withheld = [each for each in entries if each.withheld is not None]
        data = {
            "code": case.code,
            "shown": [_document(each, "withheld") for each in shown],
            "taken_back": [
                {"at": each.at, "what": each.what, "partner": each.partner, "event": each.event, "way": each.way}
                | {name: getattr(each, name) for name in ("received_at", "reminded_at", "acknowledged_at")}
                for each in shown
                if each.takes_back
            ],
            "withheld": [
                {"at": each.at, "partner": each.partner, "what": each.what, "reason": each.withheld}
                for each in withheld
            ],
        }

        def render(console: Console) -> None:
            _render(console, work.out, shown, withheld)

        work.out.show(data, render)


def _document(entry: LedgerEntry, *without: str) -> dict[str, object]:
    return {name: value for name, value in dataclasses.asdict(entry).items() if name not in without}


def _render(console: Console, out: Output, shown: list[LedgerEntry], withheld: list[LedgerEntry]) -> None:
    if not shown:
        console.print(out.say("Aucun partenaire n'a rien reçu de ce dossier.", "No partner got anything of this case."))
    else:
        console.print(_shown(out, shown))
    if taken_back := [each for each in shown if each.takes_back]:
        console.print(_taken_back(out, taken_back))
    if withheld:
        console.print(
            out.table(
                [("Événement du", "Event of"), ("Partenaire", "Partner"), ("Quoi", "What"), ("Pourquoi", "Why")],
                (
                    [out.when(each.at), each.partner, each.what, out.say(*REASON_WORDS[Reason(each.withheld or "")])]
                    for each in withheld
                ),
                title=out.say("Retenu", "Withheld"),
            )
        )


def _taken_back(out: Output, entries: list[LedgerEntry]) -> object:
    return out.table(
        [
            ("Quand", "When"),
            ("Quoi", "What"),
            ("Partenaire", "Partner"),
            ("Par", "By"),
            ("Reçu", "Received"),
            ("Relancé", "Reminded"),
            ("Confirmé", "Acknowledged"),
        ],
        (
            [
                *(out.when(each.at), each.what, each.partner, out.say(*WAY_WORDS[each.way or STREAM])),
                *(out.when(at) for at in (each.received_at, each.reminded_at, each.acknowledged_at)),
            ]
            for each in entries
        ),
        title=out.say("Repris", "Taken back"),
    )


def _shown(out: Output, shown: list[LedgerEntry]) -> object:
    return out.table(
        [
            ("Quand", "When"),
            ("Partenaire", "Partner"),
            ("Par", "By"),
            ("Quoi", "What"),
            ("Champs", "Fields"),
            ("Accord", "Agreement"),
            ("Consentement", "Consent"),
            ("Reçu", "Received"),
            ("Confirmé", "Acknowledged"),
        ],
        (
            [
                out.when(each.at),
                each.partner,
                out.say(*WAY_WORDS[each.way or STREAM]),
                each.what,
                ", ".join(field_words(out, name) for name in each.fields),
                each.agreement and f"{each.agreement} v{each.agreement_version}",
                each.consent,
                out.when(each.received_at),
                out.when(each.acknowledged_at),
            ]
            for each in shown
        ),
        title=out.say("Montré", "Shown"),
    )
