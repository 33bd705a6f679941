"""What partners are shown of events: under their own codes, by agreement and consent, the same bytes for ever."""

from __future__ import annotations

import json
from datetime import date

import pytest
from cloudevents.core.formats.json import JSONFormat
from edges.sharing_rows import URL, agree, body, consent, owe, partner, refer, row, shown
from edges.webhook_outbox import NOW, announce, open_cases
from sqlalchemy import delete, update
from sqlmodel import Session, select

from integrations.sharing.covering import Reason, Shown, Withheld
from integrations.sharing.pseudonyms import case_of
from models import (
    CasePlan,
    Consent,
    Office,
    Partner,
    PartnerCase,
    Returnee,
    Vulnerability,
)
from models.shared_fields import SHARED_FIELDS


def test_an_event_is_shown_under_the_partners_own_codes(session: Session) -> None:
    clinic = partner(session, "clinic")
    agreement = agree(session, clinic)
    (case,) = open_cases(session, 1)
    case.region_pcode = "ML01"
    answer = consent(session, case, clinic)
    event = announce(
        session, case, "deadline.overdue", data={"case": case.code, "deadline": "visit", "state": "arrived"}
    )
    (id_,) = owe(session, event, to=clinic)
    assert shown(session, id_) == {id_: Shown(agreement.id, answer.id, ("region", "family_name"))}
    found = row(session, id_)
    assert found.body is not None
    assert (found.status, found.position, found.sequence, found.fields) == ("shown", 1, 1, ["region", "family_name"])
    assert (found.agreement_id, found.consent_id, found.shown_at) == (agreement.id, answer.id, NOW)
    known = session.exec(select(PartnerCase)).one()
    assert (known.events, case_of(session, clinic.id or 0, known.code)) == (1, case.id)
    assert json.loads(found.body) == {
        "specversion": "1.0",
        "id": found.uid,
        "source": "urn:segin:cases",
        "type": "deadline.overdue",
        "subject": known.code,
        "time": "2024-03-05T08:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": f"{URL}/v1/schemas/deadline.overdue/1#/properties/data",
        "sequence": "0000000001",
        "sequencetype": "Integer",
        "data": {
            "case": known.code,
            "state": "arrived",
            "deadline": "visit",
            "details": {"region": "ML01", "family_name": "KEITA"},
        },
    }
    read = JSONFormat().read(None, found.body)
    assert (read.get_id(), read.get_subject()) == (found.uid, known.code)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"event_types": ["case.closed"]}, Reason.NO_AGREEMENT),
        ({"regions": ["ML05"]}, Reason.NO_AGREEMENT),
        ({"programmes": ["other"]}, Reason.NO_AGREEMENT),
        ({"valid_from": date(2024, 3, 6)}, Reason.NO_AGREEMENT),
        ({"valid_until": date(2024, 3, 4)}, Reason.NO_AGREEMENT),
        ({"ended_at": NOW}, Reason.NO_AGREEMENT),
        ({"purpose": "assistance"}, Reason.NO_CONSENT),
        ({"regions": ["ML01"], "programmes": ["test"], "valid_until": date(2024, 3, 5)}, None),
    ],
)
def test_nothing_is_shown_without_an_agreement_and_a_consent(
    session: Session, terms: dict[str, object], reason: Reason | None
) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic, **terms)
    (case,) = open_cases(session, 1)
    session.execute(delete(Consent))
    case.region_pcode = "ML01"
    consent(session, case, clinic)
    (id_,) = owe(session, announce(session, case), to=clinic)
    verdict = shown(session, id_)[id_]
    assert (verdict.reason if isinstance(verdict, Withheld) else None) == reason
    found = row(session, id_)
    assert (found.status, found.reason, found.body is None) == (
        *("withheld" if reason else "shown", reason, reason is not None),
    )
    session.expire_all()
    assert session.get_one(Partner, clinic.id).position == (0 if reason else 1)
    assert len(session.exec(select(PartnerCase)).all()) == (0 if reason else 1)


def test_a_partner_that_is_no_longer_active_is_told_only_what_is_taken_back(session: Session) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic)
    (case,) = open_cases(session, 1)
    answer = consent(session, case)
    first, second = owe(session, announce(session, case), announce(session, case), to=clinic)
    shown(session, first)
    clinic.active = False
    session.flush()
    assert shown(session, second) == {second: Withheld(Reason.NO_AGREEMENT)}
    answer.status = "revoked"
    (told,) = owe(session, announce(session, case, "consent.revoked"), to=clinic)
    assert shown(session, told) == {told: Shown(None, None, ())}


def test_of_two_agreements_the_one_that_was_not_ended_counts(session: Session) -> None:
    """And what takes something back comes also when none is left."""
    clinic = partner(session, "clinic")
    wide = agree(session, clinic, code="wide")
    narrow = agree(session, clinic, code="narrow", fields=["region"])
    (case,) = open_cases(session, 1)
    consent(session, case)
    ids = owe(session, *(announce(session, case) for _ in range(3)), to=clinic)
    seen = []
    for id_, ended in zip(ids, (wide, narrow, wide), strict=True):
        (verdict,) = shown(session, id_).values()
        seen.append(verdict.agreement_id if isinstance(verdict, Shown) else verdict.reason)
        ended.ended_at = NOW
        session.flush()
    assert seen == [wide.id, narrow.id, Reason.NO_AGREEMENT]
    (told,) = owe(session, announce(session, case, "consent.revoked"), to=clinic)
    assert shown(session, told) == {told: Shown(None, None, ())}


def test_the_newest_version_of_an_agreement_counts_and_no_other(session: Session) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic)
    agree(session, clinic, version=2, event_types=["case.closed"])
    (case,) = open_cases(session, 1)
    consent(session, case)
    (id_,) = owe(session, announce(session, case), to=clinic)
    assert shown(session, id_) == {id_: Withheld(Reason.NO_AGREEMENT)}


def test_what_is_withheld_takes_no_number_and_is_looked_at_anew_when_asked_for(session: Session) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic)
    (case,) = open_cases(session, 1)
    first, second, third = owe(session, *(announce(session, case) for _ in range(3)), to=clinic)
    assert shown(session, first) == {first: Withheld(Reason.NO_CONSENT)}
    consent(session, case, clinic)
    assert set(shown(session, third)) == {second, third}
    assert isinstance(shown(session, first)[first], Shown)
    assert [row(session, id_).sequence for id_ in (second, third, first)] == [1, 2, 3]
    assert shown(session, first, second, third) == {}


def test_what_was_shown_never_changes(session: Session) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic)
    (case,) = open_cases(session, 1)
    answer = consent(session, case)
    first, second = owe(session, announce(session, case), announce(session, case), to=clinic)
    shown(session, first)
    before = row(session, first).model_dump()
    session.execute(update(Returnee).values(family_name="AUTRE"))
    answer.status = "revoked"
    session.flush()
    assert shown(session, first, second) == {second: Withheld(Reason.NO_CONSENT)}
    assert row(session, first).model_dump() == before


@pytest.mark.parametrize("event_type", ["consent.revoked", "referral.revoked"])
def test_a_retraction_needs_no_consent_and_goes_to_whoever_was_shown_something(
    session: Session, event_type: str
) -> None:
    clinic, other = partner(session, "clinic"), partner(session, "other")
    agree(session, clinic)
    (case,) = open_cases(session, 1)
    answer = consent(session, case)
    first = announce(session, case)
    shown(session, *owe(session, first, to=clinic))
    answer.status = "revoked"
    codes = {each.id: refer(session, case, each).code for each in (clinic, other)}
    told, untold = (
        owe(session, announce(session, case, event_type, data={"case": "C", "referral": codes[each.id]}), to=each)[0]
        for each in (clinic, other)
    )
    assert shown(session, told, untold) == {
        told: Shown(None, None, ()),
        untold: Withheld(Reason.NOTHING_SHOWN),
    }
    data = body(session, told)["data"]
    assert data == {"case": session.exec(select(PartnerCase.code)).one(), "referral": codes[clinic.id]}
    assert (row(session, told).fields, row(session, told).sequence) == ([], 2)


def test_a_correction_names_the_partners_own_id_and_goes_to_whoever_saw_the_mistake(session: Session) -> None:
    clinic, other = partner(session, "clinic"), partner(session, "other")
    agree(session, clinic)
    agree(session, other, event_types=["case.arrived"])
    (case,) = open_cases(session, 1)
    consent(session, case)
    arrived, wrong = announce(session, case, "case.arrived"), announce(session, case, "case.advanced")
    corrected = announce(
        session, case, "case.corrected", corrects=wrong.uid, data={"case": case.code, "corrects": wrong.uid}
    )
    ids = owe(session, arrived, wrong, corrected, to=clinic)
    theirs = owe(session, arrived, wrong, corrected, to=other)
    verdicts = shown(session, ids[2], theirs[2])
    assert verdicts[ids[2]] == Shown(None, None, ())
    assert body(session, ids[2])["data"]["corrects"] == row(session, ids[1]).uid
    assert verdicts[theirs[2]] == Withheld(Reason.NOTHING_SHOWN)
    agree(session, other, version=2)
    assert shown(session, theirs[1]) == {theirs[1]: Withheld(Reason.TAKEN_BACK)}


def test_the_values_are_those_of_the_case_and_of_the_partners_own_referral(session: Session) -> None:
    clinic, other = partner(session, "clinic"), partner(session, "other")
    sensitive = [name for name, field in SHARED_FIELDS.items() if field.sensitive]
    fields = [name for name in SHARED_FIELDS if name not in sensitive]
    for each in (clinic, other):
        agree(session, each, fields=fields, sensitive_fields=sensitive)
    (case,) = open_cases(session, 1)
    office = Office(code="BKO", name="Fictif")
    session.add(office)
    session.flush()
    case.region_pcode, case.district_pcode, case.office_id, case.priority = "ML01", "ML0101", office.id, "urgent"
    person = session.get_one(Returnee, case.returnee_id)
    person.birth_date, person.phone = date(1999, 2, 3), "+22300000000"
    plans = [(1, "approved", ["training"]), (2, "approved", ["livelihood", "training"]), (3, "draft", [])]
    kinds = [("medical", "identified"), ("medical", "addressed"), ("distress", "resolved"), ("disability", "addressed")]
    session.add_all(
        [
            CasePlan(
                code=f"P{number}", case_id=case.id or 0, revision=number, status=status, needs=needs, drafted_at=NOW
            )
            for number, status, needs in plans
        ]
    )
    session.add_all(
        [
            Vulnerability(
                code=f"V{number}",
                case_id=case.id or 0,
                kind=kind,
                urgency="normal",
                status=status,
                source="screening",
                identified_at=NOW,
            )
            for number, (kind, status) in enumerate(kinds)
        ]
    )
    consent(session, case, information=["name", "sex", "birth_date", "phone", "needs", "screening_result"])
    made = refer(session, case, clinic, contact="+22311111111")
    event = announce(session, case, "referral.made", data={"case": case.code, "referral": made.code})
    (mine,), (theirs,) = owe(session, event, to=clinic), owe(session, announce(session, case), to=other)
    shown(session, mine, theirs)
    of_the_case = {
        "region": "ML01",
        "district": "ML0101",
        "office": "BKO",
        "arrival_date": "2024-03-01",
        "departure_country": "NE",
        "family_name": "KEITA",
        "given_names": "Awa",
        "sex": "f",
        "birth_date": "1999-02-03",
        "birth_precision": "exact",
        "phone": "+22300000000",
        "needs": ["livelihood", "training"],
        "priority": "urgent",
        "vulnerabilities": ["disability", "medical"],
    }
    of_the_referral = {
        "referral_services": ["health"],
        "referral_priority": "urgent",
        "referral_reason": "synthetic reason",
        "referral_contact": "+22311111111",
    }
    assert body(session, mine)["data"]["details"] == of_the_case | of_the_referral
    assert body(session, theirs)["data"]["details"] == of_the_case
    assert row(session, theirs).fields == list(of_the_case)


def test_a_mistake_that_was_withheld_stays_so_with_its_correction_in_one_batch(session: Session) -> None:
    clinic = partner(session, "clinic")
    agreement = agree(session, clinic, event_types=["case.arrived"])
    (case,) = open_cases(session, 1)
    consent(session, case)
    wrong = announce(session, case)
    corrected = announce(session, case, "case.corrected", corrects=wrong.uid, data={"case": "C", "corrects": wrong.uid})
    ids = owe(session, wrong, corrected, to=clinic)
    reasons = [Withheld(Reason.NO_AGREEMENT), Withheld(Reason.NOTHING_SHOWN)]
    assert list(shown(session, *ids).values()) == reasons
    agreement.event_types = ["case.advanced"]
    session.flush()
    reasons[0] = Withheld(Reason.TAKEN_BACK)
    assert list(shown(session, *ids).values()) == reasons


def test_an_assistance_consent_by_manifest_is_one_to_the_programme(session: Session) -> None:
    clinic = partner(session, "clinic")
    agreement = agree(session, clinic, purpose="assistance", fields=["region"])
    (case,) = open_cases(session, 1)
    answer = consent(session, case, purpose="assistance", any_partner=False, source="manifest", information=[])
    (id_,) = owe(session, announce(session, case), to=clinic)
    assert shown(session, id_) == {id_: Shown(agreement.id, answer.id, ("region",))}


def test_events_that_the_catalogue_does_not_know_hold_nothing_up(session: Session) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic, event_types=["case.vanished", "case.advanced"])
    (case,) = open_cases(session, 1)
    consent(session, case)
    events = [
        announce(session, case, "case.vanished"),
        announce(session, case, "referral.made", data={"case": case.code, "referral": ["R-1"]}),
        announce(session, case),
    ]
    ids = owe(session, *events, to=clinic)
    verdicts = list(shown(session, ids[2]).values())
    assert verdicts[:2] == [Withheld(Reason.NOT_IN_CATALOGUE)] * 2
    assert isinstance(verdicts[2], Shown)


def test_agreements_begin_and_end_by_the_day_that_is_given(session: Session) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic, valid_from=date(2024, 3, 6), valid_until=date(2024, 3, 6))
    (case,) = open_cases(session, 1)
    consent(session, case)
    (id_,) = owe(session, announce(session, case), to=clinic)
    for day in (date(2024, 3, 5), date(2024, 3, 7)):
        assert shown(session, id_, day=day) == {id_: Withheld(Reason.NO_AGREEMENT)}
    assert isinstance(shown(session, id_, day=date(2024, 3, 6))[id_], Shown)
