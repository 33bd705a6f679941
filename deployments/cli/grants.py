"""`segin grant`: grants with their plans and proofs, and the signatures on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.acts import Acting, CommandId, record
from deployments.cli.cases import Code
from deployments.cli.desk import AsLogin, AsRole, desk, typed_code
from deployments.cli.output import AsJson, Limit
from models.database import read_session
from states.casework.approvals import Approval, approve_grants, confirm_grants, endorse_grants
from states.casework.grant_list import GrantFile, list_grants, show_grant
from states.casework.livelihood import EndOfGrant, OnGrant, cancel_grants, reject_grants
from states.moves import Outcome

grant_app = typer.Typer(no_args_is_help=True, help="Grants to start an activity, in kind.")

GrantCode = Annotated[str, typer.Argument(help="Code of the grant, as `segin grant list` says.", callback=typed_code)]
Reason = Annotated[str, typer.Option(help="A reason of the pathway for steps of records: see `segin pathway show`.")]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(grant_app, name="grant")


@grant_app.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help="Only those at this step: planned, approved, ...")] = None,
    budget: Annotated[str | None, typer.Option(help="Only those that this budget pays.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Grants, the newest first."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        grants = list_grants(session, status=status, budget=budget, limit=limit)
        table = work.out.table(
            [
                *(("Appui", "Grant"), ("Dossier", "Case"), ("Sorte", "Kind"), ("Activité", "Activity")),
                *(
                    ("Étape", "Step"),
                    ("F CFA", "XOF"),
                    ("Acheté", "Bought"),
                    ("Budget", "Budget"),
                    ("Projet", "Project"),
                ),
            ],
            (
                [
                    *(each.code, each.case, each.kind, each.activity, each.status, each.amount_xof, each.spent_xof),
                    *(each.budget, each.project),
                ]
                for each in grants
            ),
        )
        work.out.show({"grants": [each._asdict() for each in grants]}, lambda console: console.print(table))


@grant_app.command("show")
def show(grant: GrantCode, as_json: AsJson = False) -> None:
    """One grant: its plan, what was bought with which proof, and what was found on site."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        found = show_grant(session, grant)
        document = _document(found)
        summary = found.summary

        def render(console: Console) -> None:
            console.print(
                f"{summary.code} · {summary.activity} · {summary.status} · {summary.amount_xof} F CFA", style="bold"
            )
            plan = [[each.position, each.item, each.quantity, each.unit_price_xof] for each in found.lines]
            console.print(work.out.table([("N°", "No"), ("Article", "Item"), ("Qté", "Qty"), ("Prix", "Price")], plan))
            bought = [[each.position, each.supplier, each.amount_xof, each.proof] for each in found.purchases]
            names = [("N°", "No"), ("Fournisseur", "Supplier"), ("F CFA", "XOF"), ("Preuve", "Proof")]
            console.print(work.out.table(names, bought))
            visits = [[each.visited_on, each.finding, each.next_on] for each in found.visits]
            console.print(work.out.table([("Visite", "Visit"), ("Constat", "Finding"), ("Suite", "Next")], visits))

        work.out.show(document, render)


@grant_app.command("approve")
def approve(
    code: Code,
    grant: GrantCode,
    budget: Annotated[str, typer.Option(help="Code of the budget that pays.")],
    second: Annotated[bool, typer.Option("--second", help="This is the second of two signatures.")] = False,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Approve a grant; a refusal says what the budget has left."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        approval = Approval(**here.signed, grant=grant, budget=budget)
        (outcome,) = (confirm_grants if second else approve_grants)(here.session, [approval], now=here.desk.now())
        return outcome, {"grant": grant}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@grant_app.command("endorse")
def endorse(
    code: Code,
    grant: GrantCode,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Give the first of two signatures."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        (outcome,) = endorse_grants(here.session, [OnGrant(**here.signed, grant=grant)], now=here.desk.now())
        return outcome, {"grant": grant}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@grant_app.command("reject")
def reject(
    code: Code,
    grant: GrantCode,
    reason: Reason,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Send a business plan back to be revised."""
    act = _ending(reject_grants, grant, reason)
    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@grant_app.command("cancel")
def cancel(
    code: Code,
    grant: GrantCode,
    reason: Reason,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """End a grant for good; what was not spent goes back to its budget."""
    act = _ending(cancel_grants, grant, reason)
    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


def _ending(how: Any, grant: str, reason: str) -> Callable[[Acting], tuple[Outcome, dict[str, Any]]]:
    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        (outcome,) = how(here.session, [EndOfGrant(**here.signed, grant=grant, reason=reason)], now=here.desk.now())
        return outcome, {"grant": grant}

    return act


def _document(found: GrantFile) -> dict[str, Any]:
    grant = found.grant
    return {
        **found.summary._asdict(),
        "market": grant.market,
        "own_xof": grant.own_xof,
        "revision": grant.revision,
        "reason": grant.reason,
        "approved_at": grant.approved_at,
        "delivered_at": grant.delivered_at,
        "delivery_reference": grant.delivery_reference,
        "verified_at": grant.verified_at,
        "lines": [
            {
                "position": each.position,
                "item": each.item,
                "quantity": each.quantity,
                "unit_price_xof": each.unit_price_xof,
            }
            for each in found.lines
        ],
        "purchases": [
            {
                "position": each.position,
                "supplier": each.supplier,
                "quantity": each.quantity,
                "amount_xof": each.amount_xof,
                "proof": each.proof,
                "proof_sha256": each.proof_sha256,
                "recorded_at": each.recorded_at,
            }
            for each in found.purchases
        ],
        "visits": [
            {"visited_on": each.visited_on, "finding": each.finding, "next_on": each.next_on} for each in found.visits
        ],
    }
