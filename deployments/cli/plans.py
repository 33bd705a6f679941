"""`segin plan`: the reintegration plan of a case, drafted from a file, approved by somebody else, carried out item by
item, and shown with its history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from deployments.cli.acts import Acting, CommandId, new_code, record, text_of
from deployments.cli.cases import Code
from deployments.cli.desk import AsLogin, AsRole, desk, typed_code
from deployments.cli.output import AsJson
from deployments.cli.plan_file import read_plan
from deployments.cli.plan_view import document, plan_lines
from models.caseload import find_case
from models.database import read_session
from models.plan_history import plan_history
from states.casework.plans import (
    ItemMove,
    ItemStep,
    PlanDraft,
    PlanStep,
    advance_items,
    approve_plans,
    draft_plans,
    return_plans,
    revise_plans,
    submit_plans,
)
from states.moves import Outcome
from states.pathways.shelf import pathways_of

plan_app = typer.Typer(no_args_is_help=True, help="The reintegration plan of a case.")
item_app = typer.Typer(no_args_is_help=True, help="The items of a plan: start, finish or drop them.")

PlanCode = Annotated[
    str, typer.Argument(metavar="PLAN", help="Code of the plan, as `segin plan show` says.", callback=typed_code)
]
ItemCode = Annotated[
    str, typer.Argument(metavar="ITEM", help="Code of the item, as `segin plan show` says.", callback=typed_code)
]
File = Annotated[Path, typer.Argument(help="A YAML or JSON file with the plan, or - for the standard input.")]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    plan_app.add_typer(item_app, name="item")
    app.add_typer(plan_app, name="plan")


@plan_app.command("draft")
def draft(
    code: Code,
    file: File,
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Draft the next revision of the plan. What earlier ones meant to do goes on, but for what the file drops."""
    _draft(draft_plans, code, new_code(), file, login, role, command_id, as_json)


@plan_app.command("revise")
def revise(
    code: Code,
    plan: PlanCode,
    file: File,
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Change a draft, or a plan that was returned: its needs are those of the file, its items are added."""
    _draft(revise_plans, code, plan, file, login, role, command_id, as_json)


@plan_app.command("submit")
def submit(
    code: Code,
    plan: PlanCode,
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Ask for the approval of a draft."""
    _step(submit_plans, code, plan, None, login, role, command_id, as_json)


@plan_app.command("approve")
def approve(
    code: Code,
    plan: PlanCode,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Put a plan in force. Refused for its author."""
    _step(approve_plans, code, plan, None, login, role, command_id, as_json)


@plan_app.command("return")
def return_(
    code: Code,
    plan: PlanCode,
    note: Annotated[str, typer.Option(help="What is missing; it goes to the journal and counts as sensitive.")],
    login: AsLogin = None,
    role: AsRole = "coordinator",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Send a plan back to its author."""
    _step(return_plans, code, plan, note, login, role, command_id, as_json)


@item_app.command("start")
def start(
    code: Code,
    item: ItemCode,
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """An item is under way."""
    _item("start_plan_item", code, item, None, login, role, command_id, as_json)


@item_app.command("finish")
def finish(
    code: Code,
    item: ItemCode,
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """An item is done."""
    _item("finish_plan_item", code, item, None, login, role, command_id, as_json)


@item_app.command("drop")
def drop(
    code: Code,
    item: ItemCode,
    reason: Annotated[str, typer.Option(help="A reason of the pathway: see `segin pathway show`.")],
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """An item will not be done."""
    _item("drop_plan_item", code, item, reason, login, role, command_id, as_json)


def _draft(
    how: Callable[..., list[Outcome]],
    code: str,
    plan: str,
    file: Path,
    login: str | None,
    role: str,
    command_id: str | None,
    as_json: bool,
) -> None:
    text = text_of(file)  # nobody waits for it while others want to write

    def act(at: Acting) -> tuple[Outcome, dict[str, Any]]:
        said = read_plan(at.session, text, file.name)
        drafted = PlanDraft(**at.signed, plan=plan, **said)
        (outcome,) = how(at.session, [drafted], new_code=new_code, now=at.desk.now())
        return outcome, {"plan": plan}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


def _step(
    how: Callable[..., list[Outcome]],
    code: str,
    plan: str,
    note: str | None,
    login: str | None,
    role: str,
    command_id: str | None,
    as_json: bool,
) -> None:
    def act(at: Acting) -> tuple[Outcome, dict[str, Any]]:
        (outcome,) = how(at.session, [PlanStep(**at.signed, plan=plan, note=note)], now=at.desk.now())
        return outcome, {"plan": plan}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


def _item(
    trigger: ItemMove,
    code: str,
    item: str,
    reason: str | None,
    login: str | None,
    role: str,
    command_id: str | None,
    as_json: bool,
) -> None:
    def act(at: Acting) -> tuple[Outcome, dict[str, Any]]:
        step = ItemStep(**at.signed, item=item, reason=reason)
        (outcome,) = advance_items(at.session, trigger, [step], now=at.desk.now())
        return outcome, {"item": item}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@plan_app.command("show")
def plan(code: Code, as_json: AsJson = False) -> None:
    """The plan through its revisions: who drafted and approved it, and what became of each item."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        history = plan_history(session, case.id or 0)
        records = pathways_of(session, [case.pathway_version_id])[case.pathway_version_id].records
        work.out.show(
            {"code": case.code, "revisions": [document(each) for each in history]},
            lambda console: console.print(*plan_lines(work.out, history, records), sep="\n"),
        )
