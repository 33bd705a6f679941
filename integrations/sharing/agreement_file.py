"""Reads the YAML file of a sharing agreement; every problem is said with its line.

`segin agreement add` calls it; `agreements` looks at what only the database knows.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from integrations.sharing.sayings import CHECKS, FRENCH
from models.errors import WrongUse
from models.events import EVENT_TYPES
from models.partner import CODE_FORM
from models.shared_fields import SHARED_FIELDS
from states.calendar import Span
from states.pathway import Text
from states.pathways.problems import FileProblems, Problem, listed, problem
from states.pathways.shape import shape_problems
from states.pathways.source import Source, read_content, read_yaml

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LISTS: Final[dict[str, Collection[str] | None]] = {
    "event_types": EVENT_TYPES,
    "regions": None,
    "programmes": None,
    "fields": SHARED_FIELDS,
    "sensitive_fields": SHARED_FIELDS,
}
"""The parts that are lists of names, and the names that there are (none: only the database knows)."""


def _day(value: object) -> object:
    """Only a date as people write it: a whole number would be read as seconds."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("date_type", "a date like 2024-12-25 is needed")


def _duration(value: object) -> object:
    """ISO 8601 in whole numbers: partners' systems read it too, so no working days."""
    try:
        if isinstance(value, str) and not Span.parse(value).working_days:
            return value
    except ValueError:
        pass
    raise PydanticCustomError("no_duration", "this is no duration: write P3D, P2W or PT48H")


Code = Annotated[str, Field(pattern=f"^{CODE_FORM}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,79}$")]
Names = Annotated[tuple[Name, ...], Field(max_length=1000)]
Some = Annotated[Names, Field(min_length=1)]
"""Left out, it means all; an empty list, which might mean none, is refused."""
Day = Annotated[date, BeforeValidator(_day)]
Duration = Annotated[str, BeforeValidator(_duration)]


class Agreement(BaseModel):
    """What a partner may see (`models.sharing`), as its file has it. `partner` is the partner's code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Code
    partner: Code
    title: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    purpose: Literal["assistance", "sharing"]
    event_types: Names
    regions: Some = ()
    programmes: Some = ()
    fields: Names = ()
    sensitive_fields: Names = ()
    acknowledge_within: Duration = "P3D"
    valid_from: Day
    valid_until: Day | None = None


class ReadAgreement(NamedTuple):
    """An agreement with the document that it was read from, to say on which line something is wrong."""

    agreement: Agreement
    source: Source

    def problem(self, path: tuple[str | int, ...], code: str, **values: Any) -> Problem:
        """The problem with this code (of `sayings.CHECKS`) at the part."""
        return problem(self.source.file, self.source.line(path), code, CHECKS[code], values)


def read_agreement(file: Path) -> ReadAgreement:
    """The agreement in a file. Raises FileProblems, and WrongUse when it cannot be read."""
    try:
        text = read_content(file).decode("utf-8", errors="surrogateescape")
    except OSError:
        raise WrongUse(
            f"The agreement file {file.name} cannot be read.",
            f"Le fichier d'accord {file.name} est illisible.",
            remedy="Name a file that may be read.",
            remedy_fr="Nommez un fichier lisible.",
        ) from None
    return parse_agreement(text, file.name)


def parse_agreement(text: str, file: str) -> ReadAgreement:
    """The agreement in `text`; `file` is what problems call it. Raises FileProblems with everything that is wrong."""
    source = read_yaml(text, file)
    try:
        read = ReadAgreement(Agreement.model_validate(source.value), source)
    except ValidationError as error:
        raise FileProblems([_here(each) for each in shape_problems(error, source, FRENCH)]) from None
    if problems := _problems(read):
        raise FileProblems(sorted(problems, key=lambda each: each.line))
    return read


def _problems(read: ReadAgreement) -> list[Problem]:
    agreement = read.agreement
    found = []
    for key, known in _LISTS.items():
        names: tuple[str, ...] = getattr(agreement, key)
        for place, name in enumerate(names):
            if known is not None and name not in known:
                found.append(read.problem((key, place), "unknown", key=key, name=name, known=listed([*known], 40)))
            if names.index(name) != place:
                found.append(read.problem((key, place), "twice", key=key, name=name))
    for place, name in enumerate(agreement.fields):
        if name in SHARED_FIELDS and SHARED_FIELDS[name].sensitive:
            found.append(read.problem(("fields", place), "sensitive", name=name))
    for place, name in enumerate(agreement.sensitive_fields):
        if name in agreement.fields:
            found.append(read.problem(("sensitive_fields", place), "twice", key="fields, sensitive_fields", name=name))
    if agreement.valid_until is not None and agreement.valid_until < agreement.valid_from:
        found.append(read.problem(("valid_until",), "ends_first", begins=agreement.valid_from))
    return found


def _here(found: Problem) -> Problem:
    """The problem with the guide to these files, not the one to pathways."""
    fr, en = (text.replace("docs/pathway.md", "docs/sharing.md") for text in found.remedy)
    return found._replace(remedy=Text(fr, en))
