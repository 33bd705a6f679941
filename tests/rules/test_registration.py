"""Registering people: what is written, what is recognised, and that order and number of the answers hold."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select
from synthetic_cases import ARRIVAL, START, Caseload, open_caseload, person

from models import (
    Case,
    Consent,
    Deadline,
    Event,
    Household,
    HouseholdMember,
    JournalRow,
    Office,
    Returnee,
    Task,
    WrongUse,
)
from states.journal import verify_journal
from states.registration import register_cases


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def number_of(session: Session, model: Any) -> int:
    return session.exec(select(func.count(model.id))).one()


def test_a_registration_writes_person_household_case_journal_event_task_clock_and_consent(caseload: Caseload) -> None:
    """What the pathway knows no vulnerability for is kept with the person; test_vulnerabilities.py has the others."""
    session = caseload.session
    office = Office(code="BKO", name="Bureau fictif", regions=["ML09"])
    session.add(office)
    session.flush()
    (made,) = caseload.register(
        person(
            5,
            nationality="ML",
            reference="REF-5",
            phone="+22370000005",
            remarks="l'« autre » valise",
            vulnerabilities=("sans_papiers", "chronic_illness"),
            household_size=4,
            district_pcode="ML0101",
            departure_place="Tamanrasset",
            office_id=office.id,
            consent_to_share=False,
            manifest_checksum="abc",
            manifest_line=12,
        )
    )
    assert made.kind == "registered"
    case = session.get_one(Case, made.case_id)
    assert (case.code, case.returnee_id, case.state, case.version) == (
        *(made.case_code, made.returnee_id, "registered", 1),
    )
    assert (case.registered_at, case.entered_state_at, case.arrival_date) == (START, START, ARRIVAL)
    assert (case.priority, case.events, case.office_id) == ("normal", 1, office.id)
    assert (case.departure_country, case.departure_place) == ("Niger", "Tamanrasset")
    assert (case.region_pcode, case.district_pcode) == ("ML06", "ML0101")
    assert (case.manifest_checksum, case.manifest_line) == ("abc", 12)
    returnee = session.get_one(Returnee, made.returnee_id)
    assert returnee.code != case.code
    assert (returnee.family_name, returnee.given_names, returnee.sex) == ("Famille5", "Prénom5", "M")
    assert (returnee.name_key, returnee.nationality, returnee.reference) == ("famille5 prenom5", "ML", "REF-5")
    assert (returnee.birth_date, returnee.birth_precision) == (person(5).birth_date, "exact")
    assert (returnee.vulnerabilities, returnee.phone) == (["sans_papiers", "chronic_illness"], "+22370000005")
    assert (returnee.remarks, returnee.created_at) == ("l'« autre » valise", START)
    member = session.exec(select(HouseholdMember)).one()
    assert (member.returnee_id, member.role, member.since, member.until) == (returnee.id, "unknown", START, None)
    household = session.get_one(Household, member.household_id)
    assert (household.size, household.created_at) == (4, START)
    row = session.exec(select(JournalRow)).one()
    assert (row.case_id, row.seq, row.trigger, row.from_state, row.to_state) == (
        *(case.id, 1, "register", None, "registered"),
    )
    assert (row.hash, row.actor_id) == (case.journal_head, caseload.staff["intake_officer"].id)
    assert (row.role, row.correlation_id) == ("intake_officer", "intake")
    event = session.exec(select(Event)).one()
    assert (event.type, event.sequence, event.seq) == ("case.registered", 1, 1)
    assert event.data == {"case": case.code, "state": "registered"}
    assert (event.correlation_id, event.region_pcode) == ("intake", "ML06")
    task = session.exec(select(Task)).one()
    assert (task.key, task.status, task.seq, task.office_id) == ("confirm_arrival", "open", 1, office.id)
    deadline = session.exec(select(Deadline)).one()
    assert (deadline.key, deadline.kind, deadline.status, deadline.seq) == ("no_show", "timer", "open", 1)
    consent = session.exec(select(Consent)).one()
    assert (consent.purpose, consent.status, consent.source, consent.recorded_at) == (
        *("sharing", "refused", "manifest", START),
    )
    assert verify_journal(session).broken == []


def test_what_is_not_known_stays_empty(caseload: Caseload) -> None:
    (made,) = caseload.register(person(1, birth_date=None, birth_precision="approximate", region_pcode=None))
    returnee = caseload.session.get_one(Returnee, made.returnee_id)
    assert (returnee.birth_date, returnee.vulnerabilities) == (None, [])
    assert number_of(caseload.session, Consent) == 0
    assert number_of(caseload.session, Household) == number_of(caseload.session, HouseholdMember) == 0
    assert caseload.case(made.case_id).region_pcode is None


def test_the_same_line_of_the_same_file_opens_no_second_case(caseload: Caseload) -> None:
    session = caseload.session
    lines = [person(line, manifest_checksum="one", manifest_line=line) for line in range(3)]
    first = caseload.register(*lines)
    other_file = person(1, manifest_checksum="two", manifest_line=1)
    answers = caseload.register(lines[2], other_file, lines[0], other_file)
    assert [answer.kind for answer in answers] == ["already_known", "registered", "already_known", "already_known"]
    assert answers[0][1:] == first[2][1:]
    assert answers[2][1:] == first[0][1:]
    assert answers[3][1:] == answers[1][1:]
    assert (number_of(session, Case), number_of(session, Returnee), number_of(session, JournalRow)) == (4, 4, 4)


def test_people_without_a_file_are_never_taken_for_one_another(caseload: Caseload) -> None:
    answers = caseload.register(person(1), person(1))
    assert [answer.kind for answer in answers] == ["registered", "registered"]
    assert len({answer.case_id for answer in answers}) == 2


def test_somebody_who_returns_again_has_a_second_case_and_stays_one_person(caseload: Caseload) -> None:
    session = caseload.session
    (first,) = caseload.register(person(1))
    (again, someone) = caseload.register(person(7, returnee_id=first.returnee_id, household_size=3), person(8))
    assert (again.returnee_id, again.kind) == (first.returnee_id, "registered")
    assert again.case_id != first.case_id
    assert someone.returnee_id != first.returnee_id
    assert number_of(session, Returnee) == 2
    assert session.get_one(Returnee, first.returnee_id).family_name == "Famille1"


def test_a_person_who_does_not_exist_is_an_error(caseload: Caseload) -> None:
    with pytest.raises(IntegrityError):
        caseload.register(person(1, returnee_id=4711))


def test_a_pathway_version_that_is_not_published_is_an_error(caseload: Caseload) -> None:
    with pytest.raises(WrongUse):
        register_cases(
            caseload.session,
            [person(1)],
            pathway_version_id=4711,
            now=START,
            actor=caseload.staff["intake_officer"],
            correlation_id="x",
            new_code=caseload.new_code,
        )


def test_nobody_to_register_is_fine(caseload: Caseload) -> None:
    assert caseload.register() == []


def test_five_thousand_answers_come_in_order(caseload: Caseload) -> None:
    people = [person(n, reference=f"R{n}", manifest_checksum="big", manifest_line=n) for n in range(5000)]
    answers = caseload.register(*people)
    found = caseload.session.exec(select(Case.id, Returnee.reference).join(Returnee).order_by(col(Case.id))).all()
    references = dict(found)
    assert [references[answer.case_id] for answer in answers] == [f"R{n}" for n in range(5000)]
    assert len({answer.case_code for answer in answers}) == 5000
    report = verify_journal(caseload.session)
    assert (report.cases, report.transitions, report.broken) == (5000, 5000, [])
