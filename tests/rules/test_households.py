"""Households: families come together and part, and every history stays. All of it synthetic."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select
from synthetic_cases import START, Caseload, open_caseload, person

from models import Case, FollowUpVisit, Household, JournalRow, WrongUse
from models.household_history import household_file, open_cases_of, stays_of
from models.tally import visits_made
from states.casework.follow_up import Visit, record_visits
from states.casework.households import Member, form_household, join_household, split_household
from states.moves import Outcome, OutcomeKind
from states.sweep import sweep_deadlines

DAY = timedelta(days=1)
TODAY = date(2024, 3, 1)


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


@pytest.fixture
def family(caseload: Caseload) -> list[int]:
    """A mother and her two children, registered one by one: the manifest gave the size of each one's household."""
    people = [person(1, household_size=3)]
    people += [person(number, birth_date=date(2010 + number, 1, 1)) for number in (2, 3)]
    return [made.case_id for made in caseload.register(*people)]


def member(caseload: Caseload, case_id: int, role: str = "unknown", command_id: str | None = None) -> Member:
    move = caseload.move(case_id, "", "case_worker", command_id=command_id)
    return Member(case_id=case_id, actor=move.actor, command_id=move.command_id, correlation_id="test", role=role)


def family_of(caseload: Caseload, family: list[int], code: str = "H-1") -> list[Outcome]:
    members = [
        member(caseload, case_id, role) for case_id, role in zip(family, ("head", "child", "child"), strict=True)
    ]
    return form_household(caseload.session, members, code=code, now=START)


def codes(caseload: Caseload, case_ids: list[int]) -> list[str]:
    return [caseload.session.get_one(Case, id_).code for id_ in case_ids]


def test_a_family_is_put_together_in_the_journal_of_each(caseload: Caseload, family: list[int]) -> None:
    assert {outcome.kind for outcome in family_of(caseload, family)} == {OutcomeKind.MOVED}
    file = household_file(caseload.session, "H-1", on=TODAY)
    assert [(stay.case, stay.role, stay.minor) for stay in file.present] == [
        (code, *what)
        for code, what in zip(codes(caseload, family), [("head", False), ("child", True), ("child", True)], strict=True)
    ]
    assert (file.past, file.minors_alone) == ((), False)
    rows = caseload.session.exec(select(JournalRow).where(JournalRow.trigger == "household_changed")).all()
    assert sorted(row.case_id for row in rows) == sorted(family)
    assert all(row.data == {"household": "H-1", "change": "formed"} for row in rows)
    mother = stays_of(caseload.session, family[0], on=TODAY)
    assert [(stay.household == "H-1", stay.until) for stay in mother] == [(False, START), (True, None)]


@pytest.mark.parametrize(
    ("born", "precision", "minor"),
    [
        (date(2006, 3, 1), "exact", False),
        (date(2006, 3, 2), "exact", True),
        (date(2006, 1, 1), "year", None),
        (date(2005, 1, 1), "year", False),
        (date(2007, 1, 1), "year", True),
        (date(1980, 1, 1), "approximate", None),
        (None, "exact", None),
    ],
)
def test_who_is_a_minor_is_said_only_where_it_is_certain(
    caseload: Caseload, born: date | None, precision: str, minor: bool | None
) -> None:
    """On 1 March 2024. Whoever may be a child is nobody whom we know to be grown up."""
    people = (person(1, birth_date=born, birth_precision=precision), person(2, birth_date=date(2015, 1, 1)))
    both = [made.case_id for made in caseload.register(*people)]
    form_household(caseload.session, [member(caseload, each) for each in both], code="H-1", now=START)
    file = household_file(caseload.session, "H-1", on=TODAY)
    assert [stay.minor for stay in file.present] == [minor, True]
    assert file.minors_alone == (minor is not False)


def test_splitting_and_joining_keep_both_histories(caseload: Caseload, family: list[int]) -> None:
    session = caseload.session
    _, son, daughter = family
    family_of(caseload, family)
    split_household(session, [member(caseload, son, "head")], code="H-2", now=START + 10 * DAY)
    join_household(session, [member(caseload, daughter, "child")], code="H-2", now=START + 20 * DAY)
    join_household(session, [member(caseload, daughter, "child")], code="H-1", now=START + 30 * DAY)

    first = household_file(session, "H-1", on=TODAY)
    second = household_file(session, "H-2", on=TODAY)
    at = codes(caseload, family)
    assert {(stay.case, stay.since, stay.until) for stay in (*first.past, *first.present)} == {
        (at[1], START, START + 10 * DAY),
        (at[2], START, START + 20 * DAY),
        (at[0], START, None),
        (at[2], START + 30 * DAY, None),
    }
    assert {(stay.case, stay.since, stay.until) for stay in (*second.past, *second.present)} == {
        (at[2], START + 20 * DAY, START + 30 * DAY),
        (at[1], START + 10 * DAY, None),
    }
    assert [stay.household for stay in stays_of(session, daughter, on=TODAY)] == ["H-1", "H-2", "H-1"]
    assert (first.minors_alone, second.minors_alone) == (False, True), "a boy by himself: somebody should look"


def test_what_is_not_possible_changes_nothing(caseload: Caseload, family: list[int]) -> None:
    session, (mother, *_) = caseload.session, family
    with pytest.raises(WrongUse, match="no such household"):
        join_household(session, [member(caseload, mother)], code="H-9", now=START)
    with pytest.raises(WrongUse, match="uncle"):
        form_household(session, [member(caseload, mother, "uncle")], code="H-9", now=START)
    with pytest.raises(WrongUse, match="no such household"):
        household_file(session, "H-9", on=TODAY)
    caseload.advance(mother, "close", reason="no_show")
    (refused,) = form_household(session, [member(caseload, mother)], code="H-9", now=START)
    assert [reason.code for reason in refused.reasons] == ["wrong_state"]
    assert "H-9" not in session.exec(select(Household.code)).all()


def test_the_same_command_moves_somebody_once(caseload: Caseload, family: list[int]) -> None:
    step = member(caseload, family[0], command_id="once")
    (first,) = form_household(caseload.session, [step], code="H-1", now=START)
    (again,) = form_household(caseload.session, [step], code="H-1", now=START + DAY)
    assert (first.kind, again.kind) == (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE)
    assert len(household_file(caseload.session, "H-1", on=TODAY).present) == 1


def test_a_visit_to_a_family_is_one_visit_and_a_row_of_each_members_case(caseload: Caseload, family: list[int]) -> None:
    session = caseload.session
    family_of(caseload, family)
    for case_id in family:
        caseload.record_everything(case_id)
    session.flush()
    for row in session.exec(select(FollowUpVisit)).all():
        session.delete(row)
    for trigger in ("confirm_arrival", "begin_screening", "begin_planning", "start_follow_up"):
        outcomes = caseload.advance_all(family, trigger)
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}, outcomes
    day = START + 85 * DAY
    while sweep_deadlines(session, as_of=day, limit=100).seen:
        pass
    assert sorted(open_cases_of(session, "H-1")) == sorted(family)

    def met(case_id: int, occasion: str, months: int = 3) -> Visit:
        move = caseload.move(case_id, "", "case_worker")
        signed: dict[str, Any] = {"actor": move.actor, "command_id": move.command_id, "correlation_id": "test"}
        return Visit(case_id=case_id, **signed, occasion=occasion, months=months, outcome="well")

    outcomes = record_visits(session, [met(case_id, "V-1") for case_id in open_cases_of(session, "H-1")], now=day)
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}
    rows = session.exec(select(JournalRow.case_id).where(JournalRow.trigger == "record_visit")).all()
    assert sorted(rows) == sorted(family)
    assert visits_made(session, since=START, until=day + DAY) == (1, 3)

    sixth = START + 175 * DAY
    while sweep_deadlines(session, as_of=sixth, limit=100).seen:
        pass
    record_visits(session, [met(family[0], "V-2", 6)], now=sixth)
    assert visits_made(session, since=START, until=sixth + DAY) == (2, 3)
    assert visits_made(session, since=sixth, until=sixth + DAY) == (1, 1)
    assert visits_made(session, since=START, until=day) == (0, 0)
