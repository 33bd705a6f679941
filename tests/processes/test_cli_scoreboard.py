"""`segin partner scoreboard` as a process: counts and hours for each partner, and nobody named."""

from __future__ import annotations

from datetime import date, timedelta

from command_line import CommandLine

URL = "https://partner.example.org/events"


def test_the_scoreboard_counts_what_partners_were_asked_and_owed(segin: CommandLine) -> None:
    for code in ("clinique", "atelier"):
        segin.json("partner", "add", code, f"{code} (fictif)", "--url", URL)
    case = segin.json("case", "list", "--limit", 1)["cases"][0]["code"]
    for role in ("case_worker", "coordinator"):
        segin.json("staff", "add", f"fictif-{role}".replace("_", "-"), "Exemple", "--role", role)
    acting = ("--as", "fictif-case-worker")
    segin.json(
        *("consent", "record", case, "sharing", "--any-partner", *acting),
        *("--information", "name", "--information", "phone"),
    )
    made = ("referral", "make", case, "clinique", "--service", "health", "--information", "name", *acting)
    first, second, _ = (segin.json(*made)["referral"] for _ in range(3))
    segin.json("referral", "answer", first, "accepted", *acting)
    segin.json("referral", "answer", second, "rejected", "--reason", "no_capacity", *acting)

    seen = segin.json("partner", "scoreboard")
    assert (seen["from"], seen["to"]) == (None, None)
    assert [score["partner"] for score in seen["partners"]] == ["atelier", "clinique"]
    idle, busy = seen["partners"]
    its = busy["referrals"]
    assert (its["made"], its["open"], its["accepted"], its["rejected"], its["reasons"]) == (
        *(3, 1, 1, 1),
        {"no_capacity": 1},
    )
    assert its["answer_hours"]["number"] == 2
    assert its["service_hours"] == {"number": 0, "median": None, "p90": None}
    assert idle["referrals"]["made"] == 0
    assert busy["silent_since"] is not None
    assert idle["silent_since"] is None
    assert case not in str(seen)

    (alone,) = segin.json("partner", "scoreboard", "--partner", "clinique")["partners"]
    assert alone == busy
    tomorrow = date.today() + timedelta(days=2)  # noqa: DTZ011
    later = segin.json("partner", "scoreboard", "--from", tomorrow, "--to", tomorrow)
    assert (later["from"] < later["to"], later["partners"][1]["referrals"]["made"]) == (True, 0)


def test_the_table_is_french_first_and_wrong_days_are_wrong_use(segin: CommandLine) -> None:
    segin.json("partner", "add", "clinique", "Clinique (fictive)", "--url", URL)
    french = segin.text("partner", "scoreboard")
    assert "Orientations" in french
    assert "nuits et jours chômés compris" in french
    assert "clinique" in french
    assert "nights and days off included" in segin.text("partner", "scoreboard", language="en")
    assert segin.error("partner", "scoreboard", "--from", "2024-02-01", "--to", "2024-01-01", code=2)
    assert segin.error("partner", "scoreboard", "--partner", "personne", code=2)
