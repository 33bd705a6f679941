"""Dates as people write them, with what is really known: a whole date, a year, or about a date. `rows` calls it.

Days come first (01/02/2000 is 1 February); a reading that would need another order, or a day that nobody wrote, is
refused. General date parsers make up a day for "1990", which then passes for the person's birthday.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

from integrations.manifests.folding import fold
from integrations.manifests.table import EXCEL_EPOCH, Cell, Unusable
from integrations.manifests.vocabulary import load_vocabulary

Precision = Literal["exact", "year", "approximate"]

_OLDEST: Final = 120  # years; nobody on a manifest is older, and an earlier date is a slip
_SERIALS_AHEAD: Final = 20  # years; so that a wrong date is told as such, while any five digits are not a date
_EIGHT_DIGITS: Final = 100_000_000
_SERIAL_DIGITS: Final = re.compile(r"\d{5}")
_DAY_FIRST: Final = re.compile(r"(\d{1,2}|[xX?]{1,2})\s*[-/. ]\s*(\d{1,2}|[xX?]{1,2})\s*[-/. ]\s*(\d{4}|\d{2})")
_ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_COMPACT_DAY_FIRST: Final = re.compile(r"(\d{2})(\d{2})(\d{4})")
_YEAR: Final = re.compile(r"\d{4}")
_MONTH_YEAR: Final = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{4})|(\d{4})\s*[-/.]\s*(\d{1,2})")
_AGE: Final = re.compile(r"(\d{1,3}) ([a-z ]+)")
_WORDED: Final = re.compile(r"(?:(\d{1,2})(?:er|st|nd|rd|th)? )?([a-z]+) (\d{4}|\d{2})")


class KnownDate(NamedTuple):
    """A date with its precision. `year`: only the year is known and 1 January stands for it; `approximate`: about
    then (from a month, an age or a word such as "vers")."""

    date: date
    precision: Precision


def parse_date(cell: Cell, *, latest: date, epoch: date = EXCEL_EPOCH) -> KnownDate | None:
    """The date in a cell; none when it cannot be told.

    `latest` is the last day that makes sense: it settles the century of a two-digit year, and an age counts back from
    it. A later date with four digits in the year is still returned: the caller knows what is wrong with it. `epoch` is
    day 0 of the workbook's serial numbers.
    """
    if isinstance(cell, date):
        return KnownDate(cell, "exact")
    if cell is None or isinstance(cell, Unusable):
        return None
    if isinstance(cell, int | float):
        return _number(cell, latest, epoch)
    return _text(cell, latest, epoch)


def _number(number: float, latest: date, epoch: date) -> KnownDate | None:
    if not 0 < number < _EIGHT_DIGITS:  # no number at all is neither
        return None
    if number == int(number) and latest.year - _OLDEST <= number <= latest.year + 1:
        return _year(int(number))
    if number == int(number) and number >= _EIGHT_DIGITS / 10:
        return _plain(str(int(number)), latest, epoch)
    # Below the day a lifetime ago are years and ages, which are no serial dates.
    oldest = (date(latest.year - _OLDEST, 1, 1) - epoch).days
    newest = (date(latest.year + _SERIALS_AHEAD, 1, 1) - epoch).days
    if max(oldest, latest.year + 2) <= number < newest:
        return KnownDate(epoch + timedelta(days=int(number)), "exact")
    return None


def _text(text: str, latest: date, epoch: date) -> KnownDate | None:
    core, approximate = _without_words(text)
    known = _plain(core, latest, epoch)
    if known is None or not approximate:
        return known
    return KnownDate(known.date, "approximate")


def _without_words(text: str) -> tuple[str, bool]:
    """The text without words such as "né le" and "vers" around it, and whether one of them makes it approximate."""
    words = load_vocabulary()
    bare = text.lstrip(" ~").rstrip(" ?")
    approximate = bare != text.strip()
    parts = bare.split()
    while len(parts) > 1 and (fold(parts[0]) in words.born or fold(parts[0]) in words.approximate):
        approximate |= fold(parts.pop(0)) in words.approximate
    while len(parts) > 1 and fold(parts[-1]) in words.approximate:
        parts.pop()
        approximate = True
    return " ".join(parts), approximate


def _plain(text: str, latest: date, epoch: date) -> KnownDate | None:
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        known = _whole(int(match[1]), int(match[2]), int(match[3]))
        if known:
            return known
    if match := _DAY_FIRST.fullmatch(text):
        return _day_first(match[1], match[2], match[3], latest)
    if match := _COMPACT_DAY_FIRST.fullmatch(text):
        return _day_first(match[1], match[2], match[3], latest)
    if _YEAR.fullmatch(text):
        return _year(int(text))
    if match := _MONTH_YEAR.fullmatch(text):
        return _month(int(match[2] or match[3]), int(match[1] or match[4]))
    if _SERIAL_DIGITS.fullmatch(text):
        return _number(int(text), latest, epoch)
    return _in_words(fold(text), latest)


def _day_first(day: str, month: str, year: str, latest: date) -> KnownDate | None:
    """`00` and `XX` stand for a day or a month that is not known."""
    full_year = int(year) if len(year) == 4 else _century(int(year), latest)
    if not _is_known(month):
        return _year(full_year) if not _is_known(day) else None
    if not _is_known(day):
        return _month(full_year, int(month))
    return _whole(full_year, int(month), int(day))


def _century(year: int, latest: date) -> int:
    """The newest century whose year is not after `latest`: with an arrival in 2024, `24` is 2024 and `25` is 1925.

    The year alone decides: a day later in the same year is a slip to be told, not a centenarian.
    """
    candidate = latest.year // 100 * 100 + year
    return candidate - 100 if candidate > latest.year else candidate


def _is_known(part: str) -> bool:
    return part.isdecimal() and int(part) > 0


def _in_words(text: str, latest: date) -> KnownDate | None:
    words = load_vocabulary()
    if (match := _AGE.fullmatch(text)) and match[2] in words.years_of_age:
        age = int(match[1])
        return KnownDate(date(latest.year - age, 1, 1), "approximate") if age <= _OLDEST else None
    if (match := _WORDED.fullmatch(text)) and (month := words.months.get(match[2])):
        return _day_first(match[1] or "00", str(month), match[3], latest)
    return None


def _whole(year: int, month: int, day: int) -> KnownDate | None:
    try:
        return KnownDate(date(year, month, day), "exact") if _is_sensible(year) else None
    except ValueError:
        return None


def _month(year: int, month: int) -> KnownDate | None:
    return KnownDate(date(year, month, 1), "approximate") if 1 <= month <= 12 and _is_sensible(year) else None


def _year(year: int) -> KnownDate | None:
    return KnownDate(date(year, 1, 1), "year") if _is_sensible(year) else None


def _is_sensible(year: int) -> bool:
    return 1850 <= year <= 2199
