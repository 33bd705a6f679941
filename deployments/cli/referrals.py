"""`segin referral`: what partners were asked for a person, what is awaited, and what they answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.acts import Acting, CommandId, new_code, record
from deployments.cli.desk import AsLogin, AsRole, desk, typed_code
from deployments.cli.output import AsJson, Limit, Output
from models import ReferralStatus
from models.database import read_session
from models.referral_list import ReferralFile, ReferralLine, find_partner, list_referrals, referral_file
from states.casework.progress import Progress, ReferralProgress, progress_of, record_progress
from states.casework.referrals import ReferralAnswer, ReferralRequest, answer_referrals, make_referrals
from states.moves import Outcome
from states.record_words import PRIORITY_WORDS
from states.referral_words import INFORMATION_WORDS, PROGRESS_WORDS, SERVICE_WORDS

Code = Annotated[str, typer.Argument(help="Code of the referral.", callback=typed_code)]

referral_app = typer.Typer(
    no_args_is_help=True, help="Referrals to partners: make, list, show, and record the answers."
)


class Answer(StrEnum):
    """What becomes of a referral."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DONE = "done"
    REVOKED = "revoked"


class Priority(StrEnum):
    """How pressing it is."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(referral_app, name="referral")


@referral_app.command("list")
def list_(
    status: Annotated[ReferralStatus | None, typer.Option(help="Only these.")] = None,
    partner: Annotated[str | None, typer.Option(help="Only to this partner (its code).")] = None,
    case: Annotated[str | None, typer.Option(help="Only this case's (its code).")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those of which something is late.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Referrals, those first of which something is due first. Nobody is named."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        lines = list_referrals(
            session, now=work.now(), status=status, partner=partner, case=case, overdue=overdue, limit=limit
        )
        table = work.out.table(
            [
                ("Orientation", "Referral"),
                ("Dossier", "Case"),
                ("Partenaire", "Partner"),
                ("Priorité", "Priority"),
                ("Étape", "Status"),
                ("Faite", "Made"),
                ("Attendue", "Due"),
            ],
            (
                [
                    *(line.code, line.case, line.partner, _priority(work.out, line), line.status),
                    *(work.out.when(line.made_at), work.out.when(line.due_at)),
                ]
                for line in lines
            ),
        )
        work.out.show({"referrals": [line._asdict() for line in lines]}, lambda console: console.print(table))


@referral_app.command("show")
def show(code: Code, as_json: AsJson = False) -> None:
    """One referral with every field of the form: for eyes that may see it."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        file = referral_file(session, code)
        document = _document(file, progress_of(session, [code]).get(code))

        def render(console: Console) -> None:
            for name, value in _shown(work.out, document).items():
                console.print(f"{name} : {value}")

        work.out.show(document, render)


@referral_app.command("make")
def make(
    case: Annotated[str, typer.Argument(help="Code of the case.")],
    partner: Annotated[str, typer.Argument(help="Code of the partner.")],
    service: Annotated[list[str], typer.Option(help="What is asked for: health, legal, shelter, ...; repeatable.")],
    information: Annotated[list[str] | None, typer.Option(help="What is shared with it; repeatable.")] = None,
    priority: Annotated[Priority, typer.Option(help="Says until when the partner answers.")] = Priority.NORMAL,
    channel: Annotated[str | None, typer.Option(help="in_person, phone, email or system.")] = None,
    language: Annotated[str | None, typer.Option(help="The language of the person.")] = None,
    interpreter: Annotated[bool, typer.Option("--interpreter", help="An interpreter is needed.")] = False,
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Refer the person to a partner. Refused (1) without a consent that names it and everything that is shared."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        request = ReferralRequest(
            **here.signed,
            code=new_code(),
            partner_id=find_partner(here.session, partner).id or 0,
            services=tuple(service),
            information=tuple(information or ()),
            priority=priority.value,
            channel=channel,
            language=language,
            interpreter=interpreter,
        )
        (outcome,) = make_referrals(here.session, [request], now=here.desk.now())
        return outcome, {"referral": request.code}

    record(case, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@referral_app.command("answer")
def answer_(
    code: Code,
    answer: Annotated[Answer, typer.Argument(help="What the partner says, or that it is taken back.")],
    reason: Annotated[str | None, typer.Option(help="Code of the reason: why rejected, or why revoked.")] = None,
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Record what a partner answered, or take the referral back. A refusal exits with 1."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = referral_file(session, code).line.case

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        given = ReferralAnswer(**here.signed, referral=code, answer=answer.value, reason=reason)
        (outcome,) = answer_referrals(here.session, [given], now=here.desk.now())
        return outcome, {"referral": code}

    record(case, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@referral_app.command("progress")
def progress_(
    code: Code,
    progress: Annotated[str, typer.Argument(help=f"{', '.join(PROGRESS_WORDS)}.")],
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today if left out.")] = None,
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Record how far the partner's service is, between its yes and its end. A refusal exits with 1."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = referral_file(session, code).line.case

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        now = here.desk.now()
        today = now.astimezone(here.desk.settings.timezone).date()
        reached = ReferralProgress(**here.signed, referral=code, progress=progress, on=on.date() if on else today)
        (outcome,) = record_progress(here.session, [reached], day=today, now=now)
        return outcome, {"referral": code}

    record(case, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


def _priority(out: Output, line: ReferralLine) -> str:
    return out.say(*PRIORITY_WORDS[line.priority])


def _document(file: ReferralFile, reached: Progress | None) -> dict[str, Any]:
    referral = file.referral
    names = (
        *("services", "information", "reason", "contact", "partner_contact", "channel", "copies", "language"),
        *("interpreter", "caregiver", "caregiver_knows", "separation", "answer", "answered_at"),
    )
    said = {**file.line._asdict(), "consent": file.consent, **{name: getattr(referral, name) for name in names}}
    return said | {"progress": reached and reached.code, "progress_on": reached and reached.on}


def _shown(out: Output, document: dict[str, Any]) -> dict[str, Any]:
    """What is there, with times and lists as a person reads them."""
    words = {"services": SERVICE_WORDS, "information": INFORMATION_WORDS}
    shown: dict[str, Any] = {}
    for name, value in document.items():
        if name.endswith("_at"):
            shown[name] = None if value is None else out.when(value)
        elif isinstance(value, list):
            titles = words.get(name, {})
            shown[name] = ", ".join(out.say(*titles[code]) if code in titles else code for code in value)
        elif isinstance(value, bool):
            shown[name] = out.yes(value)
        else:
            shown[name] = value
    return {name: value for name, value in shown.items() if value not in (None, "")}
