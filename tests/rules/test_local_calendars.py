"""Calendars as they hold in an office, against a naive one that asks about each day by itself, one after the other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import WrongUse
from states.calendar import NO_LOCAL_DAYS, WEEKDAYS, Calendar, LocalDays, Span
from states.calendars.changes import announcement, closure, forgetting, opening, own_calendar, recorded_after
from states.calendars.days_off import days_off, public_holidays
from states.calendars.offices import OfficeDays, Recorded
from states.pathway import Text

BAMAKO = ZoneInfo("Africa/Bamako")
DAY = timedelta(days=1)
FIRST, LAST = date(2024, 1, 1), date(2027, 12, 31)
COUNTRIES = (None, "ML", "NE", "DZ", "LY")
LISTS = {code: holidays.country_holidays(code, years=range(2020, 2032)) for code in COUNTRIES if code}

days = st.dates(FIRST, LAST)
some_days = st.frozensets(days, max_size=25)
weekends = st.frozensets(st.integers(0, 6), max_size=5)
instants = st.integers(0, 4 * 365 * 1440).map(
    lambda minute: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)


@st.composite
def closures(draw: st.DrawFn) -> list[date]:
    """A run of days, as an office closes."""
    first = draw(days)
    return [first + number * DAY for number in range(draw(st.integers(1, 30)))]


def naive_working(
    day: date,
    weekend: frozenset[int],
    country: str | None,
    *,
    own_off: frozenset[date],
    own_working: frozenset[date],
    local: LocalDays,
) -> bool:
    """Whoever has the last word about a day: the office, then the pathway, then the country, then the week."""
    if day in local.working:
        return True
    if day in local.off:
        return False
    rests = day.weekday() in (weekend if local.weekend is None else local.weekend)
    if day in local.ordinary:
        return not rests
    if day in own_working:
        return True
    if day in own_off:
        return False
    place = local.country or country
    if place is not None and day in LISTS[place]:
        return False
    return not rests


@st.composite
def situations(draw: st.DrawFn) -> tuple[Calendar, dict[date, bool]]:
    """A calendar as it holds in an office, and for each day of ten years whether people work, by the naive rule."""
    weekend, country = draw(weekends), draw(st.sampled_from(COUNTRIES))
    own_off = draw(some_days)
    own_working = draw(some_days) - own_off
    off = draw(some_days) | frozenset(draw(closures()))
    local = LocalDays(
        weekend=draw(st.none() | weekends), country=draw(st.sampled_from(COUNTRIES)), off=off,
        working=draw(some_days) - off,
        ordinary=draw(some_days) - off,
    )  # fmt: skip
    calendar = Calendar(
        BAMAKO, weekend=weekend, country=country, days_off=own_off, working_days=own_working
    ).locally(local)  # fmt: skip
    span = (date(2031, 12, 31) - date(2020, 1, 1)).days
    every_day = [date(2020, 1, 1) + number * DAY for number in range(span)]
    return calendar, {
        day: naive_working(day, weekend, country, own_off=own_off, own_working=own_working, local=local)
        for day in every_day
    }


def naive_count(works: dict[date, bool], day: date, count: int, direction: int) -> date:
    while count:
        day += direction * DAY
        count -= works[day]
    return day


@given(situation=situations(), day=days)
def test_each_day_is_what_whoever_has_the_last_word_says(
    situation: tuple[Calendar, dict[date, bool]], day: date
) -> None:
    calendar, works = situation
    for number in range(40):
        assert calendar.is_working(day + number * DAY) == works[day + number * DAY]


@given(situation=situations(), moment=instants, count=st.integers(1, 60))
def test_working_days_are_counted_one_by_one_in_both_directions(
    situation: tuple[Calendar, dict[date, bool]], moment: datetime, count: int
) -> None:
    calendar, works = situation
    today, span = calendar.day_of(moment), Span(working_days=count)
    assert calendar.add(moment, span) == calendar.end_of(naive_count(works, today, count, 1))
    assert calendar.subtract(moment, span) == calendar.end_of(naive_count(works, today, count, -1))
    assert works[calendar.day_of(calendar.add(moment, span))]
    assert works[calendar.day_of(calendar.subtract(moment, span))]


@given(situation=situations(), moment=instants, later=st.timedeltas(timedelta(0), timedelta(days=60)),
       count=st.integers(1, 40))  # fmt: skip
def test_what_begins_later_is_never_due_earlier(
    situation: tuple[Calendar, dict[date, bool]], moment: datetime, later: timedelta, count: int
) -> None:
    calendar, span = situation[0], Span(working_days=count)
    assert calendar.add(moment, span) <= calendar.add(moment + later, span)
    assert calendar.subtract(moment, span) <= calendar.subtract(moment + later, span)
    assert calendar.add(moment, span) < calendar.add(moment, Span(working_days=count + 1))


@given(situation=situations(), moment=instants, count=st.integers(1, 40))
def test_from_a_working_day_there_and_back_is_the_same_day(
    situation: tuple[Calendar, dict[date, bool]], moment: datetime, count: int
) -> None:
    calendar, span = situation[0], Span(working_days=count)
    if calendar.is_working(calendar.day_of(moment)):
        assert calendar.subtract(calendar.add(moment, span), span) == calendar.end_of(calendar.day_of(moment))


@given(situation=situations(), day=days, moment=instants, count=st.integers(1, 40))
def test_one_more_day_off_makes_nothing_due_earlier_and_nothing_more_than_one_working_day_later(
    situation: tuple[Calendar, dict[date, bool]], day: date, moment: datetime, count: int
) -> None:
    calendar, works = situation
    closed, span = calendar.locally(LocalDays(off=frozenset({day}))), Span(working_days=count)
    before, after = calendar.add(moment, span), closed.add(moment, span)
    assert before <= after <= closed.add(calendar.day_of(before), Span(working_days=1))
    if not works[day]:
        assert before == after


@given(weekend=weekends, country=st.sampled_from(COUNTRIES), office=st.integers(1, 9) | st.none(), day=days)
def test_where_nothing_is_recorded_the_calendar_is_the_pathways(
    weekend: frozenset[int], country: str | None, office: int | None, day: date
) -> None:
    calendar = Calendar(BAMAKO, weekend=weekend, country=country)
    assert OfficeDays([]).of(office) == NO_LOCAL_DAYS
    assert calendar.locally(OfficeDays([]).of(office)) is calendar
    assert calendar.locally(LocalDays(weekend=weekend, country=country)).is_working(day) == calendar.is_working(day)


@given(programme=st.dictionaries(days, st.sampled_from(["off", "working"]), max_size=8),
       own=st.dictionaries(days, st.sampled_from(["off", "working"]), max_size=8))  # fmt: skip
def test_an_office_has_the_last_word_over_the_programme(programme: dict[date, str], own: dict[date, str]) -> None:
    rows = [Recorded(None, day=day, kind=kind) for day, kind in programme.items()]
    rows += [Recorded(7, day=day, kind=kind) for day, kind in own.items()]
    laid_out = OfficeDays(rows)
    for day in programme.keys() | own.keys():
        kind = own.get(day, programme.get(day))
        assert (day in laid_out.of(7).off, day in laid_out.of(7).working) == (kind == "off", kind == "working")
        elsewhere = programme.get(day)
        assert (day in laid_out.of(8).off, day in laid_out.of(None).working) == (
            elsewhere == "off", elsewhere == "working",
        )  # fmt: skip


def test_an_office_that_rests_on_friday_and_saturday_in_algeria() -> None:
    row = Recorded(3, "friday,saturday", "DZ")
    tamanrasset = Calendar(BAMAKO, country="ML").locally(OfficeDays([row]).of(3))
    assert tamanrasset.weekend == {4, 5}
    assert tamanrasset.is_working(date(2024, 1, 7)), "a Sunday"
    assert not tamanrasset.is_working(date(2024, 1, 5)), "a Friday"
    assert not tamanrasset.is_working(date(2024, 11, 1)), "the revolution, a Friday"
    assert tamanrasset.is_working(date(2024, 9, 22)), "Mali's national day, a Sunday there"


def test_the_public_holidays_of_mali_have_french_names_and_say_which_are_estimates() -> None:
    found = {each.day: (each.title.fr, each.title.en, each.estimated) for each in public_holidays("ML", 2027)}
    assert found[date(2027, 5, 16)] == ("Journée de la Tabaski", "Eid al-Adha", True)
    assert found[date(2027, 3, 9)] == ("Journée de la Fête du Ramadan", "Eid al-Fitr", True)
    assert found[date(2027, 1, 20)] == ("Journée de l'Armée", "Armed Forces Day", False)
    assert sum(estimated for _, _, estimated in found.values()) == 4
    assert len(found) == 12


@pytest.mark.parametrize("country", ["ML", "NE", "DZ", "LY", "TD", "MR", "SN"])
def test_every_country_of_the_routes_has_its_list(country: str) -> None:
    found = public_holidays(country, 2026)
    assert {each.day for each in found} == set(holidays.country_holidays(country, years=2026))
    assert all(each.title.fr and each.title.en and "(" not in each.title.en for each in found if each.estimated)
    assert any(each.estimated for each in found)


def test_the_days_off_of_a_year_have_their_reasons() -> None:
    closed = {date(2027, 2, 1): Text("Inventaire", "Stocktaking")}
    calendar = Calendar(BAMAKO, country="ML").locally(LocalDays(off=frozenset(closed)))
    found = days_off(calendar, closed, 2027)
    assert (found[2].day, found[2].title.fr, found[2].recorded) == (date(2027, 2, 1), "Inventaire", True)
    assert [each.day for each in found] == sorted(each.day for each in found)
    assert date(2027, 5, 16) not in [each.day for each in found], "Tabaski is on a Sunday, a rest day anyway"
    assert all(not calendar.is_working(each.day) for each in found)


def test_a_rest_day_is_no_day_off_whatever_is_recorded_of_it() -> None:
    """Tabaski 2027, expected on a Sunday, is announced for the Monday; a closure has a weekend in it."""
    changes = [
        announcement(date(2027, 5, 17), date(2027, 5, 16), "ML", None),
        closure(date(2027, 2, 4), date(2027, 2, 8), "travaux", None),
    ]
    rows: list[Recorded] = []
    for change in changes:
        rows = recorded_after(rows, change)
    recorded = {day: entry.title for change in changes for day, entry in change.sets.items()}
    calendar = Calendar(BAMAKO, country="ML").locally(OfficeDays(rows).of(None))
    found = [each.day for each in days_off(calendar, recorded, 2027) if each.recorded]
    assert found == [date(2027, 2, 4), date(2027, 2, 5), date(2027, 2, 8), date(2027, 5, 17)]


def test_an_announcement_moves_a_holiday_and_names_it() -> None:
    change = announcement(date(2026, 5, 28), date(2026, 5, 27), "ML", None)
    assert {day: (entry.kind, entry.title.fr) for day, entry in change.sets.items()} == {
        date(2026, 5, 27): ("ordinary", "Journée de la Tabaski"),
        date(2026, 5, 28): ("off", "Journée de la Tabaski"),
    }
    local = OfficeDays(recorded_after([], change)).of(None)
    calendar = Calendar(BAMAKO, country="ML").locally(local)
    assert calendar.is_working(date(2026, 5, 27))
    assert not calendar.is_working(date(2026, 5, 28))


def test_an_estimate_that_was_on_a_rest_day_leaves_it_a_rest_day() -> None:
    """Tabaski 2027 is expected on a Sunday: announced for Monday it costs a day, and nobody works on the Sunday."""
    local = OfficeDays(recorded_after([], announcement(date(2027, 5, 17), date(2027, 5, 16), "ML", None))).of(None)
    mali = Calendar(BAMAKO, country="ML")
    assert not mali.locally(local).is_working(date(2027, 5, 16))
    assert not mali.locally(local).is_working(date(2027, 5, 17))
    niamey = Calendar(BAMAKO, weekend=[4], country="ML")
    assert niamey.locally(local).is_working(date(2027, 5, 16)), "where people work on Sundays"


def test_only_a_public_holiday_can_be_announced_for_another_day() -> None:
    with pytest.raises(WrongUse) as refused:
        announcement(date(2026, 5, 28), date(2026, 5, 26), "ML", None)
    assert "Journée de la Tabaski" in refused.value.remedy_fr


def test_where_no_holidays_count_none_can_be_announced_for_another_day() -> None:
    with pytest.raises(WrongUse, match="No public holidays count here") as refused:
        announcement(date(2026, 5, 28), date(2026, 5, 27), None, None)
    assert refused.value.remedy
    assert refused.value.remedy_fr


def test_changes_come_one_over_the_other_and_are_forgotten() -> None:
    rows = recorded_after([], closure(date(2027, 2, 1), date(2027, 2, 3), "travaux", 7))
    rows = recorded_after(rows, opening(date(2027, 2, 2), date(2027, 2, 2), "permanence", 7))
    assert {(row.day, row.kind) for row in rows} == {
        (date(2027, 2, 1), "off"), (date(2027, 2, 2), "working"), (date(2027, 2, 3), "off"),
    }  # fmt: skip
    rows = recorded_after(rows, own_calendar(7, ["friday"], None))
    rows = recorded_after(rows, own_calendar(7, None, "NE"))
    assert OfficeDays(rows).of(7)[:2] == (frozenset({4}), "NE")
    rows = recorded_after(rows, forgetting(date(2027, 2, 1), date(2027, 2, 3), 7))
    assert rows == [Recorded(7, "friday", "NE")]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: closure(date(2027, 2, 2), date(2027, 2, 1), "à l'envers", None),
        lambda: closure(date(2027, 2, 2), date(2029, 2, 1), "trop long", None),
        lambda: own_calendar(1, list(WEEKDAYS), None),
        lambda: own_calendar(1, ["vendredi"], None),
        lambda: own_calendar(1, [], None),
        lambda: own_calendar(1, None, "XX"),
    ],
)
def test_what_makes_no_calendar_is_refused_with_a_remedy(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(WrongUse) as refused:
        wrong()
    assert refused.value.remedy
    assert refused.value.remedy_fr
