"""`docs/webhooks.md` says what the code does: its example, its tables, and its receiver, which is run here."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import isodate
from edges.test_sharing_cloud_event import CASE, GOLDEN
from edges.webhook_outbox import secret_of

from integrations.catalogue.schemas import CONTENT_TYPE
from integrations.webhooks import outcomes
from integrations.webhooks.retries import SCHEDULE
from integrations.webhooks.signatures import signed_headers
from models.events import EVENT_TYPES

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def _is_row(line: str) -> bool:
    return line.startswith("|")


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the first table after a heading, by the code in their first column."""
    lines = PAGE.split(f"{heading}\n", 1)[1].splitlines()
    table = itertools.takewhile(_is_row, itertools.dropwhile(lambda line: not _is_row(line), lines))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in list(table)[2:]]
    return {first.strip("`"): rest for first, *rest in cells}


def test_the_example_is_what_is_sent() -> None:
    assert block("json").strip().encode() == GOLDEN


def test_the_receiver_receives() -> None:
    page: dict[str, Any] = {}
    exec(block("python"), page)  # noqa: S102
    signed = {"content-type": CONTENT_TYPE, **signed_headers(secret_of("one"), "evt-1", GOLDEN, datetime.now(UTC))}
    assert page["receive"](secret_of("one"), signed, GOLDEN).get_subject() == CASE
    assert page["receive"](secret_of("two"), signed, GOLDEN) is None
    assert page["receive"](secret_of("one"), {**signed, "webhook-signature": "nonsense"}, GOLDEN) is None
    assert page["receive"](secret_of("one"), {}, GOLDEN) is None


def test_every_event_type_is_described_with_its_data() -> None:
    described = rows("### Event types")
    assert list(described) == list(EVENT_TYPES)
    for name, model in EVENT_TYPES.items():
        own = set(model.model_fields) - {"case", "state"}
        assert own <= set(re.findall(r"`(\w+)`", described[name][0])) <= own | {"state"}


def test_every_outcome_is_described_in_the_words_that_lists_use() -> None:
    described = rows("### Deliveries")
    assert set(described) == outcomes.CODES | {"http_<status>"}
    for code in outcomes.CODES:
        assert described[code] == [outcomes.in_words(code).en]


def test_the_schedule_is_the_one_that_is_kept() -> None:
    (line,) = re.findall(r"^\| after \| (.+) \|$", PAGE, re.MULTILINE)
    units = {"s": "PT{}S", "min": "PT{}M", "h": "PT{}H"}
    written = [isodate.parse_duration(units[unit].format(number)) for number, unit in re.findall(r"(\d+) (\w+)", line)]
    assert written == list(SCHEDULE)
