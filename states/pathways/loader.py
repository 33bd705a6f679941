"""Reads a pathway file: YAML to a checked, compiled `Pathway`, or everything that is wrong with it, line by line.

`states.pathways.shelf` loads what it publishes; `segin pathway` and the tests load files directly.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.errors import WrongUse
from states.pathway import Pathway, Text
from states.pathways.checks import name_problems
from states.pathways.compiler import compile_pathway
from states.pathways.problems import FileProblems
from states.pathways.reach import walk_problems
from states.pathways.schema import PathwayFile
from states.pathways.shape import shape_problems
from states.pathways.source import MAX_PROBLEMS, Source, read_yaml, text_in_file

PathwayError = FileProblems
"""The pathway file cannot be used; see `states.pathways.problems.FileProblems`."""


def load_pathway(text: str, name: str) -> Pathway:
    """The pathway written in `text`; `name` is what errors call the file. Raises PathwayError with every problem."""
    file, source = read_file(text, name)
    return compile_pathway(file, content_hash(source.value))


def read_file(text: str, name: str) -> tuple[PathwayFile, Source]:
    """The pathway file in `text`, in which every name is known and every state leads on, and where each part of it
    stands. Raises PathwayError with every problem."""
    source = read_yaml(text, name)
    try:
        file = PathwayFile.model_validate(source.value)
    except ValidationError as error:
        raise PathwayError(shape_problems(error, source)) from None
    problems = name_problems(file, source) or walk_problems(file, source)
    if problems:
        raise PathwayError(sorted(problems, key=lambda problem: problem.line)[:MAX_PROBLEMS])
    return file, source


def content_hash(value: dict[str, Any]) -> str:
    """SHA-256 of what a file says; comments and layout do not count, the order of its parts does."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def bundled_pathway(name: str) -> str:
    """The text of a pathway that comes with Segin. Raises WrongUse for an unknown name."""
    folder = files("states.pathways")
    known = sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    if name not in known:
        raise WrongUse(
            f"There is no bundled pathway '{name}'.",
            f"Il n'y a pas de parcours fourni nommé « {name} ».",
            remedy=f"Use one of: {', '.join(known)}.",
            remedy_fr=f"Utilisez l'un de ceux-ci : {', '.join(known)}.",
        )
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


def read_pathway(where: str) -> str:
    """The text of a bundled pathway by its name, or of a pathway file by its path, checked.

    Raises WrongUse when there is neither, PathwayError when it cannot be used.
    """
    text, name = read_text(where)
    load_pathway(text, name)
    return text


def read_text(where: str) -> tuple[str, str]:
    """The same text before it is checked, and what errors call the file. Raises WrongUse, PathwayError."""
    path = Path(where)
    if path.suffix not in (".yaml", ".yml"):
        return bundled_pathway(where), f"{where}.yaml"
    remedy = Text(
        "Donnez le chemin d'un fichier de parcours, ou le nom d'un parcours fourni.",
        "Give the path of a pathway file, or the name of a bundled pathway.",
    )
    return text_in_file(path, Text("Le fichier de parcours", "The pathway file"), remedy), path.name
