"""Community projects: returnees and the community take part, give, reach milestones; every change is in a history."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select, update
from supported_cases import codes, in_state, rows, sign
from synthetic_cases import START, Caseload, open_caseload

from models import Case, JournalRow, ProjectContribution, ProjectHistory, ProjectMember, ProjectMilestone, WrongUse
from states.casework.leftovers import release_leftovers
from states.casework.memberships import (
    EndOfMembership,
    PartWanted,
    end_memberships,
    join_projects,
    leave_projects,
)
from states.casework.project_list import list_projects, overdue_milestones, show_project
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
from states.moves import Outcome, OutcomeKind
from states.pathways.loader import bundled_pathway
from states.pathways.shelf import publish

MOVED = OutcomeKind.MOVED
GARDEN = NewProject(
    code="JARDIN", title="Jardin maraîcher (fictif)", region_pcode="ML01", place="Kayes", starts_on=date(2024, 1, 1)
)


class Village:
    """A project and everything that can be done with it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.caseload: Caseload = open_caseload(session)
        self.by: dict[str, Any] = {"actor": self.caseload.staff["livelihood_officer"], "now": START}
        add_project(session, GARDEN, **self.by)

    def join(self, case_id: int, code: str) -> Outcome:
        step = PartWanted(**sign(self.caseload, case_id, "livelihood_officer"), code=code, project="JARDIN")
        (outcome,) = join_projects(self.session, [step], now=START)
        return outcome

    def becomes(self, to: Any, version: int, **changes: Any) -> None:
        set_status(self.session, "JARDIN", to, expected_version=version, **{**self.by, **changes})

    @property
    def history(self) -> list[tuple[int, str, str]]:
        found = self.session.exec(select(ProjectHistory).order_by(ProjectHistory.seq)).all()
        return [(each.seq, each.what, each.to_status) for each in found]


@pytest.fixture
def village(session: Session) -> Village:
    return Village(session)


def test_a_project_goes_its_way_with_a_history_that_nobody_overtakes(village: Village) -> None:
    session = village.session
    with pytest.raises(WrongUse, match="already"):
        add_project(session, GARDEN, **village.by)
    with pytest.raises(WrongUse, match="cannot become"):
        village.becomes("completed", 1)
    village.becomes("active", 1)
    with pytest.raises(WrongUse, match="Somebody else"):
        village.becomes("completed", 1)
    with pytest.raises(WrongUse, match="why"):
        village.becomes("abandoned", 2)
    assert add_milestone(session, "JARDIN", "Clôture", date(2024, 3, 1), **village.by) == 1
    assert add_milestone(session, "JARDIN", "Récolte", date(2024, 9, 1), **village.by) == 2
    today = date(2024, 4, 1)
    assert [(each.project, each.title, each.days) for each in overdue_milestones(session, today)] == [
        ("JARDIN", "Clôture", 31),
    ]
    reach_milestone(session, "JARDIN", 1, "PV-1", **village.by)
    for wrong in (("JARDIN", 1, "PV-1"), ("JARDIN", 3, "PV-1"), ("JARDIN", 2, " ")):
        with pytest.raises(WrongUse):
            reach_milestone(session, *wrong, **village.by)
    assert overdue_milestones(session, today) == []
    village.becomes("completed", 5)
    for late in (
        lambda: add_milestone(session, "JARDIN", "x", today, **village.by),
        lambda: village.becomes("abandoned", 6, reason="x"),
    ):
        with pytest.raises(WrongUse):
            late()
    assert village.history == [
        *((1, "created", "planned"), (2, "status", "active"), (3, "milestone_added", "active")),
        *((4, "milestone_added", "active"), (5, "milestone_reached", "active"), (6, "status", "completed")),
    ]
    (reached, _) = session.exec(select(ProjectMilestone).order_by(ProjectMilestone.position)).all()
    assert (reached.reached_at, reached.proof) == (START, "PV-1")


def test_members_come_from_the_community_and_from_cases(village: Village) -> None:
    session, caseload = village.session, village.caseload
    first, second = in_state(caseload, "start_livelihood", 2)
    people = [
        CommunityMember(code="V1", label="V-01", sex="F", age_group="36_59"),
        CommunityMember(code="V2", label="V-02"),
    ]
    add_community_members(session, "JARDIN", people, **village.by)
    with pytest.raises(WrongUse, match="label"):
        add_community_members(session, "JARDIN", [CommunityMember(code="V3", label="V-02")], **village.by)
    assert village.join(first, "M1").kind is MOVED
    assert codes(village.join(first, "M2")) == ["no_record_in"]
    assert village.join(second, "M2").kind is MOVED
    left = EndOfMembership(**sign(caseload, second), membership="M2", reason="family_issues")
    assert leave_projects(session, [left], now=START)[0].kind is MOVED
    (row,) = rows(caseload, ProjectMember, second)
    assert (row.status, row.reason, row.ended_at, row.label) == ("left", "family_issues", START, None)
    shown = show_project(session, "JARDIN")
    assert (shown.line.returnees, shown.line.community) == (1, 2)
    assert not any("Famille" in str(each) for each in session.exec(select(ProjectMember)))
    assert rows(caseload, JournalRow, first)[-1].data == {
        "project": "JARDIN",
        "record": {"kind": "membership", "code": "M1", "from": None, "to": "joined"},
    }


def test_contributions_are_hours_or_whole_francs(village: Village) -> None:
    session, day = village.session, START.date()
    (case_id,) = in_state(village.caseload, "start_livelihood")
    village.join(case_id, "M1")
    good = [
        Contribution(kind="labour", given_on=day, hours=40, member="M1"),
        Contribution(kind="materials", given_on=day, amount_xof=75_000),
        Contribution(kind="cash", given_on=day, amount_xof=25_000),
    ]
    record_contributions(session, "JARDIN", good, **village.by)
    for wrong in (
        {"kind": "labour", "amount_xof": 5},
        {"kind": "cash", "hours": 5},
        {"kind": "cash", "amount_xof": 1.5},
        {"kind": "cash", "amount_xof": 0},
        {"kind": "labour", "hours": 5, "amount_xof": 5},
        {"kind": "labour", "hours": 5, "member": "UNHEARD-OF"},
        {"kind": "labour", "hours": 5, "given_on": day + timedelta(days=1)},
    ):
        with pytest.raises(WrongUse):
            record_contributions(session, "JARDIN", [Contribution(**{"given_on": day, **wrong})], **village.by)
    line = list_projects(session)[0]
    assert (line.hours, line.given_xof, line.version) == (40, 100_000, 2)
    assert len(session.exec(select(ProjectContribution)).all()) == 3


@pytest.mark.parametrize(("to", "ends"), [("completed", "completed"), ("abandoned", "left")])
def test_the_end_of_a_project_ends_the_part_of_every_returnee(village: Village, to: Any, ends: str) -> None:
    session, caseload = village.session, village.caseload
    cases = in_state(caseload, "start_livelihood", 3)
    for number, case_id in enumerate(cases):
        assert village.join(case_id, f"M{number}").kind is MOVED
    caseload.advance(cases[2], "hold", reason="medical")
    signed = {"actor": village.by["actor"], "correlation_id": "x", "now": START}
    assert end_memberships(session, "JARDIN", **signed) == []
    village.becomes("active", 1)
    village.becomes(to, 2, reason="Sécheresse")
    assert [outcome.kind for outcome in end_memberships(session, "JARDIN", **signed)] == [MOVED] * 3
    assert end_memberships(session, "JARDIN", **signed) == []
    assert {rows(caseload, ProjectMember, case_id)[0].status for case_id in cases} == {ends}
    (late,) = in_state(caseload, "start_livelihood")
    assert codes(village.join(late, "M9")) == ["project_over"]
    # A part that was completed counts as livelihood support.
    follow_up = caseload.advance(cases[0], "start_follow_up", note="x", data={"waived": ["psychosocial"]})
    assert codes(follow_up) == ["training_certified", *(["livelihood_reached"] if to == "abandoned" else [])]


def test_a_closed_case_leaves_its_project_in_the_night(village: Village) -> None:
    (case_id,) = in_state(village.caseload, "start_livelihood")
    village.join(case_id, "M1")
    village.caseload.advance(case_id, "close", reason="left_area")
    assert release_leftovers(village.session, now=START, limit=10).memberships == 1
    (row,) = rows(village.caseload, ProjectMember, case_id)
    assert (row.status, row.reason) == ("left", "case_closed")


def test_what_cannot_be_given_back_does_not_stand_before_what_can(village: Village) -> None:
    """The first two cases follow a pathway on which a part does not end because a case was closed."""
    session, caseload = village.session, village.caseload
    cases = in_state(caseload, "start_livelihood", 4)
    for number, case_id in enumerate(cases):
        assert village.join(case_id, f"M{number}").kind is MOVED
        assert caseload.advance(case_id, "close", reason="left_area").kind is MOVED
    text = bundled_pathway("mali").replace("\npathway: mali\n", "\npathway: other\n", 1)
    start = text.index("  - trigger: leave_project\n")
    text = text[:start] + text[start:].replace("project_ended, case_closed, other", "project_ended, other", 1)
    other = publish(session, text, START)
    assert other.id != caseload.version_id
    session.execute(update(Case).where(col(Case.id).in_(cases[:2])).values(pathway_version_id=other.id))
    released = [release_leftovers(session, now=START, limit=1).memberships for _ in range(3)]
    assert released == [1, 1, 0]
    assert [rows(caseload, ProjectMember, case_id)[0].status for case_id in cases] == [
        "joined",
        "joined",
        "left",
        "left",
    ]


def test_several_join_at_once_and_an_unknown_project_is_refused(village: Village) -> None:
    session, caseload = village.session, village.caseload
    add_project(session, replace(GARDEN, code="ETANG"), **village.by)
    village.becomes("abandoned", 1, reason="Sécheresse")
    cases = in_state(caseload, "start_livelihood", 2)
    steps = [
        PartWanted(**sign(caseload, case_id, "livelihood_officer"), code=f"M-{project}", project=project)
        for case_id, project in zip(cases, ("JARDIN", "ETANG"), strict=True)
    ]
    assert [codes(outcome) for outcome in join_projects(session, steps, now=START)] == [["project_over"], []]
    with pytest.raises(WrongUse, match="no project UNHEARD-OF"):
        join_projects(session, [replace(steps[1], project="UNHEARD-OF")], now=START)
