"""What leaves over the bundled bridges: the published shape, the same bytes each time, and nothing unmapped."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from bridge_referrals import SAMPLE, SCHEMAS, changed, errors_in, events, leaves
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from integrations.bridges.bridge import Bridge, bridge
from integrations.bridges.checks import sources_of
from integrations.bridges.dhis2 import uid_of
from integrations.bridges.errors import NotOverTheBridge
from integrations.bridges.loader import bundled_mappings, mapping_text, read_mapping
from integrations.bridges.mapping import SOURCES, is_uid
from integrations.sharing.cloud_event import OwedEvent, cloud_event
from models.shared_fields import SHARED_FIELDS

BUNDLED = ["dhis2", "primero"]


def test_each_system_has_its_bundled_mapping_without_any_doubt_and_its_schema_is_one() -> None:
    assert bundled_mappings() == BUNDLED
    for name in BUNDLED:
        assert read_mapping(*mapping_text(name))[1] == []
        Draft202012Validator.check_schema(SCHEMAS[name].schema)


def test_the_sample_as_a_case_of_primero() -> None:
    case = json.loads(bridge("primero").body(SAMPLE))["data"]
    services = case.pop("services_section")
    assert case == {
        "id": "54bb3ea6-cc55-5eef-809d-3317db5f8382",
        "module_id": "primeromodule-cp",
        "status": "open",
        "owned_by": "segin_intake",
        "registration_date": "2024-03-05",
        "other_agency_id": "c-k4n8r2p6s0v3x7z1b5d9f2h6jm",
        "other_agency_name": "Segin",
        "other_id_no": "7K3M-9QX2",
        "other_id_type": "segin_referral",
        "name_last": "Exemple-Synthétique",
        "name_first": "Personne Inventée",
        "sex": "female",
        "date_of_birth": "2001-01-01",
        "estimated": True,
        "telephone_current": "+22300000000",
        "location_current": "ML0301",
        "arrival_date": "2024-02-20",
        "risk_level": "medium",
        "protection_concerns": ["serious_medical_condition", "other"],
    }
    assert [each["service_type"] for each in services] == ["medical", "livelihoods"]
    assert len({each["unique_id"] for each in services}) == 2
    assert {each["service_referral_notes"] for each in services} == {"Texte synthétique"}


def test_the_sample_as_a_tracked_entity_of_dhis2() -> None:
    (entity,) = json.loads(bridge("dhis2").body(SAMPLE))["trackedEntities"]
    (enrollment,) = entity["enrollments"]
    (event,) = enrollment["events"]
    assert {part["orgUnit"] for part in (entity, enrollment, event)} == {"SeginSikass"}
    assert entity["attributes"][:2] == [
        {"attribute": "SeginFamNam", "value": "Exemple-Synthétique"},
        {"attribute": "SeginGivNam", "value": "Personne Inventée"},
    ]
    assert enrollment["program"] == "SeginReturn"
    assert enrollment["enrolledAt"] == event["occurredAt"] == "2024-03-05T08:00:00.000"
    assert event["dataValues"] == [
        {"dataElement": "SeginRefCod", "value": "7K3M-9QX2"},
        {"dataElement": "SeginServic", "value": "HEALTH,TRAINING"},
        {"dataElement": "SeginPriori", "value": "URGENT"},
        {"dataElement": "SeginReason", "value": "Texte synthétique"},
        {"dataElement": "SeginVulner", "value": "MEDICAL,DISABILITY,SINGLE_PARENT"},
    ]


@pytest.mark.parametrize("name", BUNDLED)
@given(event=events())
@settings(deadline=None)
def test_every_body_has_the_published_shape_and_is_the_same_each_time(name: str, event: bytes) -> None:
    body = bridge(name).body(event)
    assert errors_in(name, body) == []
    # Read anew, as another process would.
    assert Bridge(read_mapping(*mapping_text(name))[0]).body(event) == body
    assert bridge(name).content_type == "application/json"


@pytest.mark.parametrize("name", BUNDLED)
@given(event=events())
@settings(deadline=None)
def test_no_field_leaves_that_the_mapping_does_not_name(name: str, event: bytes) -> None:
    mapping = bridge(name).mapping
    named = sources_of(mapping).keys()
    with_more = json.loads(event)
    with_more["correlationid"] = with_more["data"]["more"] = with_more["data"]["details"]["more"] = "<more>"
    body = bridge(name).body(json.dumps(with_more).encode())
    assert body == bridge(name).body(event)
    said = {name for name in SHARED_FIELDS if any(f"<{name}>" in each for each in leaves(json.loads(body)))}
    assert said <= named
    # And what is not named changes nothing.
    kept = {field: value for field, value in with_more["data"]["details"].items() if field in named}
    with_more["data"]["details"] = kept
    assert bridge(name).body(json.dumps(with_more).encode()) == body


@given(first=events(), second=events())
@settings(deadline=None, max_examples=25)
def test_the_same_case_referral_and_event_are_the_same_objects_of_dhis2(first: bytes, second: bytes) -> None:
    one, two = json.loads(first), json.loads(second)
    two["data"] = {**two["data"], "case": one["data"]["case"]}
    ids = [_dhis2_ids(bridge("dhis2").body(json.dumps(event).encode())) for event in (one, two)]
    assert ids[0][0] == ids[1][0]
    assert (ids[0][1] == ids[1][1]) == (one["data"]["referral"] == two["data"]["referral"])
    assert (ids[0][2] == ids[1][2]) == (one["id"] == two["id"])


def _dhis2_ids(body: bytes) -> tuple[str, str, str]:
    (entity,) = json.loads(body)["trackedEntities"]
    (enrollment,) = entity["enrollments"]
    (event,) = enrollment["events"]
    return entity["trackedEntity"], enrollment["enrollment"], event["event"]


def test_identifiers_are_eleven_signs_and_differ_by_kind_program_and_code() -> None:
    made = {
        uid_of(kind, within, str(code)) for kind in ("event", "enrollment") for within in "AB" for code in range(2_000)
    }
    assert len(made) == 8_000
    assert all(map(is_uid, made))
    assert {uid[0].isalpha() for uid in made} == {True}
    assert uid_of("event", "SeginRefStg", "evt-1") == "Ni4JmN7Fz8k"


def test_a_resent_case_is_one_that_primero_knows() -> None:
    assert bridge("primero").already_there == {409}
    assert bridge("dhis2").already_there == frozenset()


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("field", ["family_name", "given_names", "sex", "referral_services"])
@pytest.mark.parametrize("empty", [None, "", []])
def test_a_missing_field_is_named_and_nothing_leaves(name: str, field: str, empty: object) -> None:
    with pytest.raises(NotOverTheBridge, match=f"The mapping {name} needs {field} for ") as refused:
        bridge(name).body(changed(**{field: empty}))
    assert refused.value.field is not None
    assert f"a besoin de {field} pour {refused.value.field}" in refused.value.message_fr


def test_a_service_that_is_named_twice_is_one_entry() -> None:
    """Two would have one `unique_id`."""
    twice = bridge("primero").body(changed(referral_services=["health", "training", "health"]))
    assert twice == bridge("primero").body(changed(referral_services=["health", "training"]))
    assert errors_in("primero", twice) == []


def test_without_its_region_a_referral_has_no_place_in_dhis2() -> None:
    with pytest.raises(NotOverTheBridge, match=r"needs region for tracked_entity\.org_unit"):
        bridge("dhis2").body(changed(region=None))
    assert errors_in("primero", bridge("primero").body(changed(region=None))) == []


@pytest.mark.parametrize(
    ("name", "details", "field"),
    [
        ("primero", {"sex": "secret-code"}, "data.sex"),
        ("primero", {"referral_services": ["health", "secret-code"]}, "data.services_section.service_type"),
        ("primero", {"vulnerabilities": ["secret-code"]}, "data.protection_concerns"),
        ("dhis2", {"region": "secret-code"}, "tracked_entity.org_unit"),
        ("dhis2", {"referral_priority": "secret-code"}, "event.data_values.SeginPriori"),
        ("primero", {"family_name": ["secret-code"]}, "data.name_last"),
        ("primero", {"birth_date": "secret-code"}, "data.date_of_birth"),
        ("primero", {"birth_date": "20010101"}, "data.date_of_birth"),
        ("dhis2", {"vulnerabilities": "secret-code"}, "event.data_values.SeginVulner"),
        ("dhis2", {"referral_services": [1]}, "event.data_values.SeginServic"),
    ],
)
def test_what_cannot_be_said_over_there_is_refused_by_field_and_never_by_value(
    name: str, details: dict[str, object], field: str
) -> None:
    with pytest.raises(NotOverTheBridge) as refused:
        bridge(name).body(changed(**details))
    error = refused.value
    assert error.field == field
    assert error.__suppress_context__ or error.__context__ is None
    for text in (error.message_en, error.message_fr, error.remedy, error.remedy_fr, str(error)):
        assert text
        assert "secret-code" not in text
    assert field in error.message_en
    assert field in error.message_fr


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"secret-code",
        b"[1]",
        b"\xff",
        b"{}",
        SAMPLE.replace(b"referral.made", b"referral.done"),
        SAMPLE.replace(b'"2024-03-05T08:00:00Z"', b'"secret-code"'),
        SAMPLE.replace(b'"2024-03-05T08:00:00Z"', b'"2024-03-05T08:00:00"'),
        SAMPLE.replace(b'"2024-03-05T08:00:00Z"', b'"0001-01-01T00:00:00+05:00"'),
        SAMPLE.replace(b'"2024-03-05T08:00:00Z"', b"1709625600"),
        SAMPLE.replace(b'"referral": ', b'"other": '),
        SAMPLE.replace(b"Personne ", b"\\ud800"),
    ],
)
def test_what_is_no_referral_is_refused(body: bytes) -> None:
    assert body != SAMPLE
    with pytest.raises(NotOverTheBridge, match=r"takes referral\.made events") as refused:
        bridge("primero").body(body)
    assert refused.value.field is None
    assert "secret-code" not in str(refused.value)


def test_what_the_projection_writes_is_what_a_bridge_takes() -> None:
    sample = json.loads(SAMPLE)
    owed = OwedEvent(
        uid=sample["id"],
        type="referral.made",
        case=sample["subject"],
        sequence=3,
        occurred_at=datetime.fromisoformat(sample["time"]),
        thin={"case": "SECRET-CODE", "referral": sample["data"]["referral"]},
    )
    event = cloud_event(owed, sample["data"]["details"], public_url="https://segin.example.org")
    for name in BUNDLED:
        assert bridge(name).body(event) == bridge(name).body(SAMPLE)


_UIDS = st.from_regex(r"[A-Za-z][A-Za-z0-9]{10}", fullmatch=True)
_VALUES = st.sampled_from([*SOURCES]).map(
    lambda source: {"from": source, "join": ";"} if SOURCES[source] == "list" else {"from": source}
) | st.one_of(st.text("aé :#{,'-1", min_size=1, max_size=9), st.integers(-9, 9), st.booleans()).map(
    lambda each: {"constant": each}
)
_NAMED = st.dictionaries(_UIDS, _VALUES, max_size=6)


@given(event=events(), attributes=_NAMED, values=_NAMED, unit=_UIDS, stage=_UIDS)
@settings(deadline=None)
def test_any_mapping_to_dhis2_that_is_accepted_makes_a_valid_body(
    event: bytes, attributes: dict[str, object], values: dict[str, object], unit: str, stage: str
) -> None:
    own = {
        "name": "own",
        "system": "dhis2",
        "tracked_entity": {"type": "SeginPerson", "org_unit": {"constant": unit}, "attributes": attributes},
        "enrollment": {"program": "SeginReturn", "org_unit": {"constant": unit}, "enrolled_at": "day"},
        "event": {"stage": stage, "org_unit": {"constant": unit}, "occurred_at": "time", "data_values": values},
    }
    mapping, _ = read_mapping(json.dumps(own), "own.yaml")
    assert errors_in("dhis2", Bridge(mapping).body(event)) == []


def test_an_event_without_details_lacks_what_is_required() -> None:
    event = json.loads(SAMPLE)
    del event["data"]["details"]
    with pytest.raises(NotOverTheBridge, match="needs referral_services"):
        bridge("primero").body(json.dumps(event).encode())
