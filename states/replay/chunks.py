"""Replays the caseload batch by batch; a fixed number of statements a batch. `segin pathway replay` calls it.

Nothing is written: it opens sessions that may only read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, String
from sqlmodel import Session, select

from models.case import PathwayVersion
from models.database import read_session
from models.errors import WrongUse
from models.types import UtcDateTime
from states.bulk import SetStatement, time_text
from states.change.mapping import Names
from states.pathway import Pathway
from states.pathways.shelf import pathways_of
from states.replay.asking import Policy
from states.replay.history import cases_open_between, nights_of, read_histories
from states.replay.report import ReplayReport, report_of
from states.replay.tally import Tally
from states.replay.walk import Window, walk_case

CHUNK: Final = 500

_STOOD_IN = SetStatement(
    "SELECT DISTINCT j.to_state FROM {rows} JOIN journal AS j ON j.to_state = r.state AND j.at < r.since "
    'JOIN "case" AS c ON c.id = j.case_id AND (c.closed_at IS NULL OR c.closed_at >= r.since) WHERE NOT EXISTS '
    "(SELECT 1 FROM journal AS k WHERE k.case_id = j.case_id AND k.seq > j.seq AND k.at < r.since)",
    state=String(),
    since=UtcDateTime(),
)
"""Of these states, those in which a case that was open at an instant stood then."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the proposed pathway, from when it counts, up to when, which names of before are which in it, and
    the hour of the nights in the programme's time zone."""

    pathway: Pathway
    since: datetime
    until: datetime
    names: Names
    night_hour: int


def replay(
    engine: Engine,
    question: Question,
    *,
    chunk: int = CHUNK,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> ReplayReport:
    """What the proposed pathway would have made of the cases on versions of it that were open between the two instants.

    `chunk` cases are read at a time, each time in a session of its own, so that nobody who writes waits for long; the
    answer does not depend on it. `on_progress` is told how many cases are done, and of how many. Raises WrongUse when
    no version of the pathway is published, and for a state that has no place in the proposed one.
    """
    window = Window(question.since, question.until)
    with read_session(engine) as session:
        policy = _policy(session, question)
        _check_names(session, policy, window)
        case_ids = cases_open_between(session, policy.versions, *window)
    groups: frozenset[str] = frozenset().union(
        *(groups for each in (policy.pathway, *policy.versions.values()) for groups in each.needed.values())
    )
    tally = Tally()
    for start in range(0, len(case_ids), chunk):
        with read_session(engine) as session:
            histories = read_histories(session, case_ids[start : start + chunk], groups, window.until)
        for history in histories:
            tally.add_case(walk_case(history, policy, window), window)
        on_progress(tally.cases, len(case_ids))
    return report_of(tally, policy.pathway, policy.versions, window)


def _policy(session: Session, question: Question) -> Policy:
    pathway = question.pathway
    named = session.exec(select(PathwayVersion.id).where(PathwayVersion.name == pathway.name))
    ids = [id_ for id_ in named if id_ is not None]
    if not ids:
        raise WrongUse(
            f"No case can have run on the pathway '{pathway.name}': no version of it is published.",
            f"Aucun dossier n'a pu suivre le parcours « {pathway.name} » : aucune version n'en est publiée.",
            remedy="Propose another version of a published pathway; `segin pathway list` shows those.",
            remedy_fr="Proposez une autre version d'un parcours publié ; `segin pathway list` les affiche.",
        )
    nights = nights_of(session, pathway.timezone, question.night_hour)
    return Policy(pathway, question.names, pathways_of(session, ids), nights)


def _check_names(session: Session, policy: Policy, window: Window) -> None:
    """Every state in which a case stands when the proposed pathway begins to count has a place in it."""
    known = {key for version in policy.versions.values() for key in version.states}
    gone = {key for key in known if policy.names.state(key) not in policy.pathway.states}
    asked = [(key, time_text(window.since)) for key in sorted(gone)]
    lost = sorted(key for (key,) in _STOOD_IN.execute(session, asked)) if asked else []
    if lost:
        raise WrongUse(
            f"Cases stand in states that the proposed pathway does not have: {', '.join(lost)}.",
            f"Des dossiers sont à des étapes que le parcours proposé n'a pas : {', '.join(lost)}.",
            remedy=f"Say what becomes of them, for instance with --map {lost[0]}=planning.",
            remedy_fr=f"Dites ce qu'elles deviennent, par exemple avec --map {lost[0]}=planning.",
        )
