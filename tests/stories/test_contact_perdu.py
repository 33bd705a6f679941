"""Le téléphone sonne dans le vide : on cherche, autrement et longtemps, avant de dire le contact perdu. Personnes
fictives."""

from __future__ import annotations

from followed_lives import in_follow_up
from life import Life, all_moved, begin
from sqlmodel import Session

from models import ContactAttempt
from states.casework.follow_up import Attempt, record_attempts
from states.journal import verify_journal
from states.moves import OutcomeKind


def test_contact_perdu_seulement_apres_les_tentatives_du_parcours(session: Session) -> None:
    life = begin(session)
    woman = in_follow_up(life, 4, sex="F")

    # À la visite, la porte est close. Le dossier attend, et quelqu'un cherche.
    life.wait(days=95)
    tries(life, woman, "visit")
    life.does(woman, "hold", "case_worker", reason="unreachable")
    life.office_works()
    assert life.tasks(woman)["trace_person"] == "case_worker"
    refused = life.tries(woman, "close", "coordinator", reason="lost_contact")
    assert [reason.code for reason in refused.reasons] == ["contact_attempts"]
    assert "3 essais sans succès, par 2 moyens, sur 30 jours" in refused.reasons[0].text_fr

    # Trois appels de suite le même jour ne comptent pas pour un mois de recherche.
    for _ in range(3):
        tries(life, woman, "phone")
    assert life.tries(woman, "close", "coordinator", reason="lost_contact").kind is OutcomeKind.REFUSED

    # Elle répond : tout ce qui précède est oublié, elle n'est pas perdue.
    life.wait(days=20)
    tries(life, woman, "phone", "reached")
    life.does(woman, "resume", "case_worker")
    life.wait(days=40)
    assert life.tries(woman, "close", "coordinator", reason="lost_contact").kind is OutcomeKind.REFUSED

    # Puis plus rien, par trois moyens, pendant plus d'un mois.
    for days, channel in ((0, "phone"), (14, "authority")):
        life.wait(days=days)
        tries(life, woman, channel)
    life.wait(days=15)
    tries(life, woman, "phone")
    assert life.tries(woman, "close", "coordinator", reason="lost_contact").kind is OutcomeKind.REFUSED, "29 jours"
    life.wait(days=2)
    tries(life, woman, "relative", "not_reached")
    life.does(woman, "close", "coordinator", reason="lost_contact")

    assert len(life.rows(ContactAttempt, woman)) == 9
    assert life.triggers(woman).count("record_contact_attempt") == 9
    assert life.caseload.case(woman).closure_reason == "lost_contact"
    assert (life.clocks(woman), life.tasks(woman)) == ({}, {})

    # Elle revient : la porte n'était pas fermée à clé.
    life.wait(days=60)
    life.does(woman, "reopen", "coordinator", note="Elle s'est présentée au bureau.")
    assert life.state(woman) == "follow_up"
    assert verify_journal(session).broken == []


def tries(life: Life, case_id: int, channel: str, result: str = "not_reached") -> None:
    """Somebody tries to reach her today."""
    attempt = Attempt(**life.signed(case_id, "case_worker"), channel=channel, result=result)
    all_moved(record_attempts(life.session, [attempt], now=life.now))
