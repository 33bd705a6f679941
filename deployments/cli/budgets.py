"""`segin budget`: what may be spent on grants, and what was committed, given back and spent of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import AsJson
from models.caseload import find_office
from models.database import read_session, write_session
from states.casework.budgets import BudgetState, NewBudget, add_budget, list_budgets, show_budget

budget_app = typer.Typer(no_args_is_help=True, help="Budgets that pay for grants.")

BudgetCode = Annotated[str, typer.Argument(help="Code of the budget.")]
_HEADERS = [
    *(("Budget", "Budget"), ("Titre", "Title"), ("Du", "From"), ("Au", "Until"), ("F CFA", "XOF")),
    *(("Engagé", "Committed"), ("Dépensé", "Spent"), ("Disponible", "Available")),
]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(budget_app, name="budget")


@budget_app.command("add")
def add(
    code: BudgetCode,
    title: Annotated[str, typer.Argument(help="What it is for.")],
    amount: Annotated[int, typer.Option(min=0, help="Whole francs (XOF).")],
    starts: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    ends: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day.")],
    office: Annotated[str | None, typer.Option(help="Code of the office whose budget it is.")] = None,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """Open a budget."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        budget = NewBudget(
            code=code,
            title=title,
            amount_xof=amount,
            starts_on=starts.date(),
            ends_on=ends.date(),
            office_id=None if office is None else find_office(session, office).id,
        )
        add_budget(session, budget, actor=acting(session, login, role), now=work.now())
        session.commit()
        said = work.out.say(f"Budget {code} ouvert : {amount} F CFA.", f"Budget {code} open: XOF {amount}.")
        work.out.show({"code": code, "amount_xof": amount}, lambda console: console.print(said))


@budget_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Budgets as they stand."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        budgets = list_budgets(session)
        table = work.out.table(_HEADERS, [_cells(each) for each in budgets])
        work.out.show({"budgets": [_document(each) for each in budgets]}, lambda console: console.print(table))


@budget_app.command("show")
def show(code: BudgetCode, as_json: AsJson = False) -> None:
    """A budget with every line of its ledger."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        budget, lines = show_budget(session, code)
        kinds = {
            "commitment": work.out.say("engagement", "commitment"),
            "release": work.out.say("restitution", "release"),
            "expense": work.out.say("dépense", "expense"),
        }
        ledger = work.out.table(
            [("N°", "No"), ("Quand", "When"), ("Appui", "Grant"), ("Écriture", "Entry"), ("F CFA", "XOF")],
            ([each.seq, work.out.when(each.at), each.grant, kinds[each.kind], each.amount_xof] for each in lines),
        )

        def render(console: Console) -> None:
            console.print(work.out.table(_HEADERS, [_cells(budget)]), "", ledger, sep="\n")

        work.out.show({**_document(budget), "lines": [each._asdict() for each in lines]}, render)


def _cells(budget: BudgetState) -> list[object]:
    return [*budget, budget.available_xof]


def _document(budget: BudgetState) -> dict[str, Any]:
    return {**budget._asdict(), "available_xof": budget.available_xof}
