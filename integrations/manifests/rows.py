"""One raw row to one person, or to everything that is wrong with it. `intake` calls `parse_row` for every row.

Only what registration cannot do without rejects a row: name, sex, birth date, arrival date, country of departure. Any
other cell that is not understood leaves its field empty, adds a warning, and its text is kept in the remarks.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any, Final, cast

from integrations.manifests.arrival import ArrivalRow, Sex
from integrations.manifests.countries import load_countries
from integrations.manifests.dates import KnownDate, parse_date
from integrations.manifests.folding import fold
from integrations.manifests.phones import parse_phone
from integrations.manifests.places import Place
from integrations.manifests.problems import RejectedRow
from integrations.manifests.profile import Profile
from integrations.manifests.reading import RowReading
from integrations.manifests.table import ManifestTable, RawRow, Unusable
from integrations.manifests.vocabulary import load_vocabulary

_EARLIEST_ARRIVAL: Final = date(2000, 1, 1)
_AHEAD: Final = timedelta(days=366)
_OLDEST_YEARS: Final = 120
_LONGEST_NAME: Final = 100
_LARGEST_HOUSEHOLD: Final = 100
# What a spreadsheet would evaluate if the name were ever exported to one.
_FORMULA_START: Final = ("=", "@", "+")
_BETWEEN_ANSWERS: Final = re.compile(r"\s*[;,/+\n|]\s*| et | and ")


def parse_row(raw: RawRow, table: ManifestTable, profile: Profile, today: date) -> ArrivalRow | RejectedRow:
    """The person in a row, or all that is wrong in it. `today` bounds the arrival dates that make sense."""
    reading = RowReading(raw, table)
    family_name, given_names = _names(reading)
    sex = _sex(reading)
    arrival = _arrival(reading, today)
    birth = _birth(reading, arrival or today, has_arrival=arrival is not None)
    country = _country(reading)
    if reading.problems or sex is None or arrival is None or birth is None or country is None:
        return RejectedRow(raw.line, tuple(reading.problems))
    place = _place(reading, profile)
    vulnerabilities = _vulnerabilities(reading)
    values: dict[str, Any] = {
        "reference": reading.text("reference"),
        "nationality": _nationality(reading),
        "departure_place": reading.text("departure_place"),
        "transport": reading.text("transport"),
        "phone": _phone(reading, profile.phone_region),
        "household_size": _household_size(reading),
        "consent_to_share": _consent(reading),
    }
    reading.remark(reading.text("remarks"))
    return ArrivalRow(
        line=raw.line,
        family_name=family_name,
        given_names=given_names,
        sex=sex,
        birth_date=birth.date,
        birth_precision=birth.precision,
        departure_country=country,
        arrival_date=arrival,
        region_pcode=place.region_pcode,
        district_pcode=place.district_pcode,
        vulnerabilities=vulnerabilities,
        remarks="; ".join(reading.remarks) or None,
        warnings=tuple(reading.warnings),
        **values,
    )


def _names(reading: RowReading) -> tuple[str, str]:
    """Both names; some people have one only, which is kept with a warning."""
    names = [reading.text("family_name") or "", reading.text("given_names") or ""]
    unusable = [name for name in ("family_name", "given_names") if isinstance(reading.cell(name), Unusable)]
    if unusable or not any(names):
        reading.reject((unusable or ["family_name"])[0], "no_name")
        return "", ""
    for name, text in zip(("family_name", "given_names"), names, strict=True):
        if not text:
            reading.warn(name, "one_name_only")
        elif text.startswith(_FORMULA_START) or len(text) > _LONGEST_NAME or not any(map(str.isalpha, text)):
            reading.reject(name, "bad_name")
    return names[0], names[1]


def _sex(reading: RowReading) -> Sex | None:
    text = reading.text("sex")
    sex = load_vocabulary().sex.get(fold(text)) if text else None
    if sex is None:
        reading.reject("sex", "bad_sex" if text else "no_sex")
    return cast("Sex | None", sex)


def _arrival(reading: RowReading, today: date) -> date | None:
    """The day of arrival: from deadlines to follow-up everything counts from it, so a year or a guess will not do."""
    cell = reading.cell("arrival_date")
    known = parse_date(cell, latest=today + _AHEAD, epoch=reading.epoch)
    if known is None or known.precision != "exact":
        reading.reject("arrival_date", "no_arrival" if cell is None else "bad_date")
        return None
    if not _EARLIEST_ARRIVAL <= known.date <= today + _AHEAD:
        reading.reject("arrival_date", "arrival_out_of_range")
        return None
    return known.date


def _birth(reading: RowReading, latest: date, *, has_arrival: bool) -> KnownDate | None:
    cell = reading.cell("birth_date")
    known = parse_date(cell, latest=latest, epoch=reading.epoch)
    if known is None:
        reading.reject("birth_date", "no_birth" if cell is None else "bad_date")
    elif known.date > latest and has_arrival:
        reading.reject("birth_date", "born_after_arrival")
    elif latest.year - known.date.year > _OLDEST_YEARS:
        reading.reject("birth_date", "too_old")
    else:
        return known
    return None


def _country(reading: RowReading) -> str | None:
    text = reading.text("departure_country")
    code = load_countries().find(text) if text else None
    if code is None:
        reading.reject("departure_country", "unknown_country" if text else "no_country")
    return code


def _nationality(reading: RowReading) -> str | None:
    text = reading.text("nationality")
    code = load_countries().find_nationality(text) if text else None
    if text and code is None:
        reading.warn("nationality", "unknown_nationality")
    return code


def _place(reading: RowReading, profile: Profile) -> Place:
    region, district, both = (reading.text(name) for name in ("region", "district", "place"))
    if both and not (region or district):
        place = profile.places.find_in_one(both)
        if not place.understood:
            reading.warn("place", "unknown_place")
        return place
    place = profile.places.find(region, district)
    if not place.understood:
        for name in ("region", "district"):
            if reading.text(name):
                reading.warn(name, "unknown_place")
    reading.remark(both)
    return place


def _phone(reading: RowReading, region: str) -> str | None:
    text = reading.text("phone")
    phone = parse_phone(text, region) if text else None
    if text and phone is None:
        reading.warn("phone", "bad_phone")
    return phone


def _household_size(reading: RowReading) -> int | None:
    text = reading.text("household_size")
    if text and text.isdecimal() and 1 <= int(text) <= _LARGEST_HOUSEHOLD:
        return int(text)
    if text:
        reading.warn("household_size", "bad_household_size")
    return None


def _vulnerabilities(reading: RowReading) -> tuple[str, ...]:
    """The codes of the answers that are known, in order; what is not known is a remark."""
    words = load_vocabulary()
    codes: dict[str, None] = {}
    text = reading.text("vulnerabilities") or ""
    whole = words.vulnerabilities.get(fold(text))
    for part in [text] if whole else _BETWEEN_ANSWERS.split(text):
        code = words.vulnerabilities.get(fold(part))
        if code:
            codes[code] = None
        elif fold(part) and fold(part) not in words.nothing:
            reading.remark(part)
    return tuple(codes)


def _consent(reading: RowReading) -> bool | None:
    text = reading.text("consent")
    given = load_vocabulary().consent.get(fold(text)) if text else None
    if text and given is None:
        reading.warn("consent", "unknown_consent")
    return given
