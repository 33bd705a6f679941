"""`segin calendar`, `segin deadline` and `segin digest` as processes: look first, then change, waive and be told."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from command_line import CommandLine

MALI = ZoneInfo("Africa/Bamako")
NEXT_YEAR = ("--year", 2027)


def _arrived(segin: CommandLine) -> list[str]:
    codes = [case["code"] for case in segin.json("case", "list", "--limit", 2)["cases"]]
    for code in codes:
        segin.json("case", "move", code, "confirm_arrival")
    return codes


def _due(segin: CommandLine, code: str, key: str) -> str:
    (due,) = [each["due_at"] for each in segin.json("case", "show", code)["deadlines"] if each["key"] == key]
    return str(due)


def test_the_calendar_of_mali_is_shown_with_french_names_and_estimates(segin: CommandLine) -> None:
    shown = segin.json("calendar", "show", *NEXT_YEAR)
    assert (shown["rest_days"], shown["country"]) == (["saturday", "sunday"], "ML")
    tabaski = next(each for each in shown["holidays"] if each["day"] == "2027-05-16")
    assert (tabaski["title_fr"], tabaski["title_en"], tabaski["estimated"]) == (
        "Journée de la Tabaski", "Eid al-Adha", True,
    )  # fmt: skip
    read = segin.text("calendar", "show", *NEXT_YEAR)
    assert "Journée de la Fête du Ramadan" in read
    assert "Jours de repos : samedi, dimanche." in read
    assert "Rest days: saturday, sunday." in segin.text("calendar", "show", *NEXT_YEAR, language="en")


def test_a_closure_is_looked_at_made_and_forgotten(segin: CommandLine) -> None:
    codes = _arrived(segin)
    before = [_due(segin, code, "screening_begun") for code in codes]
    closing = ("calendar", "close", "2024-01-15", "2024-01-16", "--reason", "inventaire")

    seen = segin.json(*closing, "--dry-run")
    assert {each["case"] for each in seen["moves"]} == set(codes)
    assert {each["key"] for each in seen["moves"]} == {"screening_begun"}
    assert [each["number"] for each in seen["groups"]] == [2]
    assert seen["change"] is None
    assert [_due(segin, code, "screening_begun") for code in codes] == before
    assert "2 échéances et tâches changent de date." in segin.text(*closing, "--dry-run")

    assert "--yes" in segin.error(*closing, code=2), "nobody is there to be asked"
    made = segin.json(*closing, "--yes")
    assert (made["change"]["cases"], made["change"]["deadlines"]) == (2, 2)
    assert [_due(segin, code, "screening_begun") for code in codes] != before
    journal = segin.json("case", "show", codes[0])["journal"]
    assert journal[-1]["trigger"] == "change_calendar"
    assert segin.json("calendar", "finish")["changes"] == []

    back = segin.json("calendar", "forget", "2024-01-15", "2024-01-16", "--yes")
    assert back["change"]["deadlines"] == 2
    assert [_due(segin, code, "screening_begun") for code in codes] == before
    assert segin.json("journal", "verify")["broken"] == 0


def test_a_holiday_is_announced_for_another_day(segin: CommandLine) -> None:
    wrong = segin.error("calendar", "announce", "2027-05-17", "--instead-of", "2027-05-15", "--yes", code=2)
    assert "2027-05-16 (Eid al-Adha)" in wrong
    made = segin.json("calendar", "announce", "2027-05-17", "--instead-of", "2027-05-16", "--yes")
    assert {each["day"]: each["kind"] for each in made["days"]} == {"2027-05-16": "ordinary", "2027-05-17": "off"}
    off = {each["day"]: each for each in segin.json("calendar", "show", *NEXT_YEAR)["days_off"]}
    assert (off["2027-05-17"]["title_fr"], off["2027-05-17"]["recorded"]) == ("Journée de la Tabaski", True)


def test_an_office_announces_the_holidays_of_its_own_country(segin: CommandLine) -> None:
    """The new year of the Hijra is a holiday in Algeria, expected on 6 June 2027, and none in Mali."""
    segin.json("office", "add", "GA", "Gao")
    announcing = ("calendar", "announce", "2027-06-07", "--instead-of", "2027-06-06", "--yes")
    segin.json("calendar", "set", "GA", "--country", "DZ", "--yes")
    assert "2027-06-06" in segin.error(*announcing, code=2)
    made = segin.json(*announcing, "--office", "GA")
    assert {each["day"]: each["kind"] for each in made["days"]} == {"2027-06-06": "ordinary", "2027-06-07": "off"}


def test_an_office_has_rest_days_of_its_own(segin: CommandLine) -> None:
    segin.json("office", "add", "GA", "Gao")
    assert "--rest-day" in segin.error("calendar", "set", "GA", "--yes", code=2)
    segin.json("calendar", "set", "GA", "--rest-day", "friday", "--country", "DZ", "--yes")
    segin.json("calendar", "open", "2027-01-01", "--office", "GA", "--reason", "convoi", "--yes")
    shown = segin.json("calendar", "show", "--office", "GA", *NEXT_YEAR)
    assert (shown["rest_days"], shown["country"]) == (["friday"], "DZ")
    assert [each["day"] for each in shown["worked"]] == ["2027-01-01"]
    assert segin.json("calendar", "show", *NEXT_YEAR)["country"] == "ML"
    refused = segin.error("calendar", "set", "GA", "--country", "ML", "--role", "case_worker", "--yes", code=2)
    assert "coordinator" in refused


def test_a_deadline_is_waived_with_a_reason_and_counted(segin: CommandLine) -> None:
    code = _arrived(segin)[0]
    waiving = ("deadline", "waive", code, "plan_approved", "--note", "Personne fictive, malade.")
    refused = segin.json(*waiving, "--reason", "illness", code=1)
    assert [each["code"] for each in refused["reasons"]] == ["until_needed"]
    assert refused["outcome"] == "refused"
    too_long = segin.text(*waiving, "--reason", "illness", "--until", "2099-12-31", code=1)
    assert "au plus tard" in too_long
    until = too_long.split("au ")[1].split(" ")[0]
    day = "-".join(reversed(until.split("/")))
    done = segin.json(*waiving, "--reason", "illness", "--until", day)
    assert (done["outcome"], done["until"]) == ("moved", day)
    counted = segin.json("deadline", "waivers")
    assert counted["total"] == 1
    assert [(each["deadline"], each["reason"], each["extended"]) for each in counted["waivers"]] == [
        ("plan_approved", "illness", 1)
    ]
    assert segin.json("deadline", "waivers", "--since", "2099-01-01")["waivers"] == []
    waived = datetime.fromisoformat(segin.json("case", "show", code)["journal"][-1]["at"]).astimezone(MALI).date()
    assert segin.json("deadline", "waivers", "--until", waived)["total"] == 1
    assert segin.json("deadline", "waivers", "--until", waived - timedelta(days=1))["total"] == 0
    assert "Plan approuvé" in segin.text("deadline", "waivers")


def test_a_night_is_one_digest_that_can_be_read_and_names_nobody(segin: CommandLine) -> None:
    codes = _arrived(segin)
    night = segin.json("nightly")
    assert night["nights"][-1]["changes"]["digests_sent"] >= 1
    day = night["as_of"]
    digest = segin.json("digest", "--role", "case_worker", "--day", day)
    lines = [line for group in digest["groups"] for line in group["lines"]]
    assert {line["case"] for line in lines} == set(codes)
    assert len({(line["case"], line["key"]) for line in lines}) == len(lines), "one line for each deadline"
    assert digest["sent_at"] is not None
    read = segin.text("digest", "--role", "case_worker", "--day", day)
    assert not any(name in read.casefold() for name in segin.private)
    assert "En retard" in read
    assert "--as" in segin.error("digest", code=2)
    assert segin.json("nightly")["already_done"] is True
    assert segin.json("digest", "--role", "case_worker", "--day", day) == digest
