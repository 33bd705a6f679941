"""Reads a mapping file, or one that comes with Segin: YAML to a checked mapping, or everything that is wrong with it.

`bridge` loads with it what is sent by; `segin bridge check` shows the warnings too.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from integrations.bridges.checks import mapping_problems
from integrations.bridges.mapping import SYSTEMS, Mapping
from integrations.bridges.sayings import CHECKS, FRENCH
from models.errors import WrongUse
from states.pathway import Text
from states.pathways.problems import FileProblems, Problem, Severity, problem
from states.pathways.shape import shape_problems
from states.pathways.source import read_yaml, text_in_file

GUIDE = "docs/partners/bridges.md"


def read_mapping(text: str, file: str) -> tuple[Mapping, list[Problem]]:
    """The mapping in `text` and what is doubtful in it; `file` is what problems call it. Raises FileProblems."""
    source = read_yaml(text, file)
    system = source.value.get("system")
    model = SYSTEMS.get(system) if isinstance(system, str) else None
    if model is None:
        values = {"known": ", ".join(SYSTEMS)}
        line = source.line(("system",))
        raise FileProblems([problem(file, line, "system_unknown", CHECKS["system_unknown"], values)])
    try:
        mapping = model.model_validate(source.value)
    except ValidationError as error:
        raise FileProblems([_here(each) for each in shape_problems(error, source, FRENCH)]) from None
    problems = mapping_problems(mapping, source)
    if any(each.severity is Severity.ERROR for each in problems):
        raise FileProblems(problems)
    return mapping, problems


def mapping_text(where: str) -> tuple[str, str]:
    """The text of a mapping file by its path (`.yaml`), or of a bundled mapping by its name, and what problems call
    it. Raises WrongUse when there is neither, FileProblems for a file that is too large."""
    path = Path(where)
    if path.suffix not in (".yaml", ".yml"):
        return _bundled(where), f"{where}.yaml"
    known = ", ".join(bundled_mappings())
    remedy = Text(
        f"Donnez le chemin d'un fichier de correspondance, ou le nom d'un fichier fourni ({known}).",
        f"Give the path of a mapping file, or the name of a bundled one ({known}).",
    )
    return text_in_file(path, Text("Le fichier de correspondance", "The mapping file"), remedy), path.name


def bundled_mappings() -> list[str]:
    """The names of the mappings that come with Segin."""
    entries = (resources.files("integrations.bridges") / "mappings").iterdir()
    return sorted(entry.name.removesuffix(".yaml") for entry in entries if entry.name.endswith(".yaml"))


def _bundled(name: str) -> str:
    if name not in bundled_mappings():
        known = ", ".join(bundled_mappings())
        raise WrongUse(
            f"There is no bundled mapping '{name}'.",
            f"Il n'y a pas de correspondance fournie nommée « {name} ».",
            remedy=f"Use one of {known}, or the path of a file that ends in .yaml.",
            remedy_fr=f"Utilisez {known}, ou le chemin d'un fichier qui finit par .yaml.",
        )
    return (resources.files("integrations.bridges") / "mappings" / f"{name}.yaml").read_text(encoding="utf-8")


def _here(found: Problem) -> Problem:
    """The problem with the guide to these files, not the one to pathways."""
    fr, en = (text.replace("docs/pathway.md", GUIDE) for text in found.remedy)
    return found._replace(remedy=Text(fr, en))
