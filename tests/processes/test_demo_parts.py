"""The parts of the demonstration by themselves: chance, diaries, its folder, its partners, the summary in words."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from rich.console import Console
from standardwebhooks.webhooks import Webhook

from deployments.demo.diary import Diary, Todo
from deployments.demo.folder import MARK, demo_environment, fresh_folder
from deployments.demo.luck import Luck
from deployments.demo.partner import Behaviour, PartnerProcess, Received
from deployments.demo.run import DemoOptions, run_demo
from deployments.demo.season import ACTS, PARTS_OF_THE_DAY
from deployments.demo.story import read_cast, read_story
from deployments.demo.view import show_summary
from models import LockedByAnotherRun, SeginError, WrongUse
from models.settings import Settings, load_settings
from states.moves import Actor
from states.pathways.loader import bundled_pathway, load_pathway

SECRET = "whsec_" + base64.b64encode(b"a secret of the demonstration").decode()


def test_luck_depends_on_the_seed_and_the_question_only() -> None:
    luck = Luck(1)
    assert luck.draw("x", 1) == Luck(1).draw("x", 1) != luck.draw("x", 2)
    assert Luck(2).draw("x", 1) != luck.draw("x", 1)
    days = [luck.between((2, 5), "days", case) for case in range(400)]
    assert set(days) == {2, 3, 4, 5}
    assert days.count(2) > days.count(5)
    shares = {"a": 0.3, "b": 0.2}
    picked = [luck.pick_by_share(shares, "pick", case) for case in range(2_000)]
    assert [round(picked.count(name) / 2_000, 1) for name in ("a", "b", None)] == [0.3, 0.2, 0.5]


def test_a_diary_gives_each_person_what_a_day_has_room_for_the_pressing_first() -> None:
    diary, worker, other = Diary(), Actor("case_worker", 1), Actor("case_worker", 2)
    monday, tuesday = date(2024, 1, 8), date(2024, 1, 9)
    for case_id in (1, 2, 3):
        diary.note(monday, Todo("draft_plan", case_id, worker))
    diary.note(monday, Todo("draft_plan", 4, worker, pressing=True))
    diary.note(tuesday, Todo("draft_plan", 5, worker))
    diary.note(monday, Todo("draft_plan", 6, other))
    capacity = {"case_worker": 2}
    assert [todo.case_id for todo in diary.take(monday, capacity)] == [4, 1, 6]
    assert [todo.case_id for todo in diary.take(tuesday, capacity)] == [2, 3]
    assert [todo.case_id for todo in diary.take(date(2024, 1, 10), capacity)] == [5]
    assert diary.take(date(2024, 1, 11), capacity) == []


def test_somebody_does_every_task_of_the_pathway_and_every_role_has_people() -> None:
    pathway, story, cast = load_pathway(bundled_pathway("mali"), "mali"), read_story(), read_cast()
    done = {key for key, _ in ACTS}
    # Nobody is in follow-up for twelve months yet, so there is no closure to decide on.
    assert set(pathway.tasks) - done == {"close_case"}
    diary = {"resume", "reopen", "next_session", "go_on", "hold", "close", "answer_referral", "resolve_vulnerability"}
    assert done - set(pathway.tasks) == diary
    assert set(pathway.tasks) <= set(story.days)
    assert [place for part in PARTS_OF_THE_DAY for place in part] == list(range(len(ACTS)))
    roles = set(pathway.roles) - {"system", "partner"}
    assert set(story.acts_a_day) == roles
    for office in cast.offices:
        assert roles <= set(office.staff) | set(cast.everywhere)
    regions = sorted(region for office in cast.offices for region in office.regions)
    assert regions == [f"ML{number:02}" for number in range(1, 11)]


def test_the_folder_is_emptied_only_when_a_demonstration_made_it(tmp_path: Path) -> None:
    with fresh_folder(tmp_path) as folder:
        (folder / "segin.db").write_text("old")
        (folder / "prefect").mkdir()
        (folder / "prefect" / "prefect.db").write_text("old")
        with pytest.raises(LockedByAnotherRun), fresh_folder(tmp_path):
            pass
        assert (folder / "segin.db").exists()
    with fresh_folder(tmp_path) as folder:
        assert [path.name for path in folder.iterdir()] == [MARK]

    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "demo").mkdir(parents=True)
    (elsewhere / "demo" / "segin.db").write_text("real")
    with pytest.raises(SeginError, match="was not made by the demonstration"), fresh_folder(elsewhere):
        pass
    assert (elsewhere / "demo" / "segin.db").read_text() == "real"


def test_real_settings_do_not_reach_the_demonstration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGIN_DATABASE_URL", "postgresql://real@host/cases")
    monkeypatch.setenv("SEGIN_LANGUAGE", "en")
    before = dict(os.environ)
    with demo_environment(tmp_path):
        settings = load_settings()
        assert settings.database_url == f"sqlite:///{tmp_path}/segin.db"
        assert settings.backup_dir == tmp_path / "backups"
        assert settings.language == "en"
    assert dict(os.environ) == before


@pytest.mark.parametrize("until", [date(2023, 12, 31), date(2024, 8, 1)])
def test_a_day_outside_the_season_is_refused_before_anything_is_made(tmp_path: Path, until: date) -> None:
    with pytest.raises(WrongUse, match="from 2024-01-01 to 2024-07-31"):
        run_demo(Settings(data_dir=tmp_path), DemoOptions(until=until), Console(file=io.StringIO()))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def partner() -> Iterator[PartnerProcess]:
    with PartnerProcess(SECRET) as process:
        yield process


def test_a_partner_verifies_counts_and_behaves_as_told(partner: PartnerProcess) -> None:
    async def send(*events: tuple[str, int, str]) -> list[int]:
        async with aiohttp.ClientSession() as client:
            return [await _post(client, partner.url, *event) for event in events]

    assert asyncio.run(send(("e2", 2, SECRET), ("e2", 2, SECRET), ("e1", 1, SECRET))) == [204, 204, 204]
    other = "whsec_" + base64.b64encode(b"somebody else's secret").decode()
    assert asyncio.run(send(("e3", 3, other))) == [400]
    partner.behave(Behaviour.FAILING)
    assert asyncio.run(send(("e4", 4, SECRET))) == [503]
    partner.behave(Behaviour.SLOW)
    assert asyncio.run(send(("e4", 4, SECRET))) == [204]
    assert partner.received() == Received(requests=6, events=3, again=1, turned_away=1, not_verified=1, out_of_order=1)


async def _post(client: aiohttp.ClientSession, url: str, uid: str, sequence: int, secret: str) -> int:
    body = json.dumps({"id": uid, "sequence": f"{sequence:010}", "data": {"case": "A"}})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": uid,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(uid, now, body),
    }
    async with client.post(url, data=body, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "fr",
            [
                "1 234 personnes de retour, par étape",
                "2 × La naissance est après l'arrivée.",
                "7K3M-Q9TX-4VBD-H  Évaluation initiale depuis le 2024-01-05",
                "Le dossier attend.",
                "segin why 7K3M-Q9TX-4VBD-H",
                "les comptes ne s'accordent pas : cases",
                "segin deliveries list --status dead",
            ],
        ),
        (
            "en",
            [
                "1,234 returnees, by state",
                "2 × The birth is after the arrival.",
                "7K3M-Q9TX-4VBD-H  Screening since 2024-01-05",
                "The case waits.",
                "segin why --all",
                "the counts do not agree: cases",
                "segin deliveries list --status dead",
            ],
        ),
    ],
)
def test_the_summary_reads_in_both_languages(language: str, lines: list[str], summary: dict[str, Any]) -> None:
    console = Console(file=io.StringIO(), width=120)
    show_summary(summary, console, language)
    text = console.file.getvalue().replace("\u202f", " ")  # type: ignore[attr-defined]
    for line in lines:
        assert line in text


@pytest.fixture
def summary() -> dict[str, Any]:
    return {
        "folder": "/somewhere/demo",
        "wall_seconds": 12.3,
        "returnees": {
            "total": 1234,
            "by_state": {"arrived": 1234},
            "by_month_and_country": {"2024-01": {"NER": 1200, "XXX": 34}},
            "closed_because": {"withdrew": 3},
        },
        "manifests": {
            "files": 1,
            "rows": 1240,
            "registered": 1234,
            "already_known": 3,
            "waiting": 1,
            "rejected": 2,
            "reasons": {"born_after_arrival": 2},
        },
        "duplicates_waiting": 1,
        "deadlines": {"kept": 1, "late": 2, "overdue": 3, "escalated": 4, "held": 5},
        "nights": {"done": 31, "first": "2024-01-01", "last": "2024-01-31"},
        "events": {
            "announced": 9,
            "deliveries": {"ateliers": {"delivered": 5, "pending": 3, "sending": 0, "dead": 1, "withheld": 2}},
        },
        "partners": {"ateliers": {"events": 5, "turned_away": 2, "not_verified": 0, "out_of_order": 0}},
        "flow_runs": {"nightly": {"Completed": 5}},
        "stuck": [
            {
                "case": "7K3M-Q9TX-4VBD-H",
                "state": "screening",
                "state_title": {"fr": "Évaluation initiale", "en": "Screening"},
                "in_state_since": datetime(2024, 1, 5, tzinfo=UTC),
                "cause": "guard",
                "sentence": {"fr": "Le dossier attend.", "en": "The case waits."},
            }
        ],
        "journal": {"transitions": 2000, "broken": 0},
        "reconciled": {"rows": True, "cases": False},
    }
