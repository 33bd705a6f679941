"""Ce qui se dit en séance ne sort pas de la séance. Personnes fictives."""

from __future__ import annotations

from datetime import date

import pytest
from life import Life, all_moved, begin
from sqlmodel import Session, SQLModel, select

from models import Delivery, Event, JournalRow, PsychosocialSession, SensitiveRead, WrongUse
from models.seal import Seal
from states.casework.households import Member, form_household
from states.casework.sessions import NoteRefused, SessionHeld, looks_at, read_note, record_sessions
from states.gather import gather_facts
from states.journal import verify_journal

SEAL = Seal([b"s" * 32])
SAID = "La mère a peur la nuit depuis la traversée"


def test_les_notes_d_une_seance_familiale_ne_sont_lues_que_par_l_appui_psychosocial(session: Session) -> None:
    life = begin(session)
    mother = life.arrives(1, sex="F", given_names="Mère fictive")
    girl = life.arrives(2, sex="F", given_names="Fille fictive", birth_date=date(2010, 2, 1))
    boy = life.arrives(3, sex="M", given_names="Garçon fictif", birth_date=date(2014, 5, 1))
    family = [
        Member(**life.signed(each, "case_worker"), role=role)
        for each, role in ((mother, "head"), (girl, "child"), (boy, "child"))
    ]
    all_moved(form_household(session, family, code="FAMILLE", now=life.now))

    # Une séance pour trois ; le garçon n'est pas venu. Chacun a sa ligne, et sa note scellée à sa place.
    life.wait(days=10)
    held = [
        SessionHeld(
            **life.signed(each, "psychosocial_worker"),
            code=f"SEANCE-{each}",
            occasion="SEANCE",
            kind="family",
            held_at=life.now,
            attended=each != boy,
            note=None if each == boy else SAID,
        )
        for each in (mother, girl, boy)
    ]
    all_moved(record_sessions(session, held, seal=SEAL, now=life.now))
    facts = gather_facts(session, [mother, girl, boy], ["sessions"])
    assert [facts[each].sessions_attended for each in (mother, girl, boy)] == [1, 1, 0]
    sealed = {row.note_sealed for each in (mother, girl) for row in life.rows(PsychosocialSession, each)}
    assert len(sealed) == 2, "la même note n'est jamais scellée deux fois de la même façon"

    # Tous les rôles du parcours essaient ; un seul lit.
    life.wait(hours=1)
    readers = {role: reads(life, role, f"SEANCE-{mother}") for role in life.caseload.staff}
    assert {role for role, note in readers.items() if note == SAID} == {"psychosocial_worker"}
    assert {note for role, note in readers.items() if role != "psychosocial_worker"} == {None}
    assert reads(life, "psychosocial_worker", f"SEANCE-{boy}") is None

    # Chaque regard est gardé, refusé ou non, avec qui et quand ; rien de ce qui fut dit n'y est, ni ailleurs.
    looks = looks_at(session, mother)
    assert len(looks) == len(life.caseload.staff)
    assert {(look.role, look.staff_id) for look in looks if look.allowed} == {
        ("psychosocial_worker", life.caseload.staff["psychosocial_worker"].id)
    }
    assert {look.at for look in looks} == {life.now}
    assert looks_at(session, girl) == []
    life.office_works()
    for table in (JournalRow, Event, Delivery, SensitiveRead, PsychosocialSession):
        assert "traversée" not in everything(session, table)
    assert verify_journal(session).broken == []

    # Une séance enregistrée par erreur ne compte plus, et sa note ne se lit plus, même par qui le pouvait.
    life.does(girl, "correct", "coordinator", note="Mauvais dossier")
    assert gather_facts(session, [girl], ["sessions"])[girl].sessions_attended == 0
    with pytest.raises(WrongUse, match="no such session"):
        reads(life, "psychosocial_worker", f"SEANCE-{girl}")


def reads(life: Life, role: str, code: str) -> str | None:
    try:
        return read_note(life.session, code, reader=life.caseload.staff[role], seal=SEAL, now=life.now)
    except NoteRefused:
        return None


def everything(session: Session, table: type[SQLModel]) -> str:
    return "".join(str(row.model_dump()) for row in session.exec(select(table)))
