"""Six personnes de retour reprennent le maraîchage avec le village : un projet, un appui commun. Personnes fictives."""

from __future__ import annotations

from datetime import date

from life import all_moved, begin, moved
from sqlmodel import Session, select
from supported_cases import another, approval, budget, codes, in_state, propose

from models import LivelihoodGrant, ProjectMember
from states.casework.approvals import approve_grants, confirm_grants, endorse_grants
from states.casework.budgets import show_budget
from states.casework.livelihood import Delivery, GrantLook, OnGrant, deliver_grants, look_at_grants, procure_grants
from states.casework.memberships import EndOfMembership, PartWanted, end_memberships, join_projects, leave_projects
from states.casework.project_list import overdue_milestones, show_project
from states.casework.projects import (
    CommunityMember,
    Contribution,
    NewProject,
    add_community_members,
    add_milestone,
    add_project,
    reach_milestone,
    record_contributions,
    set_status,
)
from states.casework.purchases import Purchase, Purchases, record_purchases
from states.journal import verify_journal


def test_un_groupe_de_six_reprend_le_maraichage_avec_le_village(session: Session) -> None:
    life = begin(session)
    caseload = life.caseload
    six = in_state(caseload, "start_livelihood", 6)
    budget(caseload, 5_000_000)
    par = {"actor": caseload.staff["livelihood_officer"], "now": life.now}

    # Le village met la terre et des bras ; de ses habitants on ne garde qu'une étiquette.
    jardin = NewProject(
        code="JARDIN", title="Jardin maraîcher (fictif)", region_pcode="ML01", place="Kayes", starts_on=life.now.date()
    )
    add_project(session, jardin, **par)
    habitants = [CommunityMember(code=f"V{n}", label=f"V-{n:02}", sex="F") for n in range(1, 5)]
    add_community_members(session, "JARDIN", habitants, **par)
    parts = [
        PartWanted(**life.signed(dossier, "livelihood_officer"), code=f"M{n}", project="JARDIN")
        for n, dossier in enumerate(six)
    ]
    all_moved(join_projects(session, parts, now=life.now))
    record_contributions(
        session,
        "JARDIN",
        [
            Contribution(kind="materials", given_on=life.now.date(), amount_xof=400_000),
            Contribution(kind="labour", given_on=life.now.date(), hours=120, member="V1"),
            Contribution(kind="labour", given_on=life.now.date(), hours=80, member="M0"),
        ],
        **par,
    )
    add_milestone(session, "JARDIN", "Clôture posée", date(2024, 1, 20), **par)
    set_status(session, "JARDIN", "active", expected_version=4, **par)

    # Un appui collectif de 3 600 000 F CFA : il faut deux signatures de deux personnes.
    premier = six[0]
    assert propose(caseload, premier, "APPUI", 3_600_000, kind="collective", project="JARDIN").reasons == ()
    (refus,) = approve_grants(session, [approval(caseload, premier, "APPUI")], now=life.now)
    assert codes(refus) == ["one_signature_suffices"]
    signe = OnGrant(**life.signed(premier, "coordinator"), grant="APPUI")
    all_moved(endorse_grants(session, [signe], now=life.now))
    assert codes(confirm_grants(session, [approval(caseload, premier, "APPUI")], now=life.now)[0]) == [
        "grant_approver_differs"
    ]
    all_moved(confirm_grants(session, [approval(caseload, premier, "APPUI", actor=another(caseload))], now=life.now))

    # L'achat, en nature et avec ses preuves ; ce qui reste retourne au budget.
    achats = tuple(
        Purchase(
            position=1,
            supplier="Fournisseur (fictif)",
            quantity=1,
            amount_xof=prix,
            proof=f"F-{prix}",
            proof_sha256="a" * 64,
        )
        for prix in (2_500_000, 1_000_000)
    )
    achat = Purchases(**life.signed(premier, "livelihood_officer"), grant="APPUI", bought=achats)
    all_moved(record_purchases(session, [achat], now=life.now))
    all_moved(
        procure_grants(session, [OnGrant(**life.signed(premier, "livelihood_officer"), grant="APPUI")], now=life.now)
    )
    assert show_budget(session, "APPUIS")[0].available_xof == 1_500_000
    remise = Delivery(**life.signed(premier, "livelihood_officer"), grant="APPUI", reference="PV-JARDIN")
    all_moved(deliver_grants(session, [remise], now=life.now))

    # Le jalon est en retard, puis atteint ; l'un des six part, les autres vont jusqu'au bout.
    life.wait(days=14)
    par["now"] = life.now
    assert [(each.title, each.days) for each in overdue_milestones(session, life.now.date())] == [("Clôture posée", 2)]
    reach_milestone(session, "JARDIN", 1, "Photo 12", **par)
    assert overdue_milestones(session, life.now.date()) == []
    depart = EndOfMembership(**life.signed(six[5], "case_worker"), membership="M5", reason="re_migrated")
    all_moved(leave_projects(session, [depart], now=life.now))
    vue = GrantLook(
        **life.signed(premier, "case_worker"),
        grant="APPUI",
        visited_on=life.now.date(),
        finding="in_use",
        verified=True,
    )
    moved(look_at_grants(session, [vue], now=life.now)[0])
    version = show_project(session, "JARDIN").line.version
    set_status(session, "JARDIN", "completed", expected_version=version, **par)
    finies = end_memberships(
        session, "JARDIN", actor=caseload.staff["livelihood_officer"], correlation_id="jardin", now=life.now
    )
    all_moved(finies)
    assert [issue.case_id for issue in finies] == six[:5]

    # Le projet compte comme appui à l'installation pour les cinq, pas pour celui qui est parti.
    for dossier, attendu in ((six[1], []), (six[5], ["livelihood_reached"])):
        suite = life.tries(
            dossier, "start_follow_up", "coordinator", note="x", data={"waived": ["psychosocial", "training"]}
        )
        assert codes(suite) == attendu
    projet = show_project(session, "JARDIN")
    assert (projet.line.status, projet.line.returnees, projet.line.community) == ("completed", 5, 4)
    assert (projet.line.given_xof, projet.line.hours) == (400_000, 200)
    assert [(each.from_status, each.to_status) for each in projet.history if each.what == "status"] == [
        *(("planned", "active"), ("active", "completed")),
    ]
    appui = session.exec(select(LivelihoodGrant)).one()
    assert (appui.status, appui.kind, appui.spent_xof) == ("verified", "collective", 3_500_000)
    membres = session.exec(select(ProjectMember).where(ProjectMember.label != None)).all()  # noqa: E711
    assert {membre.case_id for membre in membres} == {None}
    assert verify_journal(session).broken == []
