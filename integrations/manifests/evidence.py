"""How much the agreement of two records says that they are one person, in bits, with the reasons. `matching` sums it.

The weights follow Fellegi and Sunter (1969): log2 of how much likelier an agreement is for one person than for two
strangers. They were set from how common names, days, convoys and cercles are among returnees, not fitted to a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from rapidfuzz.distance import Hamming

from integrations.manifests.names import likeness

ENOUGH: Final = 20
"""Bits from which a person is asked. A stranger among 100,000 known people is there by chance at 2^17 to 1; three bits
more allow for what goes together anyway (a convoy from one region, families with the same names)."""

# One in a thousand shares a common family and given name; near spellings are shared by more.
_NAMES: Final = ((0.999, 10, "same_name"), (0.85, 8, "very_similar_name"), (0.75, 5, "similar_name"))
# Most returnees were born on one of some 7,000 days. Slips that keep the rest of the date say less, and the year alone
# is shared by one in twenty. Two different dates speak against one person, but registers are often wrong.
_SAME_DAY, _SWAPPED, _ONE_DIGIT, _SAME_YEAR, _NEAR_YEAR, _OTHER_BIRTH = 12, 8, 6, 4, 2, -6
_YEARS_ABOUT: Final = 2
# A number is shared within a household, or by everybody who gave the number of one smuggler or office.
_SAME_PHONE: Final = 10
_SAME_ARRIVAL, _SAME_DISTRICT, _SAME_REGION, _SAME_COUNTRY = 5, 4, 2, 1
_OTHER_SEX: Final = -6

MOST: Final = _NAMES[0][1] + _SAME_DAY + _SAME_PHONE + _SAME_ARRIVAL + _SAME_DISTRICT + _SAME_COUNTRY
"""Bits of two records that agree in everything."""

WHY: Final = {
    "same_reference": ("même référence, mais une autre personne", "same reference, but another person"),
    "same_name": ("même nom", "same name"),
    "very_similar_name": ("nom presque identique", "nearly the same name"),
    "similar_name": ("nom ressemblant", "similar name"),
    "same_birth": ("même date de naissance", "same birth date"),
    "swapped_birth": ("jour et mois de naissance inversés", "day and month of birth swapped"),
    "one_digit_birth": ("un chiffre d'écart dans la date de naissance", "one digit apart in the birth date"),
    "same_birth_year": ("même année de naissance", "same year of birth"),
    "near_birth_year": ("année de naissance proche", "near year of birth"),
    "other_birth": ("autre date de naissance", "another birth date"),
    "other_sex": ("sexe différent", "other sex"),
    "same_phone": ("même téléphone", "same phone"),
    "same_arrival": ("même jour d'arrivée", "same day of arrival"),
    "same_district": ("même cercle de retour", "same district of return"),
    "same_region": ("même région de retour", "same region of return"),
    "same_country": ("même pays de départ", "same country of departure"),
}
"""Each reason in French and English, for whoever decides."""


@dataclass(slots=True)
class Person:
    """What is compared, for one return. `sounds` are (family, given). The ids are none until the person is registered.

    Somebody who is `waiting` for a decision is recognised when listed again, but is nobody's candidate.
    """

    reference: str | None
    name_key: str
    sounds: tuple[str, str]
    sex: str
    birth_date: date | None
    birth_precision: str
    arrival_date: date
    departure_country: str
    region_pcode: str | None
    district_pcode: str | None
    phone: str | None
    returnee_id: int | None = None
    case_id: int | None = None
    waiting: bool = False


class Evidence(NamedTuple):
    """A sum of bits, and the reasons for it, the strongest kinds first."""

    bits: int
    why: tuple[str, ...]


def weigh(one: Person, other: Person, *, phone_counts: bool) -> Evidence:
    """What speaks for and against one person; zero bits for names that are not alike, whatever else agrees."""
    parts = [_birth(one, other), *_rest(one, other, phone_counts=phone_counts)]
    total = sum(bits for bits, _ in parts)
    if total + _NAMES[0][1] < ENOUGH:
        return Evidence(0, ())
    name = _name(one.sounds, other.sounds)
    if name is None:
        return Evidence(0, ())
    return Evidence(total + name[0], (name[1], *(why for _, why in parts)))


def names_alike(one: Person, other: Person) -> bool:
    """True when the names may be one person's."""
    return _name(one.sounds, other.sounds) is not None


def day_is_known(person: Person) -> bool:
    """False for a birth date that stands for its year; registers write 1 January for a day that nobody knows."""
    birth = person.birth_date
    return birth is not None and person.birth_precision == "exact" and (birth.month, birth.day) != (1, 1)


def swapped(birth: date) -> date | None:
    """The date with day and month exchanged; none when there is no such other date."""
    if birth.day > 12 or birth.day == birth.month:
        return None
    return date(birth.year, birth.day, birth.month)


def _name(one: Sequence[str], other: Sequence[str]) -> tuple[int, str] | None:
    alike = likeness(one, other)
    return next(((bits, why) for least, bits, why in _NAMES if alike >= least), None)


def _birth(one: Person, other: Person) -> tuple[int, str]:
    first, second = one.birth_date, other.birth_date
    if first is None or second is None:
        return 0, "other_birth"
    if day_is_known(one) and day_is_known(other):
        if first == second:
            return _SAME_DAY, "same_birth"
        if swapped(first) == second:
            return _SWAPPED, "swapped_birth"
        if Hamming.distance(first.isoformat(), second.isoformat()) == 1:
            return _ONE_DIGIT, "one_digit_birth"
        return _OTHER_BIRTH, "other_birth"
    if first.year == second.year:
        return _SAME_YEAR, "same_birth_year"
    about = "approximate" in (one.birth_precision, other.birth_precision)
    if about and abs(first.year - second.year) <= _YEARS_ABOUT:
        return _NEAR_YEAR, "near_birth_year"
    return _OTHER_BIRTH, "other_birth"


def _rest(one: Person, other: Person, *, phone_counts: bool) -> list[tuple[int, str]]:
    found = []
    if one.sex != other.sex:
        found.append((_OTHER_SEX, "other_sex"))
    if phone_counts and one.phone is not None and one.phone == other.phone:
        found.append((_SAME_PHONE, "same_phone"))
    if one.arrival_date == other.arrival_date:
        found.append((_SAME_ARRIVAL, "same_arrival"))
    if one.district_pcode is not None and one.district_pcode == other.district_pcode:
        found.append((_SAME_DISTRICT, "same_district"))
    elif one.region_pcode is not None and one.region_pcode == other.region_pcode:
        found.append((_SAME_REGION, "same_region"))
    if one.departure_country == other.departure_country:
        found.append((_SAME_COUNTRY, "same_country"))
    return found
