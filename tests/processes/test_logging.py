"""Nothing about a person leaves through the log, whichever way it is handed in. The name below is synthetic."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import date

import pytest
import structlog
from pydantic import BaseModel
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from deployments.logging import bind_correlation, configure_logging
from models.database import DatabaseUrlError, create_engine_for
from models.settings import Settings
from states.sweep import SweepResult

NAME = "Aminata-Synthetique"


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What the process logs as JSON; the logging of the test run is put back afterwards."""
    hooks = sys.excepthook, threading.excepthook
    root = logging.root.handlers[:], logging.root.level, logging.raiseExceptions
    stream = io.StringIO()
    configure_logging(Settings(log_format="json"), stream)
    yield stream
    logging.captureWarnings(False)
    logging.root.handlers[:], logging.root.level, logging.raiseExceptions = root
    sys.excepthook, threading.excepthook = hooks
    structlog.reset_defaults()


def _lines(output: io.StringIO) -> list[dict[str, object]]:
    assert NAME not in output.getvalue()
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_known_key_passes_and_an_unknown_one_is_dropped_and_counted(output: io.StringIO) -> None:
    structlog.get_logger().info("case.moved", case_id=7, as_of=date(2024, 1, 5), name=NAME, phone="+22370000000")
    (line,) = _lines(output)
    assert (line["event"], line["level"], line["case_id"], line["as_of"]) == ("case.moved", "info", 7, "2024-01-05")
    assert line["dropped"] == 2
    assert str(line["timestamp"]).endswith("Z")
    assert "+223" not in output.getvalue()


@pytest.mark.parametrize(
    "values",
    [{"state": f"moved {NAME}"}, {"rows": NAME}, {"case_id": {"name": NAME}}, {"trigger": [NAME]}, {"role": NAME * 9}],
    ids=["sentence", "text for a number", "mapping", "list", "too long"],
)
def test_a_known_key_passes_only_a_value_of_its_kind(output: io.StringIO, values: dict[str, object]) -> None:
    structlog.get_logger().info("case.moved", **values)
    (line,) = _lines(output)
    assert line["dropped"] == 1
    assert not line.keys() & values.keys()


def test_every_count_of_the_deadlines_passes(output: io.StringIO) -> None:
    counts = {field.name: 1 for field in dataclasses.fields(SweepResult)} | {"sent": 1, "cancelled": 1}
    structlog.get_logger().info("deadlines.swept", **counts, deliveries_made=1)
    (line,) = _lines(output)
    assert "dropped" not in line
    assert line.keys() > counts.keys()


def test_an_event_is_a_name_and_not_a_sentence(output: io.StringIO) -> None:
    structlog.get_logger().info(f"Registered {NAME}")
    (line,) = _lines(output)
    assert (line["event"], line["dropped"]) == ("unnamed", 1)


def test_the_correlation_id_is_on_each_line_while_it_is_bound(output: io.StringIO) -> None:
    with bind_correlation("night-2024-01-05"):
        structlog.get_logger().info("nightly.started")
    structlog.get_logger().info("nightly.idle")
    bound, after = _lines(output)
    assert bound["correlation_id"] == "night-2024-01-05"
    assert "correlation_id" not in after


def test_an_error_of_the_database_shows_no_parameter(output: io.StringIO, engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": NAME})
    structlog.get_logger().error("step.failed", exc_info=caught.value)
    # A library's thread may log meanwhile, in a line of its own.
    (line,) = (line for line in _lines(output) if line["event"] == "step.failed")
    assert str(line["error_type"]).startswith("sqlalchemy.exc.")
    assert line["caused_by"]


def test_an_error_of_a_model_shows_no_input(output: io.StringIO) -> None:
    class Row(BaseModel):
        age: int

    try:
        Row.model_validate({"age": NAME})
    except ValueError:
        structlog.get_logger().exception("row.rejected")
    (line,) = _lines(output)
    assert line["error_type"] == "pydantic_core._pydantic_core.ValidationError"


def test_an_exception_leaves_its_type_its_causes_and_our_own_frames(output: io.StringIO) -> None:
    try:
        try:
            create_engine_for(f"mysql://{NAME}")
        except DatabaseUrlError as error:
            raise ExceptionGroup(NAME, [ValueError(NAME), error]) from KeyError(NAME)
    except ExceptionGroup:
        structlog.get_logger().exception("step.failed")
    structlog.get_logger().error("step.failed", exc_info=_raised_by_us())
    group, single = _lines(output)
    assert group["error_type"] == "ExceptionGroup"
    assert group["caused_by"] == ["ValueError", "models.database.DatabaseUrlError", "KeyError"]
    frames = single["frames"]
    assert isinstance(frames, list)
    assert [frame.split(":")[0] for frame in frames] == ["models/database.py", "models/database.py"]
    assert [frame.split()[1] for frame in frames] == ["create_engine_for", "_parse"]


def _raised_by_us() -> BaseException:
    with pytest.raises(DatabaseUrlError) as caught:
        create_engine_for(f"mysql://{NAME}")
    return caught.value


def test_a_library_is_heard_by_name_and_place_only(output: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    library.info("quiet")
    library.warning("could not greet %s", NAME)
    library.log(35, f"odd level {NAME}")
    try:
        raise RuntimeError(NAME)
    except RuntimeError:
        library.exception("failed for %s", NAME)
    warnings.warn(NAME, stacklevel=1)
    lines = _lines(output)
    assert [line["level"] for line in lines] == ["warning", "warning", "error", "warning"]
    assert {line["logger"] for line in lines} == {"some.library", "py.warnings"}
    assert lines[2]["error_type"] == "RuntimeError"


def test_a_library_that_formats_wrongly_does_not_print_its_arguments(
    output: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("some.library").warning("%d rows", NAME)
    assert len(_lines(output)) == 1
    assert NAME not in "".join(capsys.readouterr())


def test_the_level_is_kept(output: io.StringIO) -> None:
    structlog.get_logger().debug("case.looked_at")
    assert _lines(output) == []


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("where", ["main", "thread"])
def test_an_uncaught_exception_is_logged_without_its_message(log_format: str, where: str) -> None:
    program = f"""
import threading
from deployments.logging import configure_logging
from models.settings import Settings
configure_logging(Settings(log_format={log_format!r}))
def fail():
    name = {NAME!r}
    raise RuntimeError("cannot register " + name)
if {where!r} == "main":
    fail()
threading.Thread(target=fail).start()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert NAME not in done.stdout + done.stderr
    assert "crashed" in done.stderr
    assert "RuntimeError" in done.stderr
    assert done.stdout == ""
