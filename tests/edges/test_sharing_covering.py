"""Who may see what, against a naive oracle: nothing without an agreement, a consent in force and its information."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from integrations.sharing.cloud_event import thin_data
from integrations.sharing.covering import (
    Answer,
    Happening,
    Reason,
    Shown,
    Terms,
    Withheld,
    consent_in_force,
    cover,
    follow_up,
)
from integrations.sharing.pseudonyms import case_code, event_uid
from models.shared_fields import SHARED_FIELDS

PARTNERS = (1, 2)
PURPOSES = ("assistance", "sharing")
TYPES = ("case.arrived", "case.closed")
REGIONS = ("ML01", "ML02")
PROGRAMMES = ("mali", "other")
INFORMATION = sorted({field.information for field in SHARED_FIELDS.values() if field.information})
THEN = datetime(2024, 3, 5, tzinfo=UTC)


def some(values: tuple[str, ...] | list[str]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values))


TERMS = st.lists(
    st.builds(
        Terms,
        agreement_id=st.integers(1, 9),
        partner_id=st.sampled_from(PARTNERS),
        purpose=st.sampled_from(PURPOSES),
        event_types=some(TYPES),
        regions=some(REGIONS),
        programmes=some(PROGRAMMES),
        fields=st.lists(st.sampled_from(list(SHARED_FIELDS)), unique=True).map(tuple),
    ),
    max_size=4,
    unique_by=lambda terms: terms.agreement_id,
)
RECIPIENTS = st.sampled_from([(None, True), (None, False), (1, False), (2, False)])
ANSWERS = st.lists(
    st.builds(
        lambda purpose, whom, given_, information: (purpose, *whom, given_, information),
        st.sampled_from(PURPOSES),
        RECIPIENTS,
        st.booleans(),
        some(INFORMATION),
    ),
    max_size=6,
).map(lambda found: [Answer(number, *each) for number, each in enumerate(found, 1)])
HAPPENINGS = st.builds(
    Happening, st.sampled_from(TYPES), st.sampled_from([None, *REGIONS]), st.sampled_from(PROGRAMMES)
)


def _allows(purpose: str, partner_id: int, answers: list[Answer]) -> Answer | None:
    """The contract, word for word, one answer after the other."""
    own = anybodys = programmes = None
    for each in answers:
        if each.purpose != purpose:
            continue
        if each.partner_id == partner_id:
            own = programmes = each
        elif each.partner_id is None:
            programmes = each
            if each.any_partner:
                anybodys = each
    heard = programmes if purpose == "assistance" else own if own is not None else anybodys
    return heard if heard is not None and heard.given else None


@given(HAPPENINGS, st.sampled_from(PARTNERS), TERMS, ANSWERS)
def test_what_is_shown_is_what_the_oracle_allows(
    happening: Happening, partner_id: int, terms: list[Terms], answers: list[Answer]
) -> None:
    verdict = cover(happening, partner_id, terms, answers)
    grounds: dict[tuple[int | None, int | None], set[str]] = {}
    covered = False
    for each in terms:
        if each.partner_id != partner_id or happening.event_type not in each.event_types:
            continue
        if each.regions and happening.region not in each.regions:
            continue
        if each.programmes and happening.programme not in each.programmes:
            continue
        covered = True
        answer = _allows(each.purpose, partner_id, answers)
        if answer is not None:
            grounds[each.agreement_id, answer.consent_id] = {
                name
                for name in each.fields
                if SHARED_FIELDS[name].information is None or SHARED_FIELDS[name].information in answer.information
            }
    if isinstance(verdict, Withheld):
        assert grounds == {}
        assert verdict.reason == (Reason.NO_CONSENT if covered else Reason.NO_AGREEMENT)
    else:
        fields = grounds[verdict.agreement_id, verdict.consent_id]
        assert set(verdict.fields) == fields
        assert len(fields) == max(map(len, grounds.values()))
        assert list(verdict.fields) == [name for name in SHARED_FIELDS if name in fields]


@given(HAPPENINGS, st.sampled_from(PARTNERS), TERMS, ANSWERS)
def test_each_field_shown_is_in_the_agreement_and_its_information_in_the_consent(
    happening: Happening, partner_id: int, terms: list[Terms], answers: list[Answer]
) -> None:
    verdict = cover(happening, partner_id, terms, answers)
    if isinstance(verdict, Withheld):
        return
    (agreement,) = [each for each in terms if each.agreement_id == verdict.agreement_id]
    (consent,) = [each for each in answers if each.consent_id == verdict.consent_id]
    assert consent.given
    assert consent.partner_id in (None, partner_id)
    assert agreement.purpose == consent.purpose
    for name in verdict.fields:
        assert name in agreement.fields
        assert SHARED_FIELDS[name].information in (None, *consent.information)


@given(HAPPENINGS, st.sampled_from(PARTNERS), TERMS, ANSWERS)
def test_nothing_is_shown_after_a_no_to_everybody(
    happening: Happening, partner_id: int, terms: list[Terms], answers: list[Answer]
) -> None:
    """Whoever takes back what was said of this partner and of any, for each purpose, is shown to it no more."""
    noes = [
        Answer(100 + number, purpose, whom, whom is None, False, frozenset(INFORMATION))
        for number, (purpose, whom) in enumerate((purpose, whom) for purpose in PURPOSES for whom in (None, partner_id))
    ]
    assert isinstance(cover(happening, partner_id, terms, [*answers, *noes]), Withheld)


@given(st.sampled_from(PARTNERS), ANSWERS, st.booleans())
def test_what_was_said_of_the_partner_wins_over_what_was_said_of_any(
    partner_id: int, answers: list[Answer], said: bool
) -> None:
    own = Answer(100, "sharing", partner_id, False, said, frozenset())
    anybodys = Answer(101, "sharing", None, True, not said, frozenset())
    assert consent_in_force("sharing", partner_id, [*answers, own, anybodys]) == (own if said else None)


def test_a_case_of_no_region_is_covered_only_where_all_regions_are() -> None:
    def terms(*regions: str) -> Terms:
        return Terms(1, 1, "sharing", frozenset(TYPES), frozenset(regions), frozenset(), ())

    answers = [Answer(1, "sharing", None, True, True, frozenset())]
    nowhere = Happening("case.closed", None, "mali")
    assert cover(nowhere, 1, [terms()], answers) == Shown(1, 1, ())
    assert cover(nowhere, 1, [terms("ML01")], answers) == Withheld(Reason.NO_AGREEMENT)


def test_a_retraction_goes_to_whoever_was_shown_something() -> None:
    assert (follow_up(shown_before=True), follow_up(shown_before=False)) == (
        Shown(None, None, ()),
        Withheld(Reason.NOTHING_SHOWN),
    )
    assert thin_data("case.vanished", {}) is None


KEYS = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(KEYS, KEYS, st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))
def test_codes_depend_on_the_partner_and_the_case_alone(key: str, other: str, case: int, another: int) -> None:
    assert case_code(key, case) == case_code(key, case)
    assert (case_code(key, case) == case_code(other, case)) == (key == other)
    assert (case_code(key, case) == case_code(key, another)) == (case == another)
    assert case_code(key, case)[2:] != event_uid(key, str(case))[4:]


def test_codes_are_the_hmac_of_the_contract() -> None:
    """Worked out apart, with `openssl dgst -sha256 -mac HMAC -macopt hexkey:0b0b…`."""
    key = "0b" * 32
    assert case_code(key, 17) == "c-tphblsd7kw3uoa6iascnnkulim"
    assert event_uid(key, "evt_1") == "evt-hp7liqr7y5ae3nsuk3xo5susoi"
