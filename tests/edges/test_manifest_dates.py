"""Dates on manifests: every form in use, with what is really known, and never a day that nobody wrote."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.manifests.dates import parse_date
from integrations.manifests.table import EXCEL_EPOCH, Unusable

LATEST = date(2024, 1, 5)
births = st.dates(date(1925, 1, 1), LATEST)
DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y", "%d%m%Y", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")


@given(births, st.sampled_from(DAY_FIRST))
def test_a_whole_date_is_read_exactly_in_every_form(day: date, form: str) -> None:
    assert parse_date(day.strftime(form), latest=LATEST) == (day, "exact")


@given(births)
def test_cells_of_a_spreadsheet_are_read_exactly(day: date) -> None:
    assert parse_date(day, latest=LATEST) == (day, "exact")
    assert parse_date((day - EXCEL_EPOCH).days + 0.75, latest=LATEST) == (day, "exact")
    on_an_old_mac = date(1904, 1, 1)
    assert parse_date((day - on_an_old_mac).days + 9000, latest=LATEST, epoch=on_an_old_mac - timedelta(9000)) == (
        day,
        "exact",
    )


@given(st.dates(date(1925, 1, 1), date(2023, 12, 31)), st.sampled_from(["%d.%m.%y", "%d/%m/%y", "%d-%m-%y"]))
def test_two_digits_of_a_year_mean_the_newest_year_up_to_the_latest(day: date, form: str) -> None:
    assert parse_date(day.strftime(form), latest=LATEST) == (day, "exact")


def test_a_two_digit_year_of_the_arrival_is_no_centenarian() -> None:
    assert parse_date("11.12.24", latest=LATEST) == (date(2024, 12, 11), "exact")


@given(st.integers(1905, 2024), st.sampled_from(["{}", " {} ", "né en {}", "00/00/{}", "XX/XX/{}", "??/??/{}"]))
def test_a_year_stays_a_year(year: int, form: str) -> None:
    assert parse_date(form.format(year), latest=LATEST) == (date(year, 1, 1), "year")
    assert parse_date(year, latest=LATEST) == (date(year, 1, 1), "year")


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("vers 1990", date(1990, 1, 1)),
        ("~1990", date(1990, 1, 1)),
        ("1990 ?", date(1990, 1, 1)),
        ("mai 1990", date(1990, 5, 1)),
        ("XX/05/1990", date(1990, 5, 1)),
        ("05/1990", date(1990, 5, 1)),
        ("1990-05", date(1990, 5, 1)),
        ("25 ans", date(1999, 1, 1)),
        ("environ 12/05/1990", date(1990, 5, 12)),
    ],
)
def test_what_is_about_a_date_is_called_approximate(text: str, about: date) -> None:
    assert parse_date(text, latest=LATEST) == (about, "approximate")


@pytest.mark.parametrize("text", ["12 mai 1990", "12-mai-90", "12 May 1990", "né(e) le 12/05/1990", "12/5/90"])
def test_words_around_or_inside_a_date(text: str) -> None:
    assert parse_date(text, latest=LATEST) == (date(1990, 5, 12), "exact")


@pytest.mark.parametrize(
    "text", ["31/02/1996", "30.02.24", "05/23/1990", "12/00/1990", "2024-13-01", "hier", "34", "0", "1/1", "99999", "-"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    assert parse_date(text, latest=LATEST) is None


@pytest.mark.parametrize("cell", [None, Unusable.FORMULA, float("nan"), float("inf"), -1, 0, 10**12])
def test_what_is_no_date_cell_is_refused(cell: float | Unusable | None) -> None:
    assert parse_date(cell, latest=LATEST) is None


pieces = st.sampled_from([*"0123456789", "19", "20", "/", "-", ".", " ", "?", "~", "X", "vers", "mai", "né", "ans"])


@given(st.one_of(st.text(max_size=30), st.lists(pieces, max_size=8).map("".join)))
def test_no_text_makes_up_a_day(text: str) -> None:
    known = parse_date(text, latest=LATEST)
    if known is not None and known.precision == "exact":
        numbers = [int(digits) for digits in re.findall(r"\d{1,2}", text)]
        serial = re.search(r"\d{5}", text)
        assert serial or (len(re.findall(r"\d", text)) >= 4 and known.date.day in numbers)
    if known is not None:
        assert known.precision != "year" or (known.date.month, known.date.day) == (1, 1)


@given(st.floats() | st.integers())
def test_no_number_breaks_it(number: float) -> None:
    known = parse_date(number, latest=LATEST)
    assert known is None or known.precision in ("exact", "year")
