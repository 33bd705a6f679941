"""How errors of all sorts become problems: ours, the framework's, the database's. `integrations.api.gate` uses it."""

from __future__ import annotations

import re
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError
from starlette.exceptions import HTTPException

from integrations.api.problems import KINDS, Problem
from models.errors import LockedByAnotherRun, SeginError, WrongUse
from states.pathway import Text

AGAIN: Final = {"Retry-After": "2"}

# 400: all that the framework itself finds unreadable is a body.
_BY_STATUS: Final = {
    400: "bad_json",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_type",
}
_KEY_HEADER: Final = ("header", "idempotency-key")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_WRONG: Final = Text("valeur qui ne convient pas", "value that does not fit")
_SAID: Final = {
    "missing": Text("absent", "missing"),
    "extra_forbidden": Text("contient un champ inconnu", "has a field that is not known"),
    "string_type": Text("doit être un texte", "must be a text"),
    "string_too_short": Text("trop court", "too short"),
    "string_too_long": Text("trop long", "too long"),
    "string_pattern_mismatch": Text("mal formé", "malformed"),
    "literal_error": Text("aucune des valeurs possibles", "none of the possible values"),
    "enum": Text("aucune des valeurs possibles", "none of the possible values"),
    "bool_type": Text("doit être true ou false", "must be true or false"),
    "date_from_datetime_parsing": Text("doit être une date : 2026-11-24", "must be a date: 2026-11-24"),
    "date_type": Text("doit être une date : 2026-11-24", "must be a date: 2026-11-24"),
    "int_type": Text("doit être un nombre entier", "must be a whole number"),
    "too_long": Text("trop d'éléments", "too many items"),
    "too_short": Text("trop peu d'éléments", "too few items"),
    "int_parsing": Text("doit être un nombre entier", "must be a whole number"),
    "greater_than_equal": Text("trop petit", "too small"),
    "less_than_equal": Text("trop grand", "too large"),
    "model_attributes_type": Text("doit être un objet JSON", "must be a JSON object"),
}


def problem_of(error: Exception) -> Problem:
    """The problem that tells of this error without repeating anything that was sent or stored."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        kind = _BY_STATUS.get(error.status_code, "bad_request" if error.status_code < 500 else "failed")
        return Problem(kind, headers=error.headers)
    if isinstance(error, LockedByAnotherRun):
        return Problem("unavailable", detail=_said(error), headers=AGAIN)
    if isinstance(error, WrongUse):
        return Problem("wrong_use", detail=_said(error))
    if isinstance(error, SeginError):
        return Problem("refused", detail=_said(error))
    if isinstance(error, OperationalError | InterfaceError | TimeoutError) or _is_gone(error):
        return Problem("unavailable", headers=AGAIN)
    return Problem("failed")


def is_fault(problem: Problem) -> bool:
    """Whether somebody has to look at it: an error of Segin's own."""
    return KINDS[problem.kind].status == 500


def _is_gone(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _said(error: SeginError) -> Text:
    return Text(error.message_fr, error.message_en)


def _of_validation(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(tuple(each["loc"])[:2] == _KEY_HEADER for each in found):
        return Problem("key_missing")
    if any(each["type"] == "json_invalid" for each in found):
        return Problem("bad_json")
    return Problem("invalid", errors=[(_where(each), _what(each)) for each in found[:20]])


def _what(error: dict[str, Any]) -> Text:
    """What does not fit; where only some values do, which those are."""
    if error["type"] == "literal_error":
        values = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
        return Text(f"doit être l'une de ces valeurs : {values}", f"must be one of: {values}")
    return _SAID.get(error["type"], _WRONG)


def _where(error: dict[str, Any]) -> str:
    """Where it is, by names that are ours: an unknown field is named by what contains it."""
    parts = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    return ".".join(str(part) for part in parts if isinstance(part, int) or _NAME.fullmatch(part))
