"""The two sides of a change, as somebody names them: a published version (`mali@2`, `2`, `mali`) or a pathway file.

The command line asks for them; everything else in `states.change` works on what they hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlmodel import Session, select

from models.case import PathwayVersion
from models.errors import WrongUse
from states.change.mapping import Names
from states.change.passage import Passage, passage
from states.change.ways import Ways
from states.pathway import Pathway
from states.pathways.compiler import compile_pathway
from states.pathways.loader import content_hash, read_file, read_text
from states.pathways.schema import PathwayFile
from states.pathways.shelf import current_version, numbered_version, pathways_of

_NUMBERED: Final = re.compile(r"(?:([a-z][a-z0-9_]*)@)?(\d{1,9})")


class Side(NamedTuple):
    """A version of a pathway; `id` is none for a file that is not published with this content."""

    id: int | None
    pathway: Pathway
    file: PathwayFile

    @property
    def label(self) -> str:
        """`mali@2`."""
        return f"{self.pathway.name}@{self.pathway.version}"


@dataclass(frozen=True, slots=True)
class Change:
    """The change from one side to the other, and what follows from it for every case alike."""

    old: Side
    new: Side
    way: Passage
    ways: Ways


def read_side(session: Session, named: str, default_name: str) -> Side:
    """What somebody named; a number alone is a version of `default_name`. Raises WrongUse, PathwayError."""
    numbered = _NUMBERED.fullmatch(named)
    if numbered:
        row = numbered_version(session, numbered[1] or default_name, int(numbered[2]))
    elif named.endswith((".yaml", ".yml")):
        text, name = read_text(named)
        file, source = read_file(text, name)
        pathway = compile_pathway(file, content_hash(source.value))
        same = select(PathwayVersion.id).where(PathwayVersion.content_hash == pathway.content_hash)
        return Side(session.exec(same).first(), pathway, file)
    else:
        row = current_version(session, named)
    id_ = row.id or 0
    return Side(id_, pathways_of(session, [id_])[id_], read_file(row.body, row.name)[0])


def change_between(old: Side, new: Side, names: Names, *, keep_deadlines: bool) -> Change:
    """The change from one side to the other. Raises WrongUse when they are no two versions of one pathway."""
    if old.pathway.name != new.pathway.name or old.pathway.content_hash == new.pathway.content_hash:
        raise WrongUse(
            f"{old.label} and {new.label} are no two versions of one pathway.",
            f"{old.label} et {new.label} ne sont pas deux versions d'un même parcours.",
            remedy="Name two versions, or a version and a file that differs from it.",
            remedy_fr="Nommez deux versions, ou une version et un fichier qui en diffère.",
        )
    way = passage(old.id or 0, new.id or 0, old.pathway, new.pathway, names, keep_deadlines=keep_deadlines)
    return Change(old, new, way, Ways(way, old.file, new.file))


def published_id(side: Side) -> int:
    """The id of a version that cases may run on. Raises WrongUse for a file that is not published."""
    if side.id is None:
        raise WrongUse(
            f"{side.label} is not published with this content.",
            f"{side.label} n'est pas publiée avec ce contenu.",
            remedy="Publish it first: segin pathway publish FILE. A dry run and a diff do not need that.",
            remedy_fr="Publiez-la d'abord : segin pathway publish FICHIER. Un essai à blanc et un diff s'en passent.",
        )
    return side.id
