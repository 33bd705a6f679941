"""The retry schedule and Retry-After, as values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from edges.webhook_outbox import NOW
from hypothesis import given
from hypothesis import strategies as st

from integrations.webhooks.retries import JITTER, LONGEST_RETRY_AFTER, SCHEDULE, next_attempt, wanted_wait

JITTERS = st.floats(0, 1)
FAILED = st.integers(1, len(SCHEDULE) - 1)


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    """The specification's table of times since the start."""
    since_start = [timedelta(0)]
    for failed in range(1, len(SCHEDULE)):
        again = next_attempt(failed, NOW, jitter=0)
        assert again is not None
        since_start.append(since_start[-1] + (again - NOW))
    assert [str(each) for each in since_start] == [
        *("0:00:00", "0:00:05", "0:05:05", "0:35:05", "2:35:05", "7:35:05"),
        *("17:35:05", "1 day, 7:35:05", "2 days, 3:35:05", "3 days, 3:35:05"),
    ]


@given(FAILED, JITTERS)
def test_jitter_adds_at_most_a_tenth(failed: int, jitter: float) -> None:
    again = next_attempt(failed, NOW, jitter=jitter)
    assert again is not None
    assert SCHEDULE[failed] <= again - NOW <= SCHEDULE[failed] * (1 + JITTER)


@given(FAILED.filter(lambda failed: failed + 1 < len(SCHEDULE)), JITTERS, JITTERS)
def test_each_wait_is_longer_than_the_one_before(failed: int, jitter: float, other: float) -> None:
    sooner, later = next_attempt(failed, NOW, jitter=jitter), next_attempt(failed + 1, NOW, jitter=other)
    assert sooner is not None
    assert later is not None
    assert sooner < later


@given(FAILED, JITTERS, st.timedeltas(timedelta(0), LONGEST_RETRY_AFTER))
def test_retry_after_is_obeyed_and_never_shortens_the_wait(failed: int, jitter: float, wanted: timedelta) -> None:
    plain = next_attempt(failed, NOW, jitter=jitter)
    assert plain is not None
    assert next_attempt(failed, NOW, jitter=jitter, retry_after=wanted) == max(plain, NOW + wanted)


@given(st.integers(len(SCHEDULE), 1000), JITTERS)
def test_the_schedule_ends(failed: int, jitter: float) -> None:
    assert next_attempt(failed, NOW, jitter=jitter, retry_after=timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("", 0),
        ("٣", 0),
        ("9" * 400, 86400),
        ("90000", 86400),
        ("Tue, 05 Mar 2024 08:01:30 GMT", 90),
        ("Tue, 05 Mar 2024 09:01:30 +0100", 90),
        ("Tue, 05 Mar 2024 07:00:00 GMT", 0),
        ("Tue, 05 Mar 2034 08:00:00 GMT", 86400),
        ("Tue, 99 Mar 2024 08:00:00 GMT", 0),
        ("Tue, 05 Mar 99999999999999999999 08:00:00 GMT", 0),
        ("Tue, 05 Mar 2024 08:00:00 +999999999999999999", 0),
    ],
)
def test_retry_after_in_all_its_forms(header: str | None, seconds: int) -> None:
    assert wanted_wait(header, NOW) == timedelta(seconds=seconds)


@given(st.text(max_size=60))
def test_no_retry_after_breaks_anything(header: str) -> None:
    assert timedelta(0) <= wanted_wait(header, datetime(2024, 1, 1, tzinfo=UTC)) <= LONGEST_RETRY_AFTER
