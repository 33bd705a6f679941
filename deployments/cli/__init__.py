"""The command line. `main` is what `segin` runs: it turns every error into a sentence and an exit code."""

from __future__ import annotations

import os
import sys
import uuid

import structlog
import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError
from typer.exceptions import Abort, TyperException

from deployments.cli import (
    agreements,
    batches,
    bridges,
    budgets,
    calendars,
    care,
    cases,
    consents,
    corrections,
    courses,
    database,
    deadlines,
    digests,
    grants,
    guardians,
    handovers,
    households,
    instruments,
    intake,
    nights,
    partners,
    pathway,
    pathway_change,
    pathway_check,
    pathway_replay,
    people,
    plans,
    processes,
    projects,
    referrals,
    scoreboard,
    screening,
    sharing,
    subscribing,
    tasks,
    tokens,
    vulnerabilities,
    why,
    workload,
)
from deployments.cli.output import FAILED, WRONG_USE, print_json
from models import SeginError

app = typer.Typer(
    name="segin",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Segin: from a returnee's arrival to the closure of the case. "
    "Exit codes: 0 done, 1 failed, 2 wrong use, 3 done in part, 4 locked by another run.",
)
for room in (
    processes,
    database,
    intake,
    cases,
    why,
    corrections,
    batches,
    screening,
    vulnerabilities,
    guardians,
    instruments,
    consents,
    referrals,
    courses,
    grants,
    budgets,
    projects,
    households,
    care,
    plans,
    tasks,
    people,
    handovers,
    workload,
    deadlines,
    digests,
    calendars,
    nights,
    partners,
    subscribing,
    agreements,
    sharing,
    tokens,
    bridges,
    scoreboard,
    pathway,
    pathway_check,
    pathway_change,
    pathway_replay,
):
    room.add_commands(app)

_UNUSABLE_PATH = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


def main() -> None:
    """Run one command and exit with its code. With `--json` an error is one JSON object on standard output too."""
    as_json = "--json" in sys.argv[1:]
    try:
        code = app(prog_name="segin", standalone_mode=False)
    except SeginError as error:
        code = _fail(as_json, error.message_en, error.message_fr, error.remedy, error.remedy_fr, error.exit_code)
    except TyperException as error:
        usage = error.format_message()
        help_en, help_fr = (f"`{_command(error)} --help` {verb}." for verb in ("explains the command", "l'explique"))
        code = _fail(as_json, usage, usage, help_en, help_fr, WRONG_USE)
    except (Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = FAILED
    except _UNUSABLE_PATH as error:
        what = f"{error.filename}: {error.strerror}"
        code = _fail(
            as_json,
            f"A file or folder cannot be used ({what}).",
            f"Un fichier ou un dossier ne peut pas servir ({what}).",
            "Check the path that you gave or that is set (SEGIN_DATA_DIR, SEGIN_BACKUP_DIR), its rights and its disk.",
            "Vérifiez le chemin donné ou réglé (SEGIN_DATA_DIR, SEGIN_BACKUP_DIR), ses droits et son disque.",
            FAILED,
        )
    except DBAPIError as error:
        kind = type(error.orig).__name__
        code = _fail(
            as_json,
            f"The database refused the work ({kind}).",
            f"La base de données a refusé le travail ({kind}).",
            "Check SEGIN_DATABASE_URL, the disk and that `segin db verify` is content.",
            "Vérifiez SEGIN_DATABASE_URL, le disque et ce que dit `segin db verify`.",
            FAILED,
        )
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback with values reaches a terminal
        reference = uuid.uuid4().hex[:8]
        structlog.get_logger().error("command.failed", correlation_id=reference, exc_info=error)
        code = _fail(
            as_json,
            f"Segin met an error that it does not know ({type(error).__name__}).",
            f"Segin a rencontré une erreur inconnue ({type(error).__name__}).",
            f"The log has it under {reference}; nothing half done was kept.",
            f"Le journal technique le décrit sous {reference} ; rien n'a été gardé à moitié.",
            FAILED,
        )
    sys.exit(code or 0)


def _fail(as_json: bool, message_en: str, message_fr: str, remedy: str, remedy_fr: str, code: int) -> int:
    if as_json:
        error = {"message": message_en, "message_fr": message_fr, "remedy": remedy, "remedy_fr": remedy_fr}
        print_json({"error": {**error, "exit_code": code}})
        return code
    french = os.environ.get("SEGIN_LANGUAGE", "fr") != "en"
    console = Console(stderr=True, highlight=False)
    if message_en:  # a group without a command has shown its help instead
        console.print(message_fr if french else message_en, style="bold red", markup=False, soft_wrap=True)
    if remedy:
        console.print(f"→ {remedy_fr if french else remedy}", markup=False, soft_wrap=True)
    return code


def _command(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context is not None else "segin"
