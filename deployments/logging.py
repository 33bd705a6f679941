"""Logging by allow-list: what is not known to be harmless never reaches the output. Each process calls this once.

Everybody logs with `structlog.get_logger()`: an event *name* (`case.moved`, never a sentence) and keys listed here.
Whoever starts a piece of work binds its id with `bind_correlation`; the flows do it with structlog's own contextvars.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from models.settings import Settings

_COUNTS: Final = frozenset(
    """
    already_done already_known announced attempt attempts batch cancelled cases changed chunk chunks count days dead
    deadlines delivered deliveries deliveries_made duration_ms escalated events exit_code files fired moved nights
    notices overdue pending pid port refused registered rejected reminders reminders_armed retried revived rows seconds
    seen sent seq sequence stale status_code tasks tasks_assigned transitions unknown version waiting
    """.split()  # noqa: SIM905
)
"""Keys whose values are numbers (or true and false)."""

_CODES: Final = frozenset(
    """
    as_of at case_id checksum command command_id correlation_id delivery_id dispatch_id error_type event_type event_uid
    flow flow_run_id from_state host lease logger method next_attempt_at office outcome partner pathway refusal revision
    role route signal state status step subscription_id table task_id to_state token trigger until
    """.split()  # noqa: SIM905
)
"""Keys whose values are identifiers, dates or codes: one word without spaces, at most 120 characters."""

_CODE: Final = re.compile(r"[\w.:/{}@+<>-]{1,120}")
_EVENT: Final = re.compile(r"[a-z][a-z0-9_.]{0,79}")
_ROOT: Final = Path(__file__).parents[1]
_ROOMS: Final = ("models", "states", "integrations", "flows", "deployments")


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all logging of this process, ours and the libraries', to `stream` (standard error) through the allow-list.

    Libraries are heard from `warning` up, by logger and place only: their texts may quote a row. Uncaught exceptions
    are logged as `crashed` instead of being printed.
    """
    output = stream or sys.stderr
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=output.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            keep_only_what_is_allowed,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.WriteLoggerFactory(file=output),
        cache_logger_on_first_use=False,
    )
    _take_over_the_libraries()
    _take_over_uncaught_exceptions()


def bind_correlation(correlation_id: str) -> AbstractContextManager[None]:
    """While the context lasts, each line of this thread or task carries the id of the journal rows and events."""
    return structlog.contextvars.bound_contextvars(correlation_id=correlation_id)


def keep_only_what_is_allowed(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """Drop each unknown key and each value that is not of its key's kind; `dropped` counts them.

    An exception becomes `error_type`, `caused_by` and `frames` (our own): no message, no locals, no parameters.
    """
    error = _exception_of(entry.pop("exc_info", None))
    event = entry.pop("event", "")
    kept: EventDict = {"event": event if _is_event_name(event) else "unnamed"}
    dropped = 0 if _is_event_name(event) else 1
    for key, value in entry.items():
        if (key in _COUNTS and isinstance(value, int | float)) or (key in _CODES and _is_code(value)):
            kept[key] = value.isoformat() if isinstance(value, date) else value
        else:
            dropped += 1
    if error is not None:
        kept.update(describe_exception(error))
    if dropped:
        kept["dropped"] = dropped
    return kept


def describe_exception(error: BaseException) -> dict[str, object]:
    """What may be said of an exception: its type, the types behind it, and where in our own code it passed."""
    described: dict[str, object] = {"error_type": _type_name(error), "frames": list(_own_frames(error.__traceback__))}
    behind = [_type_name(each) for each in _behind(error)]
    if behind:
        described["caused_by"] = behind
    return described


def _is_event_name(event: object) -> bool:
    return isinstance(event, str) and _EVENT.fullmatch(event) is not None


def _is_code(value: object) -> bool:
    if isinstance(value, str):
        return _CODE.fullmatch(value) is not None
    return value is None or isinstance(value, int | date)


def _exception_of(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def _behind(error: BaseException) -> Iterator[BaseException]:
    """The exceptions that led to this one, nearest first, and the members of a group."""
    if isinstance(error, BaseExceptionGroup):
        yield from error.exceptions
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield cause
        yield from _behind(cause)


def _own_frames(trace: TracebackType | None) -> Iterator[str]:
    for frame, line in traceback.walk_tb(trace):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _ROOMS:
            yield f"{path.relative_to(_ROOT).as_posix()}:{line} {frame.f_code.co_name}"


class _LibraryHandler(logging.Handler):
    """Passes a library's record on as `library`, without its text."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            min(record.levelno, logging.CRITICAL) // 10 * 10,
            "library",
            logger=record.name,
            at=f"{record.filename}:{record.lineno}",
            exc_info=record.exc_info,
        )


def _take_over_the_libraries() -> None:
    for known in list(logging.root.manager.loggerDict.values()):
        if isinstance(known, logging.Logger):
            known.handlers.clear()
            known.propagate = True
    logging.root.handlers[:] = [_LibraryHandler(level=logging.WARNING)]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    # A handler that fails would print the record with its arguments.
    logging.raiseExceptions = False


def _take_over_uncaught_exceptions() -> None:
    def in_main_thread(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            structlog.get_logger().critical("crashed", exc_info=error)

    def in_other_thread(args: threading.ExceptHookArgs) -> None:
        structlog.get_logger().critical("crashed", exc_info=args.exc_value)

    sys.excepthook = in_main_thread
    threading.excepthook = in_other_thread
