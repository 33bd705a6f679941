"""The instruments that there are: those that come with Segin, and those that a programme supplies in a folder.

The edges load the catalogue of their settings and pass it on; several versions of an instrument stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from models.errors import WrongUse
from states.instruments.checks import scale_problems
from states.instruments.definition import KINDS, Awaited, Definition
from states.instruments.sayings import FRENCH, KIND_UNKNOWN, TAKEN
from states.pathway import Text
from states.pathways.problems import FileProblems, Problem, problem
from states.pathways.shape import shape_problems
from states.pathways.source import Source, read_content, read_yaml


class UnknownInstrument(WrongUse):
    """There is no such instrument, or no such version of it."""


class Catalogue:
    """Definitions by instrument and version. `newest` has the one of each instrument that scores from now on."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        found: dict[str, dict[int, Definition]] = {}
        for each in definitions:
            versions = found.setdefault(each.instrument, {})
            if each.version not in versions or isinstance(versions[each.version], Awaited):
                versions[each.version] = each
        self._versions = found
        self.newest: Mapping[str, Definition] = MappingProxyType(
            {key: max(found[key].values(), key=_usable) for key in sorted(found)}
        )

    def __iter__(self) -> Iterator[Definition]:
        """Every version of every instrument."""
        return (each for key in self.newest for each in self._versions[key].values())

    def find(self, instrument: str, version: int | None = None) -> Definition:
        """The definition with this version (none: the newest). Raises UnknownInstrument."""
        if instrument not in self.newest:
            known = ", ".join(self.newest)
            raise UnknownInstrument(
                f"There is no definition for the instrument {instrument!r}, so it cannot be scored.",
                f"Il n'y a pas de définition pour l'instrument {instrument!r} : il ne peut pas être coté.",
                remedy=f"Use one of {known}.",
                remedy_fr=f"Choisissez parmi {known}.",
            )
        if version is None:
            return self.newest[instrument]
        versions = self._versions[instrument]
        if version not in versions:
            known = ", ".join(str(each) for each in versions)
            raise UnknownInstrument(
                f"There is no version {version} of the instrument {instrument!r}.",
                f"Il n'y a pas de version {version} de l'instrument {instrument!r}.",
                remedy=f"The versions that there are: {known}.",
                remedy_fr=f"Les versions existantes : {known}.",
            )
        return versions[version]


@cache
def bundled_catalogue() -> Catalogue:
    """The instruments that come with Segin."""
    return Catalogue(definition for definition, _ in _bundled())


def load_catalogue(folder: Path | None) -> Catalogue:
    """The bundled instruments and those of the programme's folder, every `*.yaml` of it.

    Raises FileProblems with everything that is wrong in the files, and WrongUse when there is no such folder or a file
    cannot be read.
    """
    if folder is None:
        return bundled_catalogue()
    if not folder.is_dir():
        raise WrongUse(
            f"There is no folder {folder.name!r} with instruments.",
            f"Le dossier d'instruments {folder.name!r} n'existe pas.",
            remedy="Make it, or correct SEGIN_INSTRUMENTS_DIR.",
            remedy_fr="Créez-le ou corrigez SEGIN_INSTRUMENTS_DIR.",
        )
    return read_catalogue({path.name: _text(path) for path in sorted(folder.glob("*.yaml"))})


def read_catalogue(files: Mapping[str, str]) -> Catalogue:
    """The bundled instruments and those written in these files (name to text). Raises FileProblems."""
    known: dict[tuple[str, int], str] = {
        (each.instrument, each.version): name for each, name in _bundled() if not isinstance(each, Awaited)
    }
    problems: list[Problem] = []
    read: list[Definition] = []
    for name, text in files.items():
        try:
            definition, source = read_definition(text, name)
        except FileProblems as faulty:
            problems += faulty.problems
            continue
        key = (definition.instrument, definition.version)
        if key in known:
            where = source.line(("version",))
            values = {"instrument": key[0], "version": key[1], "file": known[key]}
            problems.append(problem(name, where, "taken", TAKEN, values))
        known[key] = name
        read.append(definition)
    if problems:
        raise FileProblems(problems)
    return Catalogue([*(each for each, _ in _bundled()), *read])


def read_file(file: Path) -> Definition:
    """The definition in a file. Raises FileProblems, and WrongUse when it cannot be read."""
    return read_definition(_text(file), file.name)[0]


def read_definition(text: str, file: str) -> tuple[Definition, Source]:
    """The definition in `text`, and where each part of it stands; `file` is what problems call the file.

    Raises FileProblems.
    """
    source = read_yaml(text, file)
    kind = source.value.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        values = {"kinds": ", ".join(KINDS)}
        raise FileProblems([problem(file, source.line(("kind",)), "kind_unknown", KIND_UNKNOWN, values)])
    try:
        definition = model.model_validate(source.value)
    except ValidationError as error:
        raise FileProblems([_here(each) for each in shape_problems(error, source, FRENCH)]) from None
    if problems := scale_problems(definition, source):
        raise FileProblems(problems)
    return definition, source


@cache
def _bundled() -> tuple[tuple[Definition, str], ...]:
    folder = resources.files("states.instruments") / "definitions"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return tuple((read_definition((folder / name).read_text(encoding="utf-8"), name)[0], name) for name in names)


def _text(path: Path) -> str:
    """The text of a file; what is no UTF-8 is shown as such where it stands. Raises WrongUse, FileProblems."""
    try:
        return read_content(path).decode("utf-8", errors="surrogateescape")
    except OSError:
        raise WrongUse(
            f"The instrument file {path.name} cannot be read.",
            f"Le fichier d'instrument {path.name} est illisible.",
            remedy="Make it a file that may be read, or take it out of the folder of the instruments.",
            remedy_fr="Faites-en un fichier lisible, ou retirez-le du dossier des instruments.",
        ) from None


def _usable(definition: Definition) -> tuple[bool, int]:
    """An instrument that can be scored comes before one whose scoring is awaited, then the newest version."""
    return not isinstance(definition, Awaited), definition.version


def _here(found: Problem) -> Problem:
    """The problem with the guide to these files, not the one to pathways."""
    fr, en = (text.replace("docs/pathway.md", "docs/instruments.md") for text in found.remedy)
    return found._replace(remedy=Text(fr, en))
