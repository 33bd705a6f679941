"""The guard that keeps a child who came alone from going on without anybody who answers for them."""

from __future__ import annotations

from datetime import date, datetime

from models.returnee import is_of_age
from states.facts import Facts
from states.guards.binding import guard
from states.moves import Move
from states.record_words import UNACCOMPANIED_CHILD, VULNERABILITY
from states.records import TAKEN_BACK


@guard(
    reads=("returnee", "assessments", "vulnerabilities", "records"),
    missing="guardian",
    recorded_by=("record_guardian",),
    fr="Un enfant non accompagné ne va pas plus loin sans tuteur enregistré.",
    en="An unaccompanied child goes no further without a recorded guardian.",
)
def guardian_recorded(facts: Facts, _move: Move, now: datetime) -> bool:
    """Holds for everybody else, and for whoever came as a child and has come of age since. An age that is not known for
    certain is a child's; so is one that contradicts who saw the child: somebody has to dismiss what they said."""
    came_of_age = _of_age(facts, now.date()) and not _of_age(facts, facts.arrival_date)
    if not came_alone_as_a_child(facts) or came_of_age:
        return True
    return any(
        record.kind == "guardian" and record.status in ("recorded", "verified") for record in facts.records.values()
    )


def came_alone_as_a_child(facts: Facts) -> bool:
    """Whether it was identified and not dismissed; before anybody identified anything, what the manifest or an earlier
    screening said counts."""
    known = [
        each.status
        for each in facts.identified.values()
        if each.kind == UNACCOMPANIED_CHILD and each.status != TAKEN_BACK
    ]
    if known:
        return any(status != "dismissed" for status in known)
    screening = facts.assessments.get(VULNERABILITY)
    return UNACCOMPANIED_CHILD in facts.vulnerabilities or (
        screening is not None and UNACCOMPANIED_CHILD in screening.flags
    )


def _of_age(facts: Facts, day: date) -> bool:
    """Whether the person is of age on that day for certain."""
    return is_of_age(facts.birth_date, facts.birth_precision, day) is True
