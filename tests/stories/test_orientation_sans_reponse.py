"""Une mère de trois enfants attend d'un centre de santé une réponse qui ne vient pas. Personnes fictives."""

from __future__ import annotations

from datetime import date, timedelta

from life import Life, all_moved, begin
from sqlmodel import Session, col, select

from models import Deadline, Notice, Partner, Referral
from models.household_history import household_file
from states.casework.consents import ConsentAnswer, record_consents
from states.casework.households import Member, form_household
from states.casework.referrals import ReferralRequest, make_referrals
from states.journal import verify_journal
from states.releases import release_urgent
from states.sweep import sweep_deadlines


def test_une_femme_avec_trois_enfants_et_une_orientation_d_urgence_sans_reponse(session: Session) -> None:
    life = begin(session)
    clinic = Partner(code="centre-sante", name="Centre de santé (fictif)", created_at=life.now)
    session.add(clinic)
    session.flush()
    mother = life.arrives(4, sex="F", given_names="Mère fictive", birth_date=date(1990, 5, 1), household_size=4)
    children = [
        life.arrives(number, given_names=f"Enfant fictif {number}", birth_date=date(2010 + number, 3, 1))
        for number in (5, 6, 7)
    ]

    # Le manifeste dit combien ils sont, pas qui : l'agent d'accueil les réunit, et chacun de leurs dossiers le dit.
    members = [
        Member(**life.signed(case_id, "intake_officer"), role="head" if case_id == mother else "child")
        for case_id in (mother, *children)
    ]
    all_moved(form_household(session, members, code="MENAGE", now=life.now))
    family = household_file(session, "MENAGE", on=life.now.date())
    assert [stay.role for stay in family.present].count("child") == 3
    assert not family.minors_alone
    assert all("household_changed" in life.triggers(case_id) for case_id in (mother, *children))

    # Un enfant est malade : la mère accepte que ce centre-là reçoive leur nom et leur besoin, rien d'autre.
    consent = ConsentAnswer(
        **life.signed(mother, "case_worker"),
        code=life.caseload.new_code(),
        purpose="sharing",
        given=True,
        partner_id=clinic.id,
        information=("name", "needs"),
    )
    all_moved(record_consents(session, [consent], now=life.now))

    def asks(*information: str) -> ReferralRequest:
        return ReferralRequest(
            **life.signed(mother, "case_worker"),
            code=life.caseload.new_code(),
            partner_id=clinic.id or 0,
            services=("health",),
            information=information,
            priority="emergency",
            reason="Motif fictif",
            channel="phone",
            language="bm",
        )

    (refused,) = make_referrals(session, [asks("name", "needs", "address")], now=life.now)
    assert "Il manque : adresse." in refused.reasons[0].text_fr
    made = asks("name", "needs")
    all_moved(make_referrals(session, [made], now=life.now))
    asked = life.now
    assert life.clocks(mother)["referral_emergency"] == asked + timedelta(hours=24)
    (event,) = [each for each in life.events(mother) if each.type == "referral.made"]
    assert (event.only_for, set(event.data)) == ([clinic.id or 0], {"case", "state", "referral"})
    life.office_works()

    # Son dossier avance entre-temps : l'orientation est à côté, pas en travers.
    life.does(mother, "confirm_arrival", "intake_officer")

    # Six heures avant le terme, l'équipe s'en souvient ; au terme, elle relance ; deux heures après, la coordination.
    life.wait(hours=23)
    assert told_of(life, made.code) == [("reminder", "case_worker")]
    life.wait(hours=1)
    assert told_of(life, made.code)[1:] == [("overdue", "case_worker")]
    life.wait(hours=2)
    assert told_of(life, made.code)[2:] == [("escalation", "coordinator")]

    # Le silence dure. L'orientation s'éteint d'elle-même, les rappels avec elle, et quelqu'un cherche ailleurs.
    life.wait(days=31)
    referral = session.exec(select(Referral).where(Referral.code == made.code)).one()
    session.refresh(referral)
    assert referral.status == "expired"
    assert life.tasks(mother)["find_another_service"] == "case_worker"
    ended = session.exec(select(Deadline.status).where(Deadline.record == made.code)).all()
    assert set(ended) == {"cancelled", "fired"}
    assert [each.type for each in life.events(mother)][-1] == "referral.expired"
    assert told_of(life, made.code) == [
        ("reminder", "case_worker"),
        ("overdue", "case_worker"),
        ("escalation", "coordinator"),
    ]
    assert verify_journal(session).broken == []


def told_of(life: Life, referral: str) -> list[tuple[str, str]]:
    """What was sent about the referral so far, and to whom, once what is watched by the hour has been looked at."""
    sweep_deadlines(life.session, as_of=life.now, limit=100, urgent_only=True)
    release_urgent(life.session, now=life.now, day=life.now.date(), limit=100)
    query = select(Notice.kind, Notice.role).join(Deadline, col(Deadline.id) == col(Notice.deadline_id))
    sent = query.where(Deadline.record == referral, col(Notice.sent_at).is_not(None))
    return [(str(kind), role) for kind, role in life.session.exec(sent.order_by(col(Notice.sent_at)))]
