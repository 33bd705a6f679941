"""The published versions of pathways: immutable rows, compiled once for each process.

The command line publishes; the writer and the sweeps ask for the versions that their cases run on.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import case, func, null
from sqlalchemy import select as sql_select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from models.case import Case, PathwayVersion
from models.errors import WrongUse
from states.pathway import Pathway
from states.pathways.checker import errors_of, meaning_problems
from states.pathways.compiler import compile_pathway
from states.pathways.loader import PathwayError, content_hash, load_pathway, read_file

_COMPILED: Final[dict[str, Pathway]] = {}


class Published(NamedTuple):
    """One published version, and how many cases run on it, closed ones included or not."""

    name: str
    version: int
    content_hash: str
    published_at: datetime
    open_cases: int
    cases: int


def publish(session: Session, text: str, now: datetime, *, name: str = "pathway") -> PathwayVersion:
    """The row of the pathway written in `text`; publishing the same content again gives the row that is there.

    `name` is what errors call the file. Raises PathwayError for a file that cannot be used or that
    `states.pathways.checker` finds errors in, WrongUse when this version holds other content.
    """
    file, source = read_file(text, name)
    pathway = compile_pathway(file, content_hash(source.value))
    found = _find(session, pathway)
    if found is None:
        errors = errors_of(meaning_problems(file, source))
        if errors:
            raise PathwayError(sorted(errors, key=lambda problem: problem.line))
        row = PathwayVersion(
            name=pathway.name,
            version=pathway.version,
            content_hash=pathway.content_hash,
            body=text,
            published_at=now,
        )
        try:
            with session.begin_nested():
                session.add(row)
            found = row
        except IntegrityError:  # somebody else published it in this moment
            found = _find(session, pathway)
    if found is None or found.content_hash != pathway.content_hash:
        raise WrongUse(
            f"Version {pathway.version} of the pathway '{pathway.name}' is published with other content.",
            f"La version {pathway.version} du parcours « {pathway.name} » est publiée avec un autre contenu.",
            remedy="Published versions never change: raise the version number in the file.",
            remedy_fr="Une version publiée ne change jamais : augmentez le numéro de version dans le fichier.",
        )
    _COMPILED.setdefault(pathway.content_hash, pathway)
    return found


def pathways_of(session: Session, ids: Collection[int]) -> dict[int, Pathway]:
    """The compiled pathways of published versions, by id. One statement; a body is read only when not yet compiled.

    Raises WrongUse for an id that is not there.
    """
    body = case((col(PathwayVersion.content_hash).in_(list(_COMPILED)), null()), else_=PathwayVersion.body)
    query = select(PathwayVersion.id, PathwayVersion.name, PathwayVersion.content_hash, body).where(
        col(PathwayVersion.id).in_(sorted(ids))
    )
    found: dict[int, Pathway] = {}
    for id_, name, hash_, text in session.execute(query):
        if hash_ not in _COMPILED:
            _COMPILED[hash_] = load_pathway(text, name)
        found[id_] = _COMPILED[hash_]
    if len(found) != len(set(ids)):
        missing = ", ".join(str(id_) for id_ in sorted(set(ids) - found.keys()))
        raise WrongUse(
            f"No pathway version is published under: {missing}.",
            f"Aucune version de parcours n'est publiée sous : {missing}.",
            remedy="Publish the pathway first.",
            remedy_fr="Publiez d'abord le parcours.",
        )
    return found


def current_version(session: Session, name: str) -> PathwayVersion:
    """The newest version of a pathway: the one that new cases run on. Raises WrongUse when none is published."""
    query = select(PathwayVersion).where(PathwayVersion.name == name).order_by(col(PathwayVersion.version).desc())
    found = session.exec(query.limit(1)).first()
    if found is None:
        raise WrongUse(
            f"No version of the pathway '{name}' is published.",
            f"Aucune version du parcours « {name} » n'est publiée.",
            remedy="`segin pathway list` shows those that are; `segin pathway publish FILE` publishes one.",
            remedy_fr="`segin pathway list` affiche ceux qui le sont ; `segin pathway publish FICHIER` en publie un.",
        )
    return found


def newest_besides(session: Session, pathway: Pathway) -> Pathway:
    """The newest published version of the pathway that is not this one. Raises WrongUse when there is none."""
    query = select(PathwayVersion.id).where(
        PathwayVersion.name == pathway.name, PathwayVersion.content_hash != pathway.content_hash
    )
    found = session.exec(query.order_by(col(PathwayVersion.version).desc()).limit(1)).first()
    if found is None:
        raise WrongUse(
            f"No other version of the pathway '{pathway.name}' is published.",
            f"Aucune autre version du parcours « {pathway.name} » n'est publiée.",
            remedy="Leave the mapping out: nothing had another name.",
            remedy_fr="Retirez la correspondance : rien n'avait un autre nom.",
        )
    return pathways_of(session, [found])[found]


def numbered_version(session: Session, name: str, version: int) -> PathwayVersion:
    """One version of a pathway. Raises WrongUse when it is not published."""
    query = select(PathwayVersion).where(PathwayVersion.name == name, PathwayVersion.version == version)
    found = session.exec(query).first()
    if found is None:
        raise WrongUse(
            f"Version {version} of the pathway '{name}' is not published.",
            f"La version {version} du parcours « {name} » n'est pas publiée.",
            remedy="`segin pathway list` shows those that are.",
            remedy_fr="`segin pathway list` affiche celles qui le sont.",
        )
    return found


def published(session: Session) -> list[Published]:
    """Every published version, by name, the newest of each first."""
    counted = (
        sql_select(
            col(Case.pathway_version_id).label("id"),
            func.count().label("cases"),
            func.sum(case((col(Case.closed_at).is_(None), 1), else_=0)).label("open_cases"),
        )
        .group_by(col(Case.pathway_version_id))
        .subquery()
    )
    version = PathwayVersion
    columns = (version.name, version.version, version.content_hash, version.published_at)
    query = (
        sql_select(*map(col, columns), func.coalesce(counted.c.open_cases, 0), func.coalesce(counted.c.cases, 0))
        .outerjoin(counted, counted.c.id == col(version.id))
        .order_by(col(version.name), col(version.version).desc())
    )
    return [Published._make(row) for row in session.execute(query)]


def _find(session: Session, pathway: Pathway) -> PathwayVersion | None:
    """The row of the same name and version."""
    same = select(PathwayVersion).where(PathwayVersion.name == pathway.name, PathwayVersion.version == pathway.version)
    return session.exec(same).first()
