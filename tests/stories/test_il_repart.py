"""Un homme repart pendant le suivi ; on sait pourquoi, et ce qui aurait changé les choses. Personnes fictives."""

from __future__ import annotations

from followed_lives import in_follow_up
from life import all_moved, begin
from sqlmodel import Session

from models import ExitInterview, FollowUpVisit, JournalRow, Notice
from states.casework.follow_up import Attempt, ExitTalk, Visit, record_attempts, record_exit_talks, record_visits
from states.journal import verify_journal


def test_un_homme_repart_pendant_le_suivi_et_dit_ce_qui_aurait_change(session: Session) -> None:
    life = begin(session)
    man = in_follow_up(life, 1, sex="M")

    # À trois mois, il va mal et ne s'en cache pas : le matériel est venu trop tard, les dettes pressent.
    life.wait(days=90)
    assert "visit_3" in life.tasks(man)
    visit = Visit(
        **life.signed(man, "case_worker"),
        occasion=life.caseload.new_code(),
        months=3,
        outcome="struggling",
        income="irregular",
        housing="stable",
        well_being="fair",
        satisfaction=2,
        intention="unsure",
        why=("debt", "support_late"),
        could_change=("debt_relief", "earlier_support"),
        note="Note fictive",
    )
    all_moved(record_visits(session, [visit], now=life.now))
    (found,) = life.rows(FollowUpVisit, man)
    assert (found.intention, found.why, found.could_change) == (
        *("unsure", ["debt", "support_late"], ["debt_relief", "earlier_support"]),
    )

    # Avant six mois, il n'est plus là. Sa sœur le sait en Algérie.
    life.wait(days=60)
    heard = Attempt(**life.signed(man, "case_worker"), channel="relative", result="moved")
    all_moved(record_attempts(session, [heard], now=life.now))
    refused = life.tries(man, "close", "coordinator", reason="re_migrated")
    assert [reason.code for reason in refused.reasons] == ["exit_talked"]
    assert "pourquoi" in refused.reasons[0].text_fr

    # On ne clôt pas sans demander : à défaut de lui, à elle.
    talk = ExitTalk(
        **life.signed(man, "case_worker"),
        about="re_migrated",
        heard_from="relative",
        why=("debt",),
        could_change=("debt_relief", "income_activity"),
    )
    all_moved(record_exit_talks(session, [talk], now=life.now))
    life.does(man, "close", "coordinator", reason="re_migrated")

    # Repartir n'est pas un échec : le dossier est clos avec son motif, plus rien ne court, ce qui fut dit reste.
    assert (life.state(man), life.clocks(man), life.tasks(man)) == ("closed", {}, {})
    assert life.caseload.case(man).closure_reason == "re_migrated"
    (said,) = life.rows(ExitInterview, man)
    assert (said.why, said.could_change, said.heard_from) == (["debt"], ["debt_relief", "income_activity"], "relative")
    for row in life.rows(JournalRow, man):
        assert not {"debt", "unsure", "struggling"} & set(str(row.data).replace("'", " ").split())
    assert all(event.data.keys() <= {"case", "state"} for event in life.events(man))
    closed = life.now
    life.wait(days=120)
    assert [line.kind for line in life.rows(Notice, man) if line.sent_at and line.sent_at > closed] == []
    assert verify_journal(session).broken == []
