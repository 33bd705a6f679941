"""Une famille arrive ensemble, se sépare, et personne n'oublie qui vivait avec qui. Personnes fictives."""

from __future__ import annotations

from datetime import date

from followed_lives import in_follow_up
from life import Life, all_moved, begin
from sqlmodel import Session

from models import FollowUpVisit, JournalRow
from models.household_history import household_file, open_cases_of, stays_of
from models.tally import visits_made
from states.casework.follow_up import Visit, record_visits
from states.casework.households import Member, form_household, join_household, split_household
from states.journal import verify_journal

ROLES = {"father": "head", "mother": "spouse", "girl": "child", "boy": "child"}


def test_une_famille_se_separe_et_garde_ses_deux_histoires(session: Session) -> None:
    life = begin(session)
    births = {
        "father": date(1985, 1, 1),
        "mother": date(1988, 1, 1),
        "girl": date(2006, 3, 15),
        "boy": date(2012, 1, 1),
    }
    people = {
        name: in_follow_up(life, number, birth_date=born, household_size=4)
        for number, (name, born) in enumerate(births.items(), start=1)
    }
    arrived = life.now
    members = [Member(**life.signed(people[name], "case_worker"), role=role) for name, role in ROLES.items()]
    all_moved(form_household(session, members, code="ENSEMBLE", now=life.now))

    # Une seule visite, une ligne dans le dossier de chacun : une visite faite, quatre personnes vues.
    life.wait(days=90)
    seen = visited(life, "ENSEMBLE", 3)
    assert sorted(seen) == sorted(people.values())
    assert visits_made(session, since=arrived, until=life.now.replace(hour=23)) == (1, 4)
    assert {row.occasion for case_id in seen for row in life.rows(FollowUpVisit, case_id)} == {"VISITE-3-ENSEMBLE"}
    assert all("visit_3" not in life.tasks(case_id) for case_id in seen)

    # Les parents se séparent. La mère part avec le garçon ; le père et la fille restent.
    life.wait(days=30)
    parted = life.now
    leaving = [
        Member(**life.signed(people["mother"], "case_worker"), role="head"),
        Member(**life.signed(people["boy"], "case_worker"), role="child"),
    ]
    all_moved(split_household(session, leaving, code="CHEZ-ELLE", now=life.now))
    stayed = household_file(session, "ENSEMBLE", on=life.now.date())
    left = household_file(session, "CHEZ-ELLE", on=life.now.date())
    assert {stay.case for stay in stayed.present} == codes(life, people["father"], people["girl"])
    assert {(stay.case, stay.until) for stay in stayed.past} == {
        (code, parted) for code in codes(life, people["mother"], people["boy"])
    }
    assert {stay.case for stay in left.present} == codes(life, people["mother"], people["boy"])
    assert (stayed.minors_alone, left.minors_alone) == (False, False)

    # Deux foyers, deux visites, quatre personnes : personne n'est compté deux fois.
    life.wait(days=60)
    before = life.now
    assert len(visited(life, "ENSEMBLE", 6)) == len(visited(life, "CHEZ-ELLE", 6)) == 2
    assert visits_made(session, since=before, until=life.now.replace(hour=23)) == (2, 4)
    assert visits_made(session, since=arrived, until=life.now.replace(hour=23)) == (3, 4)

    # La fille rejoint sa mère, puis son père s'en va : son histoire à elle garde les trois temps.
    life.wait(days=10)
    joining = Member(**life.signed(people["girl"], "case_worker"), role="child")
    all_moved(join_household(session, [joining], code="CHEZ-ELLE", now=life.now))
    stays = stays_of(session, people["girl"], on=life.now.date())
    assert [stay.household for stay in stays][1:] == ["ENSEMBLE", "CHEZ-ELLE"]
    assert [stay.until for stay in stays] == [arrived, life.now, None]
    assert [stay.minor for stay in stays] == [False] * 3, "elle a eu dix-huit ans entre-temps"
    assert {stay.case for stay in household_file(session, "ENSEMBLE", on=life.now.date()).present} == codes(
        life, people["father"]
    )

    # Le journal de chacun raconte ses propres changements, et rien de ceux des autres.
    changes = {
        name: [row.data["change"] for row in life.rows(JournalRow, case_id) if row.trigger == "household_changed"]
        for name, case_id in people.items()
    }
    assert changes == {
        "father": ["formed"],
        "mother": ["formed", "split"],
        "girl": ["formed", "joined"],
        "boy": ["formed", "split"],
    }
    assert verify_journal(session).broken == []


def visited(life: Life, household: str, months: int) -> list[int]:
    """The case worker visits the household; the cases of those who were met."""
    cases = open_cases_of(life.session, household)
    visits = [
        Visit(
            **life.signed(case_id, "case_worker"),
            occasion=f"VISITE-{months}-{household}",
            months=months,
            outcome="well",
            intention="no",
        )
        for case_id in cases
    ]
    all_moved(record_visits(life.session, visits, now=life.now))
    return cases


def codes(life: Life, *case_ids: int) -> set[str]:
    return {life.caseload.case(case_id).code for case_id in case_ids}
