"""Says what is wrong with the shape of a pathway file, in the words of Pydantic in English and in French words of ours.

`states.pathways.loader` calls it when `PathwayFile` does not accept a document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from states.pathway import Text
from states.pathways.problems import Listed, Problem, shown
from states.pathways.source import MAX_PROBLEMS, Source

FRENCH: Final = {
    "string_type": "il faut un texte",
    "int_type": "il faut un nombre entier",
    "bool_type": "il faut true ou false",
    "bool_parsing": "il faut true ou false",
    "list_type": "il faut une liste",
    "dict_type": "il faut des noms suivis de leur contenu",
    "model_type": "il faut des noms suivis de leur contenu",
    "literal_error": "il faut {expected}",
    "greater_than_equal": "il faut au moins {ge}",
    "too_short": "il en faut au moins {min_length}",
    "too_long": "il en faut au plus {max_length}",
    "string_too_short": "il faut au moins {min_length} caractère(s)",
    "string_too_long": "il faut au plus {max_length} caractères",
    "date_from_datetime_parsing": "il faut une date comme 2024-12-25",
    "date_type": "il faut une date comme 2024-12-25",
    "no_span": "« {given} » n'est pas une durée : écrivez P3M, P15D, P2W, PT24H ou « 14 working days »",
    "no_zone": "ce fuseau horaire n'est pas connu ; écrivez-en un comme Africa/Bamako",
    "no_country": "il n'y a pas de jours fériés connus pour ce pays ; écrivez un code ISO 3166 comme ML",
}
"""By the type of Pydantic's error; the values in braces are those of its context."""

_LONGEST: Final = 300


def shape_problems(error: ValidationError, source: Source, french: Mapping[str, str] = FRENCH) -> list[Problem]:
    """Every part that is missing, unknown or of the wrong kind, in the order of the lines."""
    problems = [_problem(each, source, french) for each in error.errors(include_url=False)[:MAX_PROBLEMS]]
    return sorted(problems, key=lambda problem: problem.line)


def _problem(error: Any, source: Source, words: Mapping[str, str]) -> Problem:
    path = tuple(part for part in error["loc"] if part != "[key]")
    values: dict[str, Any] = {
        "where": Listed(".".join(shown(part, "en") for part in path)),
        "key": path[-1] if path else "",
    }
    match error["type"], values["key"]:
        case "missing", "fr" | "en":
            return source.problem(path, "translation_missing", **values)
        case "missing", "owner" | "role":
            return source.problem(path, "no_owner", **values)
        case "missing", _:
            return source.problem(path, "missing", **values)
        case "extra_forbidden", _:
            return source.problem(path, "not_known_here", **values)
        case "string_pattern_mismatch", _:
            return source.problem(path, "not_usable", input=error["input"], **values)
    said = error["msg"].removeprefix("Value error, ")[:_LONGEST]
    context = {name: shown(value, "fr") for name, value in error.get("ctx", {}).items()}
    french = words.get(error["type"])
    if french is None:
        message = Text(f"ceci ne convient pas ({said})", said)
    else:
        message = Text(re.sub(r"' or '", "' ou '", french.format(**context)), said)
    return source.problem(path, "not_like_this", message=message, **values)
