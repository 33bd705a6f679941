"""Who is known again, who may be known, and who is new."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.manifests.evidence import ENOUGH, MOST, WHY, Person
from integrations.manifests.matching import Match, PeopleIndex
from integrations.manifests.names import likeness, name_key, sound
from integrations.manifests.profile import load_profile

SPELLINGS = load_profile("mali").spellings


def person(family: str = "Poudiougou", given: str = "N'Golo", reference: str | None = None, **more: object) -> Person:
    """Somebody who returned on 6 January 2024, with a day of birth that is known."""
    values: dict[str, object] = {
        "sex": "male",
        "birth_date": date(2000, 4, 8),
        "birth_precision": "exact",
        "arrival_date": date(2024, 1, 6),
        "departure_country": "NER",
        "region_pcode": "ML01",
        "district_pcode": "ML0106",
        "phone": "+22377404274",
        **more,
    }
    sounds = PeopleIndex(SPELLINGS).sounds(family, given)
    return Person(reference=reference, name_key=name_key(family, given), sounds=sounds, **values)  # type: ignore[arg-type]


def recognised(known: Person, asked: Person) -> Match:
    index = PeopleIndex(SPELLINGS)
    index.add(known)
    return index.recognise(asked)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Coulibaly", "KULIBALI"),
        ("Dembélé", "dembele"),
        ("Cissé", "Cisé"),
        ("Cissoko", "Sissoko"),
        ("Konaté", "Conate"),
        ("Sylla", "Silla"),
        ("Berthé", "Berté"),
        ("Doumbia", "Dumbia"),
        ("N'Diaye", "Ndiaye"),
        ("Bah", "Ba"),
        ("Ouattara", "Wattara"),
        ("Kassogué", "Kassogé"),
    ],
)
def test_spellings_of_one_name_sound_alike(one: str, other: str) -> None:
    assert sound(one, SPELLINGS) == sound(other, SPELLINGS)


@pytest.mark.parametrize(("one", "other"), [("Diarra", "Dao"), ("Keïta", "Konaté"), ("Touré", "Traoré"), ("Sow", "Sy")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert sound(one, SPELLINGS) != sound(other, SPELLINGS)


def test_names_are_alike_in_both_orders_and_without_a_second_given_name() -> None:
    assert likeness(("traore", "musa"), ("musa", "traore")) == 1
    assert likeness(("traore", "musa ibrahim"), ("traore", "musa")) > 0.9
    assert likeness(("ag mohamed", "brulai"), ("ag", "mohamed brulai")) == 1
    assert likeness(("traore", "hasana"), ("traore", "fuseini")) < 0.75


def test_the_same_reference_is_the_same_person_again() -> None:
    known = person(reference="ML24-000495")
    assert recognised(known, person("Pudiougou", reference=" ml24-000495 ", phone=None)).again is known


def test_the_same_name_birth_sex_and_arrival_is_the_same_person_again() -> None:
    known = person(reference="ML24-000495")
    assert recognised(known, person("N’GOLO", "poudiougou", phone=None)).again is known
    assert recognised(known, person(arrival_date=date(2024, 6, 1), phone=None)).again is None


def test_two_references_are_two_people_until_somebody_decides() -> None:
    match = recognised(person(reference="ML24-000495"), person(reference="ML24-D0070"))
    assert match.again is None
    assert match.candidates[0].score == 100
    assert "same_birth" in match.candidates[0].why


def test_a_reference_given_to_somebody_else_waits() -> None:
    other = person("Keïta", "Awa", "ML24-000495", birth_date=date(1970, 2, 3), phone=None, sex="female")
    match = recognised(person(reference="ML24-000495"), other)
    assert (match.again, [candidate.why for candidate in match.candidates]) == (None, [("same_reference",)])


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (person("Pudiougou", phone=None, arrival_date=date(2024, 6, 1)), "same_birth"),
        (person(birth_date=date(2000, 8, 4), arrival_date=date(2024, 6, 1)), "swapped_birth"),
        (person(birth_date=date(2000, 4, 18), arrival_date=date(2024, 6, 1)), "one_digit_birth"),
        (person("Ngolo", "Podiougou", birth_precision="year", birth_date=date(2000, 1, 1)), "same_birth_year"),
        (person(birth_precision="approximate", birth_date=date(2001, 1, 1)), "near_birth_year"),
        (person("Pudiougu", birth_date=date(1995, 3, 2), reference="B"), "same_phone"),
        (person(sex="female", reference="B"), "other_sex"),
    ],
)
def test_who_may_be_known_waits_with_the_reasons(asked: Person, why: str) -> None:
    match = recognised(person(reference="A"), asked)
    assert match.again is None
    assert len(match.candidates) == 1
    assert why in match.candidates[0].why
    assert set(match.candidates[0].why) <= set(WHY)


@pytest.mark.parametrize(
    "asked",
    [
        person("Keïta", "Awa", sex="female"),  # the wife: same phone, convoy and cercle
        person("Poudiougou", "Hassana", reference="B"),  # the twin
        person("Poudiougou", "Samba", birth_date=date(2020, 4, 8)),  # the child
        person(birth_date=date(1990, 2, 3), phone=None, arrival_date=date(2024, 6, 1)),  # a namesake
        person("Traoré", "Moussa", phone=None),  # born on the same day, in the same convoy
    ],
)
def test_who_only_shares_something_is_new(asked: Person) -> None:
    assert recognised(person(reference="A"), asked) == Match(None, ())


def test_a_number_that_a_whole_convoy_gave_says_nothing() -> None:
    index = PeopleIndex(SPELLINGS)
    for day in range(30):
        index.add(person(f"Nom{day}", f"Prénom{day}", birth_date=date(1980, 1, 2) + timedelta(days=day * 400)))
    index.add(person(reference="A"))
    assert index.recognise(person("Pudiougu", birth_date=date(1995, 3, 2), reference="B")).candidates == ()


def test_at_most_three_candidates_the_best_first_and_nobody_twice() -> None:
    index = PeopleIndex(SPELLINGS)
    for number, phone in enumerate([None, "+22377404274", None, None, None]):
        known = person(reference=f"A{number}", phone=phone, arrival_date=date(2023, 1, 6))
        known.returnee_id = number + 1
        index.add(known)
    again = replace(known, arrival_date=date(2023, 7, 6))
    index.add(again)
    candidates = index.recognise(person(reference="B")).candidates
    assert len(candidates) == 3
    assert candidates[0].person.returnee_id == 2
    assert [one.score for one in candidates] == sorted((one.score for one in candidates), reverse=True)
    assert len({one.person.returnee_id for one in candidates}) == 3


def test_who_waits_is_known_again_but_is_nobodys_candidate() -> None:
    waiting = person(reference="D1", waiting=True)
    assert recognised(waiting, person(reference="D1")).again is waiting
    assert recognised(waiting, person(reference="E1")) == Match(None, ())


names = st.text(alphabet="aeioudknmstrb' -éïC", min_size=1, max_size=12)
people = st.builds(
    person,
    family=names,
    given=names,
    reference=st.none() | st.sampled_from(["A", "B"]),
    birth_date=st.none() | st.dates(date(1990, 1, 1), date(1991, 12, 31)),
    birth_precision=st.sampled_from(["exact", "year", "approximate"]),
    phone=st.none() | st.just("+22377404274"),
)


@given(st.lists(people, max_size=8), people)
def test_whatever_is_known_an_answer_has_reasons_and_a_score(known: list[Person], asked: Person) -> None:
    index = PeopleIndex(SPELLINGS)
    for one in known:
        index.add(one)
    match = index.recognise(asked)
    assert match.again is None or not match.candidates
    for candidate in match.candidates:
        assert ENOUGH * 100 // MOST <= candidate.score <= 100
        assert candidate.why


@given(people)
def test_somebody_listed_again_with_a_reference_is_recognised(one: Person) -> None:
    one.reference = "A"
    assert recognised(one, replace(one)).again is one
