"""What plans ask for goes with a state that is renamed, and comes back with it; on both databases. Nobody in here
exists."""

from __future__ import annotations

from typing import Any

from changing_pathways import DAY, NOW, OLD, RENAMED, changing, newer, options
from sqlmodel import Session, select
from synthetic_cases import START

from models import Case, CasePlan, PlanItem, Task
from states.change.consequences import consequences

ASKING = OLD.replace("      - note_given\n", "      - {guard: plan_asks_for, with: {need: helped}}\n")
"""Only who asks for help in the plan is helped."""
ASKING_ANEW = newer(
    ("      open: [greet]", "      open: [greet, {task: write, when: {need: helped}}]"),
    ("helped", "assisted"),
    of=ASKING,
)


def test_plans_ask_for_a_renamed_state_under_its_new_name_and_back(session: Session) -> None:
    made = changing(session, ASKING_ANEW, old=ASKING)
    asks, asks_not = made.register(2)
    for revision, needs in enumerate((["helped"], ["waiting", "helped"]), 1):
        plan = CasePlan(code=f"P{revision}", case_id=asks, revision=revision, needs=needs, drafted_at=START)
        session.add(plan)
        session.flush()
        session.add(_item(f"I{revision}", plan, "helped" if revision == 1 else None))
    session.add(CasePlan(code="Q", case_id=asks_not, needs=["waiting"], drafted_at=START))
    session.flush()
    before = _asked_for(session)
    change = made.change(RENAMED)
    said = consequences(session, change.way, change.ways, [[asks, asks_not]], NOW)
    assert (said.moves, said.begun) == ((), {"write": 1})
    assert sum(each.moved for each in made.run_wave(change, options(change.way.names))) == 2
    renamed = {"P1": ["assisted"], "P2": ["waiting", "assisted"], "Q": ["waiting"], "I1": "assisted", "I2": None}
    assert _asked_for(session) == renamed
    assert set(session.exec(select(Task.case_id).where(Task.key == "write"))) == {asks}
    assert sum(each.undone for each in made.undo_wave(change, 1)) == 2
    assert _asked_for(session) == before
    assert sum(each.moved for each in made.run_wave(change, options(change.way.names))) == 2
    assert _asked_for(session) == renamed
    made.advance([asks], "help", NOW + DAY)
    assert session.get_one(Case, asks).state == "assisted"


def _item(code: str, plan: CasePlan, need: str | None) -> PlanItem:
    said = {"level": "individual", "dimension": "social", "goal": "But fictif", "service": "training", "need": need}
    return PlanItem(code=code, case_id=plan.case_id, plan_id=plan.id, **said)


def _asked_for(session: Session) -> dict[str, Any]:
    """The needs of each plan and the need of each item, as they stand in the database."""
    session.expire_all()
    plans, items = session.exec(select(CasePlan)).all(), session.exec(select(PlanItem)).all()
    return {**{plan.code: plan.needs for plan in plans}, **{item.code: item.need for item in items}}
