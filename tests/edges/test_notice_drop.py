"""The files in a partner's folder: both, whole, for their owner alone, in that folder and never over another file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from edges.test_notice_tables import line, read_book, read_csv

from integrations.notices import outcomes
from integrations.notices.drop import make_folder, put_down

DAY = date(2024, 3, 6)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    make_folder(made, "clinic")
    return made


def put(root: Path, partner: str = "clinic", first: int = 1, last: int = 2, **given: Any) -> str:
    lines = [line(position) for position in range(first, last + 1)]
    return put_down(root, partner, lines, **{"day": DAY, "first": first, "last": last, "language": "fr"} | given)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_both_files_are_there_for_their_owner_alone(root: Path) -> None:
    assert put(root) == outcomes.OK
    folder = root / "clinic"
    assert names(folder) == ["2024-03-06-1-2.csv", "2024-03-06-1-2.xlsx"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    table, book = (path.read_bytes() for path in sorted(folder.iterdir()))
    assert [row["position"] for row in read_csv(table)] == ["1", "2"]
    assert read_csv(table) == read_book(book)


def test_what_is_there_is_left_as_it_is_and_what_is_missing_is_added(root: Path) -> None:
    folder = root / "clinic"
    (folder / "2024-03-05-1-2.csv").write_text("handed over before")
    (folder / ".2024-03-06-1-2.xlsx.partial").write_text("half of one, of a run that was killed")
    assert put(root) == outcomes.OK
    assert names(folder) == ["2024-03-05-1-2.csv", "2024-03-06-1-2.xlsx"]
    assert (folder / "2024-03-05-1-2.csv").read_text() == "handed over before"
    assert put(root, first=1, last=22) == outcomes.OK
    assert names(folder)[1:3] == ["2024-03-06-1-2.xlsx", "2024-03-06-1-22.csv"]


def test_a_folder_that_is_not_there_is_not_made_again(root: Path) -> None:
    (root / "clinic").rmdir()
    assert put(root) == outcomes.FOLDER_MISSING
    root.rmdir()
    assert put(root) == outcomes.FOLDER_MISSING
    with pytest.raises(FileNotFoundError):
        make_folder(root, "clinic")
    assert not root.exists()


@pytest.mark.parametrize("partner", ["../other", "..", ".", "", "a/b", "/etc", "CLINIC", "clinic\n"])
def test_no_name_leads_out_of_the_folder(root: Path, partner: str) -> None:
    assert put(root, partner) == outcomes.FOLDER_MISSING
    with pytest.raises(OSError, match=r".*"):
        make_folder(root, partner)
    assert names(root.parent) == ["drop"]


def test_a_link_in_the_place_of_the_folder_leads_nowhere(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "other").symlink_to(elsewhere)
    assert put(root, "other") == outcomes.FOLDER_MISSING
    assert names(elsewhere) == []


def test_a_file_that_cannot_be_written_leaves_nothing_half(root: Path) -> None:
    folder = root / "clinic"
    (folder / "2024-03-06-1-2.xlsx").mkdir()
    (folder / ".2024-03-06-3-4.csv.partial").mkdir()
    assert put(root, first=3, last=4) == outcomes.WRITING_FAILED
    assert names(folder) == [".2024-03-06-3-4.csv.partial", "2024-03-06-1-2.xlsx"]
