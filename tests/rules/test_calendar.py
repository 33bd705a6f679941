"""The calendar against a naive one that counts day by day and looks for midnight quarter by quarter of an hour."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.calendar import Calendar, Span

BAMAKO = ZoneInfo("Africa/Bamako")
# Beirut and Cairo change their clocks at midnight, Paris and New York at night, Bamako never.
ZONES = [
    ZoneInfo(name) for name in ("Africa/Bamako", "Europe/Paris", "America/New_York", "Asia/Beirut", "Africa/Cairo")
]
MALI = Calendar(BAMAKO, country="ML")
START = datetime(2023, 1, 2, tzinfo=UTC)

days = st.dates(date(2023, 1, 1), date(2027, 12, 31))
instants = st.integers(0, 5 * 365 * 96).map(lambda quarter: START + timedelta(minutes=15 * quarter)) | st.integers(
    0, 5 * 365 * 86_400
).map(lambda second: START + timedelta(seconds=second, microseconds=1))
day_spans = st.tuples(st.integers(0, 30), st.integers(0, 400)).filter(any).map(lambda parts: Span(*parts))


def naive_end(day: date, zone: ZoneInfo) -> datetime:
    """The first quarter of an hour that is no longer on that day."""
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC)
    while moment.astimezone(zone).date() <= day:
        moment += timedelta(minutes=15)
    return moment


def naive_day(moment: datetime, zone: ZoneInfo) -> date:
    """The local day; a midnight belongs to the day that it ends."""
    local = moment.astimezone(zone)
    if naive_end(local.date() - timedelta(days=1), zone) == moment:
        return local.date() - timedelta(days=1)
    return local.date()


def naive_months(day: date, months: int) -> date:
    """Months later or earlier, at the last day of a month that is too short."""
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def naive_working(day: date, count: int, direction: int) -> date:
    off = holidays.country_holidays("ML")
    while count:
        day += timedelta(days=direction)
        if day.weekday() < 5 and day not in off:
            count -= 1
    return day


@given(moment=instants, span=day_spans, zone=st.sampled_from(ZONES))
def test_months_and_days_end_at_the_end_of_a_local_day(moment: datetime, span: Span, zone: ZoneInfo) -> None:
    calendar = Calendar(zone)
    today = naive_day(moment, zone)
    later = naive_months(today, span.months) + timedelta(days=span.days)
    earlier = naive_months(today, -span.months) - timedelta(days=span.days)
    assert calendar.add(moment, span) == naive_end(later, zone)
    assert calendar.subtract(moment, span) == naive_end(earlier, zone)


@given(moment=instants, count=st.integers(1, 60))
def test_working_days_are_counted_one_by_one(moment: datetime, count: int) -> None:
    today = naive_day(moment, BAMAKO)
    span = Span(working_days=count)
    assert MALI.add(moment, span) == naive_end(naive_working(today, count, 1), BAMAKO)
    assert MALI.subtract(moment, span) == naive_end(naive_working(today, count, -1), BAMAKO)


@given(day=days, span=day_spans, zone=st.sampled_from(ZONES))
def test_a_day_counts_like_its_end(day: date, span: Span, zone: ZoneInfo) -> None:
    calendar = Calendar(zone)
    assert calendar.add(day, span) == calendar.add(naive_end(day, zone), span)


@given(moment=instants, hours=st.integers(1, 500), zone=st.sampled_from(ZONES))
def test_hours_are_exact_whatever_the_clocks_do(moment: datetime, hours: int, zone: ZoneInfo) -> None:
    calendar, span = Calendar(zone), Span(seconds=hours * 3600)
    assert calendar.add(moment, span) - moment == timedelta(hours=hours)
    assert moment - calendar.subtract(moment, span) == timedelta(hours=hours)


@given(moment=instants, count=st.integers(1, 40), zone=st.sampled_from(ZONES))
def test_days_before_a_due_time_lead_back_to_where_it_came_from(moment: datetime, count: int, zone: ZoneInfo) -> None:
    calendar, span = Calendar(zone), Span(days=count)
    assert calendar.subtract(calendar.add(moment, span), span) == naive_end(naive_day(moment, zone), zone)


def test_the_last_of_january_and_one_month_is_the_last_of_february() -> None:
    assert MALI.add(date(2024, 1, 31), Span.parse("P1M")) == datetime(2024, 3, 1, tzinfo=UTC)
    assert MALI.add(date(2023, 1, 31), Span.parse("P1M")) == datetime(2023, 3, 1, tzinfo=UTC)
    assert MALI.add(date(2024, 1, 30), Span.parse("P1M15D")) == datetime(2024, 3, 16, tzinfo=UTC)


def test_the_results_are_in_utc() -> None:
    calendar = Calendar(ZoneInfo("Europe/Paris"))
    due = calendar.add(datetime(2024, 7, 1, 10, tzinfo=ZoneInfo("Europe/Paris")), Span.parse("P1D"))
    assert due == datetime(2024, 7, 2, 22, tzinfo=UTC)
    assert due.tzinfo is UTC


def test_fourteen_working_days_in_mali_pass_over_weekends_and_the_day_of_the_army() -> None:
    # From Friday 5 January 2024; Saturday 20 January is a holiday that costs nothing.
    assert MALI.add(date(2024, 1, 5), Span.parse("14 working days")) == datetime(2024, 1, 26, tzinfo=UTC)
    # The end of Ramadan, 9 or 10 April 2024, and Easter Monday do cost days.
    assert not MALI.is_working(date(2024, 4, 1))
    assert MALI.add(date(2024, 3, 29), Span.parse("1 working day")) == datetime(2024, 4, 3, tzinfo=UTC)


def test_a_programme_overrides_estimated_holidays() -> None:
    moved = Calendar(BAMAKO, country="ML", days_off=[date(2026, 5, 28)], working_days=[date(2026, 5, 27)])
    assert not MALI.is_working(date(2026, 5, 27))
    assert moved.is_working(date(2026, 5, 27))
    assert not moved.is_working(date(2026, 5, 28))


def test_a_week_of_rest_days_is_refused() -> None:
    with pytest.raises(ValueError, match="working"):
        Calendar(BAMAKO, weekend=range(7))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("PT24H", Span(seconds=86_400)),
        ("PT1H30M", Span(seconds=5_400)),
        ("PT90M", Span(seconds=5_400)),
        ("P1D", Span(days=1)),
        ("P2W", Span(days=14)),
        ("P3M15D", Span(months=3, days=15)),
        ("P1Y6M", Span(months=18)),
        ("14 working days", Span(working_days=14)),
        ("1 working day", Span(working_days=1)),
    ],
)
def test_spans_are_read_and_written(text: str, span: Span) -> None:
    assert Span.parse(text) == span
    assert Span.parse(str(span)) == span
    assert span.exact == (span.seconds > 0)


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "PT", "P0D", "PT0H", "0 working days", "-P1D", "P-1D", "P1.5M", "P1,5D", "P1DT2H", "P1M1W2", "14"),
        *("14 days", "p1d", "P1D ", "PT30S", "P99999M", "one working day", "P1S", "P1H", "5 working days\n"),
    ],
)
def test_what_is_no_span_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"write P3M|write PT48H|write at least"):
        Span.parse(text)


@given(span=day_spans | st.integers(1, 9_999).map(lambda count: Span(working_days=count)))
def test_every_span_survives_being_written(span: Span) -> None:
    assert Span.parse(str(span)) == span
