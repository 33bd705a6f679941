"""What never leaves Segin: its own ids, the referrals of others, keys; and what is not asked for is not read."""

from __future__ import annotations

import json
from datetime import timedelta

from edges.sharing_rows import agree, body, consent, owe, partner, refer, shown
from edges.webhook_outbox import NOW, announce, open_cases
from sqlalchemy import Engine
from sqlalchemy import event as sql
from sqlmodel import Session, select

from integrations.sharing.covering import Reason, Withheld
from integrations.sharing.fields import referral_values
from integrations.sharing.owed import lock_partners, owed_rows
from models import PartnerEvent


def test_nobody_learns_of_a_referral_to_another_or_of_another_case(session: Session) -> None:
    clinic, other = partner(session, "clinic"), partner(session, "other")
    for each in (clinic, other):
        agree(session, each)
    case, elsewhere = open_cases(session, 2)
    consent(session, case)
    consent(session, elsewhere)
    codes = [refer(session, case, clinic).code, refer(session, elsewhere, other).code, "R-unknown"]
    events = [announce(session, case, "referral.made", data={"case": "C", "referral": code}) for code in codes]
    ids = owe(session, *events, to=other)
    assert shown(session, *ids) == dict.fromkeys(ids, Withheld(Reason.OTHERS_REFERRAL))
    own = refer(session, case, other, status="revoked")
    told = announce(session, case, "referral.revoked", data={"case": "C", "referral": codes[0]})
    mine = announce(session, case, "referral.made", data={"case": "C", "referral": own.code})
    ids = owe(session, told, mine, to=other)
    assert shown(session, *ids)[ids[0]] == Withheld(Reason.OTHERS_REFERRAL)
    assert body(session, ids[1])["data"]["referral"] == own.code


def test_a_correction_that_names_no_event_goes_to_nobody_and_segins_own_id_never_out(session: Session) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic)
    (case,) = open_cases(session, 1)
    consent(session, case)
    wrong = announce(session, case)
    bare = announce(session, case, "case.corrected", data={"case": "C", "corrects": wrong.uid})
    ids = owe(session, wrong, bare, to=clinic)
    assert shown(session, *ids)[ids[1]] == Withheld(Reason.NOT_IN_CATALOGUE)


def test_the_case_of_somebody_of_whom_no_field_is_shown_is_not_read(session: Session, engine: Engine) -> None:
    clinic = partner(session, "clinic")
    agree(session, clinic, fields=[])
    (case,) = open_cases(session, 1)
    consent(session, case)
    (id_,) = owe(session, announce(session, case), to=clinic)
    asked: list[object] = []

    def note(_connection: object, _cursor: object, sql: str, parameters: object, *_rest: object) -> None:
        if "family_name" in sql:
            asked.append(parameters)

    sql.listen(engine, "before_cursor_execute", note)
    shown(session, id_)
    sql.remove(engine, "before_cursor_execute", note)
    assert asked == [("[]",)]


def test_what_holds_keys_or_personal_data_does_not_show_them(session: Session) -> None:
    """Where a test fails, the values that it compared are printed."""
    clinic = partner(session, "clinic")
    (case,) = open_cases(session, 1)
    made = refer(session, case, clinic)
    (id_,) = owe(session, announce(session, case), to=clinic)
    printed = repr([*lock_partners(session, [clinic.id or 0]).values(), *owed_rows(session, [id_])])
    printed += repr(referral_values(session, [made.code]))
    assert "PartnerKey" in printed
    assert not any(secret in printed for secret in (clinic.pseudonym_key, case.code, made.reason or "-"))


def test_two_partners_get_nothing_in_common_but_what_happened(session: Session) -> None:
    partners = [partner(session, name) for name in ("clinic", "workshop")]
    (case,) = open_cases(session, 1)
    consent(session, case)
    event = announce(session, case, occurred_at=NOW + timedelta(microseconds=123456))
    for each in partners:
        agree(session, each, fields=[])
        shown(session, *owe(session, event, to=each))
    bodies = [json.loads(text or "") for text in session.exec(select(PartnerEvent.body)).all()]
    same = {name for name in bodies[0] if bodies[0][name] == bodies[1][name]}
    assert same == {
        "specversion",
        "source",
        "type",
        "time",
        "datacontenttype",
        "dataschema",
        "sequence",
        "sequencetype",
    }
    assert {each["time"] for each in bodies} == {"2024-03-05T08:00:00Z"}
    text = json.dumps(bodies)
    assert not any(code in text for code in (case.code, event.uid, event.correlation_id))
