"""Un plan se fait à deux, se révise en chemin, et rien de ce qu'il disait ne se perd. Personnes fictives."""

from __future__ import annotations

from typing import Any

from life import Life, all_moved, begin
from sqlmodel import Session

from models.plan_history import PlanRevision, plan_history
from states.casework.plans import (
    ItemStep,
    PlanDraft,
    PlannedItem,
    PlanStep,
    advance_items,
    approve_plans,
    draft_plans,
    return_plans,
    revise_plans,
    submit_plans,
)
from states.journal import verify_journal


def test_un_plan_revise_deux_fois_garde_son_histoire_et_deux_regards(session: Session) -> None:
    life = begin(session)
    woman = life.arrives(4, sex="F", given_names="Femme fictive")
    life.does(woman, "confirm_arrival", "intake_officer")
    life.caseload.agree([woman], now=life.now)
    life.does(woman, "begin_screening", "intake_officer")
    life.caseload.screen([woman], now=life.now)
    life.does(woman, "begin_planning", "case_worker")
    assert "draft_plan" in life.tasks(woman)

    # Elle veut coudre : son agent l'écrit avec elle, et ne peut pas l'approuver, ni aucun autre agent.
    sewing = PlannedItem(
        level="individual", dimension="economic", goal="Vivre de la couture", service="training", need="training"
    )
    draft(life, woman, "P1", needs=("training",), items=(sewing,))
    step(life, submit_plans, woman, "P1", role="case_worker")
    (own,) = approve_plans(session, [PlanStep(**life.signed(woman, "case_worker"), plan="P1")], now=life.now)
    assert {reason.code for reason in own.reasons} == {"role_not_allowed", "plan_approver_differs"}

    # Un second regard le renvoie, avec un motif ; il revient complété et il est approuvé.
    step(life, return_plans, woman, "P1", note="Qui garde les enfants pendant les cours ?")
    assert "rework_plan" in life.tasks(woman)
    life.wait(days=2)
    nursery = PlannedItem(
        level="community",
        dimension="social",
        goal="Une voisine garde les enfants",
        service="education",
        provider="Voisine (fictive)",
    )
    changed = PlanDraft(**life.signed(woman, "case_worker"), plan="P1", needs=("training",), items=(nursery,))
    all_moved(revise_plans(session, [changed], new_code=life.caseload.new_code, now=life.now))
    step(life, submit_plans, woman, "P1", role="case_worker")
    step(life, approve_plans, woman, "P1")
    coat, care = (item.code for item in history(life, woman)[0].items)
    life.does(woman, "start_training", "training_officer")
    life.office_works()
    items(life, "start_plan_item", woman, coat)

    # Deux mois plus tard elle a une machine : première révision. La garde des enfants n'est plus à faire.
    life.wait(days=60)
    machine = PlannedItem(
        level="individual", dimension="economic", goal="Une machine à coudre", service="material", need="livelihood"
    )
    draft(life, woman, "P2", needs=("training", "livelihood"), items=(machine,), drop=(care,))
    assert [each.code for each in history(life, woman) if each.in_force] == ["P1"], (
        "tant que l'autre n'est pas approuvé"
    )
    step(life, submit_plans, woman, "P2", role="case_worker")
    step(life, approve_plans, woman, "P2")
    items(life, "finish_plan_item", woman, coat)

    # Puis elle perd son frère et le dit : seconde révision, cette fois écrite par la coordination.
    life.wait(days=30)
    grief = PlannedItem(
        level="individual", dimension="psychosocial", goal="En parler", service="psychosocial", need="psychosocial"
    )
    draft(life, woman, "P3", role="coordinator", needs=("livelihood", "psychosocial"), items=(grief,))
    step(life, submit_plans, woman, "P3")
    (alone,) = approve_plans(session, [PlanStep(**life.signed(woman, "coordinator"), plan="P3")], now=life.now)
    assert [reason.code for reason in alone.reasons] == ["plan_approver_differs"]
    assert [each.code for each in history(life, woman) if each.in_force] == ["P2"]

    # La coordination s'est trompée de soumettre avant d'en parler : elle l'annule, l'agent reprend le plan à son nom.
    life.does(woman, "correct", "coordinator", note="Soumis trop tôt")
    assert history(life, woman)[-1].submitted_at is None
    taken_over = PlanDraft(**life.signed(woman, "case_worker"), plan="P3", needs=("livelihood", "psychosocial"))
    all_moved(revise_plans(session, [taken_over], new_code=life.caseload.new_code, now=life.now))
    step(life, submit_plans, woman, "P3", role="case_worker")
    step(life, approve_plans, woman, "P3")

    first, second, third = history(life, woman)
    assert [each.in_force for each in (first, second, third)] == [False, False, True]
    assert {(each.author, each.approver) for each in (first, second, third)} == {("case_worker", "coordinator")}
    assert (second.added, second.left_out) == (("livelihood",), ())
    assert (third.added, third.left_out) == (("psychosocial",), ("training",))
    assert [(item.goal, item.status, item.reason) for item in first.items] == [
        ("Vivre de la couture", "done", None),
        ("Une voisine garde les enfants", "dropped", "plan_revised"),
    ]
    assert [item.status for each in (second, third) for item in each.items] == ["planned", "planned"]
    approved = [each.approved_at for each in (first, second, third) if each.approved_at is not None]
    assert len(set(approved)) == 3
    assert approved == sorted(approved)
    assert life.triggers(woman).count("approve_plan") == 3
    assert verify_journal(session).broken == []


def history(life: Life, case_id: int) -> list[PlanRevision]:
    life.session.expire_all()
    return plan_history(life.session, case_id)


def draft(life: Life, case_id: int, plan: str, *, role: str = "case_worker", **parts: Any) -> None:
    drafted = PlanDraft(**life.signed(case_id, role), plan=plan, **parts)
    all_moved(draft_plans(life.session, [drafted], new_code=life.caseload.new_code, now=life.now))


def step(life: Life, how: Any, case_id: int, plan: str, *, role: str = "coordinator", note: str | None = None) -> None:
    all_moved(how(life.session, [PlanStep(**life.signed(case_id, role), plan=plan, note=note)], now=life.now))


def items(life: Life, trigger: Any, case_id: int, item: str) -> None:
    taken = ItemStep(**life.signed(case_id, "case_worker"), item=item)
    all_moved(advance_items(life.session, trigger, [taken], now=life.now))
