"""Psychosocial sessions: individual, of a family or of a group, with who came, and notes that only few may read.

The console, the API and the command line call it and commit. A note is sealed for its place before it is written, and
every look at one, allowed or refused, is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import String, select
from sqlmodel import Session, col

from models.care import PsychosocialSession, SensitiveRead
from models.case import Case
from models.errors import SeginError, WrongUse
from models.seal import SEALED, Seal
from models.staff import Staff
from models.types import BigId
from states.bulk import SetStatement, insert_into, time_text
from states.casework.act import Step, move_and_detail
from states.casework.codes import known
from states.chain import storable
from states.gather import facts_of, load_cases
from states.moves import Actor, Outcome
from states.pathway import Text
from states.pathways.shelf import pathways_of

SESSION_WORDS: Final = {
    "individual": Text("individuelle", "individual"),
    "family": Text("familiale", "family"),
    "group": Text("de groupe", "group"),
}
NOTES: Final = "session_note"
"""What a look at a note is called in `sensitive_read`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHeld(Step):
    """A session for one case, by the person who held it. `code` is new; all cases of a family or group session share
    its `occasion` (none: the session's own code)."""

    code: str
    kind: str
    held_at: datetime
    attended: bool = True
    occasion: str | None = None
    note: str | None = None


class SessionLine(NamedTuple):
    """A session that stands, by its code `session`; `note` says whether it has one."""

    session: str
    occasion: str
    kind: str
    held_at: datetime
    attended: bool
    level: int | None
    note: bool


class NoteRefused(SeginError):
    """Somebody may not read this note. The attempt is kept: the caller commits all the same."""


class Looked(NamedTuple):
    """A look at something that few may read: who, in which role, when, at which record, and whether it was allowed."""

    at: datetime
    staff_id: int | None
    login: str | None
    role: str
    what: str
    record: str
    allowed: bool


_INSERT = insert_into(
    "psychosocial_session",
    *("code", "case_id", "occasion", "kind", "held_at", "attended", "level", "staff_id", "note_sealed", "seq"),
)
_SEAL_OLD = SetStatement(
    "UPDATE psychosocial_session SET note_sealed = r.note FROM {rows} WHERE psychosocial_session.id = r.id",
    id=BigId,
    note=String(),
)


def record_sessions(
    session: Session, held: Sequence[SessionHeld], *, seal: Seal | None, now: datetime
) -> list[Outcome]:
    """Write sessions, one row for each case that was expected; refused for who may not record them.

    Raises WrongUse for a kind that is not known, for a session that is still to come, and for a note when there is no
    key to seal it with: nothing is written then.
    """
    known("kind of session", [each.kind for each in held], SESSION_WORDS)
    if any(each.held_at > now for each in held):
        raise WrongUse(
            "A session is recorded after it was held.",
            "Une séance s'enregistre après avoir eu lieu.",
            remedy="Correct its time.",
            remedy_fr="Corrigez son heure.",
        )
    if seal is None and any(each.note for each in held):
        raise WrongUse(
            "There is no key to seal the notes of sessions with.",
            "Il n'y a pas de clé pour sceller les notes des séances.",
            remedy="Set SEGIN_NOTES_KEY (see docs/settings.md), or record the session without its note.",
            remedy_fr="Réglez SEGIN_NOTES_KEY (voir docs/settings.md), ou enregistrez la séance sans sa note.",
        )
    if not all(storable(each.note) for each in held):
        raise WrongUse("A note holds characters that cannot be kept.", "Une note contient des caractères impossibles.")
    cases = load_cases(session, {each.case_id for each in held})
    facts = facts_of(session, cases.values(), ["assessments"])
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})

    def row(each: SessionHeld, seq: int) -> tuple[object, ...]:
        case = cases[each.case_id]
        care = pathways[case.pathway_version_id].care
        results = facts[case.id].assessments.values()
        levels = [care.level(result.instrument, result.band, result.flags) for result in results]
        sealed = seal.seal(each.note, _place(case.code, each.code)) if seal and each.note else None
        return (
            *(each.code, case.id, each.occasion or each.code, each.kind, time_text(each.held_at), each.attended),
            *(max((level for level in levels if level is not None), default=None), each.actor.id, sealed, seq),
        )

    def write(moved: Sequence[tuple[SessionHeld, int]]) -> None:
        _INSERT.execute(session, [row(each, seq) for each, seq in moved])

    return move_and_detail(session, held, move=lambda each: each.fires("record_session"), write=write, now=now)


def sessions_of(session: Session, case_id: int) -> list[SessionLine]:
    """The sessions of the case that stand, the oldest first. No note leaves the database, not even sealed."""
    held = PsychosocialSession
    columns = (held.code, held.occasion, held.kind, held.held_at, held.attended, held.level)
    query = (
        select(*map(col, columns), col(held.note_sealed).is_not(None))
        .where(col(held.case_id) == case_id, col(held.taken_back_at).is_(None))
        .order_by(col(held.held_at), col(held.id))
    )
    return [SessionLine._make(row) for row in session.execute(query)]


def read_note(session: Session, code: str, *, reader: Actor, seal: Seal | None, now: datetime) -> str | None:
    """The note of a session (none: it has none), and a row that says who read it.

    Raises NoteRefused for a role that the pathway does not let read notes; commit all the same, so that the attempt is
    kept. Raises WrongUse for an unknown session or without a key, SealError for another key.
    """
    found = session.execute(
        select(col(Case.id), col(Case.code), col(Case.pathway_version_id), col(PsychosocialSession.note_sealed))
        .join(Case, col(Case.id) == col(PsychosocialSession.case_id))
        .where(col(PsychosocialSession.code) == code, col(PsychosocialSession.taken_back_at).is_(None))
    ).first()
    if found is None:
        raise WrongUse(
            "There is no such session.",
            "Cette séance n'existe pas.",
            remedy="`segin care show CASE` lists the sessions of a case.",
            remedy_fr="`segin care show DOSSIER` liste les séances d'un dossier.",
        )
    case_id, case_code, version_id, sealed = found
    allowed = reader.role in pathways_of(session, [version_id])[version_id].care.notes
    session.add(
        SensitiveRead(
            case_id=case_id,
            what=NOTES,
            record=code,
            staff_id=reader.id,
            role=reader.role,
            allowed=allowed,
            at=now,
        )
    )
    session.flush()
    if not allowed:
        raise NoteRefused(
            "The notes of sessions are not for this role.",
            "Les notes des séances ne sont pas pour ce rôle.",
            remedy="Ask whoever gives the psychosocial care. This attempt was recorded.",
            remedy_fr="Adressez-vous à l'appui psychosocial. Cette tentative est enregistrée.",
        )
    if sealed is None:
        return None
    if seal is None:
        raise WrongUse(
            "There is no key to read the notes of sessions with.",
            "Il n'y a pas de clé pour lire les notes des séances.",
            remedy="Set SEGIN_NOTES_KEY to the key under which they were written.",
            remedy_fr="Réglez SEGIN_NOTES_KEY sur la clé sous laquelle elles ont été écrites.",
        )
    return seal.open(sealed, _place(case_code, code))


def looks_at(session: Session, case_id: int) -> list[Looked]:
    """Every look at what few may read of the case, the newest first."""
    query = (
        select(SensitiveRead, col(Staff.login))
        .outerjoin(Staff, col(Staff.id) == col(SensitiveRead.staff_id))
        .where(col(SensitiveRead.case_id) == case_id)
        .order_by(col(SensitiveRead.id).desc())
    )
    return [
        Looked(each.at, each.staff_id, login, each.role, each.what, each.record, each.allowed)
        for each, login in session.execute(query)
    ]


def seal_old_notes(session: Session, load: Callable[[], Seal | None]) -> int:
    """Seal the notes from before notes were sealed, and count them; the seal is loaded only if there are any.

    Raises WrongUse when there are some and no key."""
    rows = session.execute(
        select(
            col(PsychosocialSession.id),
            col(PsychosocialSession.code),
            col(PsychosocialSession.note_sealed),
            col(Case.code),
        )
        .join(Case, col(Case.id) == col(PsychosocialSession.case_id))
        .where(col(PsychosocialSession.note_sealed).is_not(None))
        .where(~col(PsychosocialSession.note_sealed).startswith(SEALED))
    ).all()
    if not rows:
        return 0
    seal = load()
    if seal is None:
        raise WrongUse(
            f"{len(rows)} notes of sessions are in clear, and there is no key to seal them with.",
            f"{len(rows)} notes de séances sont en clair, et il n'y a pas de clé pour les sceller.",
            remedy="Set SEGIN_NOTES_KEY (see docs/settings.md), then run `segin db upgrade` once more.",
            remedy_fr="Réglez SEGIN_NOTES_KEY (voir docs/settings.md), puis relancez `segin db upgrade`.",
        )
    _SEAL_OLD.execute(session, [(id_, seal.seal(note, _place(case, code))) for id_, code, note, case in rows])
    return len(rows)


def _place(case_code: str, session_code: str) -> str:
    return f"{case_code}/{session_code}"
