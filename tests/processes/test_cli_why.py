"""`segin why` and `segin pathway replay` as processes, over the caseload that the manifests made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from command_line import CommandLine

from deployments.demo.proposal import proposal as renamed
from states.pathways.loader import bundled_pathway

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


def some_case(segin: CommandLine) -> str:
    return str(segin.json("case", "list", "--limit", 1)["cases"][0]["code"])


def proposal(folder: Path, *changes: tuple[str, str]) -> Path:
    """The bundled pathway with changes, as a version that nobody has published."""
    text = bundled_pathway("mali")
    start = text.index("\nversion: ") + 1
    text = text[:start] + "version: 77" + text[text.index("\n", start) :]
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file = folder / "proposal.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_case_on_hold_says_so_in_both_languages(segin: CommandLine) -> None:
    code = some_case(segin)
    before = segin.json("why", code)["case"]
    assert (before["code"], before["stuck"], before["state"]) == (code, False, "registered")
    segin.json("case", "move", code, "hold", "--reason", "medical")
    case = segin.json("why", code)["case"]
    assert (case["kind"], case["stuck"], case["trigger"]) == ("hold", True, "resume")
    assert case["sentence"]["fr"].startswith("Le dossier est en suspens depuis 0 heure (raison médicale)")
    assert segin.text("why", code).strip() == case["sentence"]["fr"]
    assert segin.text("why", code, language="en").strip() == case["sentence"]["en"]


def test_the_causes_of_the_caseload_are_ranked(segin: CommandLine) -> None:
    code = some_case(segin)
    segin.json("case", "move", code, "hold", "--reason", "medical")
    answer = segin.json("why", "--all")
    assert answer["case"] is None
    ranking = answer["ranking"]
    assert ranking["cases"] == len(segin.json("case", "list", "--limit", 10_000)["cases"])
    assert ranking["stuck"] == 1
    (cause,) = ranking["causes"]
    assert (cause["kind"], cause["about"], cause["cases"], cause["examples"]) == ("hold", "medical", 1, [code])
    assert cause["label"] == {"fr": "En suspens : raison médicale", "en": "On hold: medical"}
    assert "En suspens : raison médicale" in segin.text("why", "--all")
    assert "On hold: medical" in segin.text("why", "--all", language="en")
    assert segin.json("why", "--all", "--state", "registered")["ranking"]["stuck"] == 0


def test_one_case_or_all_of_them(segin: CommandLine) -> None:
    for arguments in ((), (some_case(segin), "--all"), (some_case(segin), "--state", "registered")):
        assert "--all" in segin.error("why", *arguments, code=2)
    assert "no case" in segin.error("why", "NONE", code=2)
    assert "no office" in segin.error("why", "--all", "--office", "nowhere", code=2)


def test_the_same_policy_changes_nothing(segin: CommandLine, tmp_path: Path) -> None:
    code = some_case(segin)
    segin.json("case", "move", code, "confirm_arrival", "--role", "intake_officer")
    report = segin.json("pathway", "replay", proposal(tmp_path), "--from", YESTERDAY, "--to", TODAY)
    assert report["pathway"] == "mali@77"
    assert report["replayed"] == len(segin.json("case", "list", "--limit", 10_000)["cases"])
    assert (report["refused"]["moves"], report["differ"], report["cases"]) == (0, 0, [])
    assert all(line["more"] == 0 for line in report["tasks"])
    journal = segin.json("journal", "verify")
    assert (journal["broken"], report["moves"]) == (0, journal["transitions"] - journal["cases"])


def test_a_policy_that_refuses_says_which_cases_and_why(segin: CommandLine, tmp_path: Path) -> None:
    code = some_case(segin)
    segin.json("case", "move", code, "confirm_arrival", "--role", "intake_officer")
    strict = ("    to: arrived\n    roles: [intake_officer, case_worker, coordinator]\n",) * 2
    strict = (strict[0], "    to: arrived\n    roles: [case_worker, coordinator]\n")
    file = proposal(tmp_path, strict)
    report = segin.json("pathway", "replay", file, "--from", YESTERDAY, "--to", TODAY)
    assert report["refused"] == {"cases": 1, "moves": 1, "only_follow": 0, "possible_later": 0, "not_told": 0}
    (line,) = report["refusals"]
    assert (line["trigger"], line["code"], line["moves"]) == ("confirm_arrival", "role_not_allowed", 1)
    (case,) = report["cases"]
    assert (case["code"], case["state_old"], case["state_new"]) == (code, "arrived", "registered")
    french = segin.text("pathway", "replay", file, "--from", YESTERDAY, "--to", TODAY)
    assert "Refus : 1 actions de 1 dossiers" in french
    assert code in french
    english = segin.text("pathway", "replay", file, "--from", YESTERDAY, "--to", TODAY, language="en")
    assert "What it costs in tasks" in english
    assert segin.json("case", "show", code)["state"] == "arrived"


def test_days_and_names_that_make_no_sense_are_wrong_use(segin: CommandLine, tmp_path: Path) -> None:
    file = proposal(tmp_path)
    assert "past" in segin.error("pathway", "replay", file, "--from", TODAY, "--to", YESTERDAY, code=2)
    later = TODAY + timedelta(days=3)
    assert "past" in segin.error("pathway", "replay", file, "--from", TODAY, "--to", later, code=2)
    days = ("--from", YESTERDAY, "--to", TODAY)
    assert "nowhere" in segin.error("pathway", "replay", file, *days, "--map", "planning=nowhere", code=2)
    assert segin.error("pathway", "replay", tmp_path / "none.yaml", *days, code=2)


def test_names_of_a_published_proposal_are_mapped_from_the_version_before(segin: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "renamed.yaml"
    file.write_text(renamed(), encoding="utf-8")
    asked = ("pathway", "replay", file, "--from", YESTERDAY, "--to", TODAY, "--map", "planning=care_plan")
    before = segin.json(*asked)
    segin.json("pathway", "publish", file)
    assert segin.json(*asked)["replayed"] == before["replayed"] > 20
    assert segin.json(*asked, pathway=file)["replayed"] == before["replayed"]
