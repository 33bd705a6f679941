"""What is in the table and in the message about it: every column always, no formula, and no person in the text."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from integrations.notices.message import digest_message
from integrations.notices.tables import COLUMNS, RENAMED, Line, as_csv, as_workbook, row_of
from models.events import CATALOGUE
from models.shared_fields import SHARED_FIELDS

NOW = datetime(2024, 3, 6, 2, 0, tzinfo=UTC)
BAMAKO = ZoneInfo("Africa/Bamako")


def line(position: int = 1, event_type: str = "referral.made", details: dict[str, Any] | None = None) -> Line:
    """All of it synthetic."""
    body = {
        "id": f"evt-{position}",
        "type": event_type,
        "subject": "c-abc",
        "time": "2024-03-05T08:00:00Z",
        "sequence": f"{position:010d}",
        "data": {"case": "c-abc", "referral": "F-1", "details": {"region": "ML01"} if details is None else details},
    }
    return Line(position, position, json.dumps(body))


def read_csv(content: bytes) -> list[dict[str, str]]:
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.split("\r\n")[0] else ","))


def read_book(content: bytes) -> list[dict[str, str]]:
    (names, *rows) = load_workbook(io.BytesIO(content))["events"].iter_rows(values_only=True)
    return [dict(zip(map(str, names), (cell or "" for cell in row), strict=True)) for row in rows]  # type: ignore[misc]


def message(*lines: Line, language: str = "fr", last: int | None = None) -> Any:
    return digest_message(
        lines,
        subscription_id=7,
        first=1,
        last=last or lines[-1].position,
        sender="segin@programme.example.org",
        to="suivi@partner.example.org",
        language=language,
        timezone=BAMAKO,
        now=NOW,
    )


def test_there_is_a_column_for_everything_that_an_event_can_say() -> None:
    own = {name for kind in CATALOGUE.values() if kind.announced for name in kind.model.model_fields} - {"details"}
    assert {RENAMED.get(name, name) for name in own} | SHARED_FIELDS.keys() <= COLUMNS.keys()


def test_a_reminder_says_which_event_it_is_about() -> None:
    body = json.loads(line(9, "acknowledgement.due").body)
    body["data"] = {"case": "c-abc", "event": "evt-4", "due_at": "2024-03-08T08:00:00Z"}
    row = row_of(Line(9, 9, json.dumps(body)))
    assert (row["event"], row["about"], row["due_at"]) == ("evt-9", "evt-4", "2024-03-08T08:00:00Z")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_both_files_have_the_same_rows_and_columns(language: str) -> None:
    details = {
        "region": "ML01",
        "family_name": "KEÏTA",
        "needs": ["training", "livelihood"],
        "referral_services": ["health"],
    }
    lines = [line(4, details=details), line(5, "case.closed", {})]
    rows = read_csv(as_csv(lines, language))
    assert rows == read_book(as_workbook(lines, language))
    assert [list(row) for row in rows] == [list(COLUMNS)] * 2
    assert {name: cell for name, cell in rows[0].items() if cell} == {
        "position": "4",
        "event": "evt-4",
        "type": "referral.made",
        "time": "2024-03-05T08:00:00Z",
        "case": "c-abc",
        "sequence": "4",
        "referral": "F-1",
        "region": "ML01",
        "family_name": "KEÏTA",
        "needs": "training; livelihood",
        "referral_services": "health",
    }


@pytest.mark.parametrize(
    "hostile",
    ["=1+1", "+22300000000", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", '=HYPERLINK("http://x.example","y")'],
)
def test_no_cell_is_a_formula(hostile: str) -> None:
    made = [line(1, details={"family_name": hostile})]
    assert read_csv(as_csv(made, "fr"))[0]["family_name"] == f"'{hostile}"
    book = load_workbook(io.BytesIO(as_workbook(made, "fr")))
    cells = [cell for row in book["events"].iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert row_of(made[0])["family_name"] == hostile


@pytest.mark.parametrize("odd", ["a;b,c", 'says "so"', "two\nlines", "nul \x00 bell \x07", "half \ud800"])
def test_any_text_makes_files_that_can_be_read(odd: str) -> None:
    made = [line(1, details={"family_name": odd}), line(2)]
    assert len(read_csv(as_csv(made, "fr"))) == 2
    assert len(read_book(as_workbook(made, "fr"))) == 2


def test_the_text_and_the_subject_say_nothing_of_a_person() -> None:
    details = {name: ["MARKED"] if field.kind == "list" else "MARKED" for name, field in SHARED_FIELDS.items()}
    made = message(line(41, details=details), line(42, "case.closed", details))
    text = made.get_body(("plain",)).get_content()
    assert "MARKED" not in text
    assert "MARKED" not in "".join(made.values())
    assert "41  2024-03-05 08:00  Personne orientée vers vous  c-abc · F-1" in text
    for code in ("c-abc", "evt-41", "F-1"):
        assert code not in made["Subject"]
    (attached,) = made.iter_attachments()
    rows = read_csv(attached.get_payload(decode=True))
    assert [row["position"] for row in rows] == ["41", "42"]
    assert rows[0]["referral_reason"] == "MARKED"


def test_the_message_is_in_the_language_of_the_subscription() -> None:
    french, english = message(line()), message(line(), language="en")
    assert french["Subject"] == "Segin : 1 événement(s), n° 1 à 1"
    assert english["Subject"] == "Segin: 1 event(s), no 1 to 1"
    assert "Person referred to you" in english.get_body(("plain",)).get_content()
    assert english["Content-Language"] == "en"


def test_the_same_events_make_the_same_message() -> None:
    assert message(line(), line(2)).as_bytes() == message(line(), line(2)).as_bytes()
    assert message(line())["Message-ID"] == "<segin-7-1-1@programme.example.org>"
    assert message(line())["Message-ID"] != message(line(), last=2)["Message-ID"]
    assert max(map(len, message(line()).as_bytes().split(b"\r\n"))) < 999
