"""Pathways that lead nowhere or hold what nobody uses, and the files that pathways are read from."""

from __future__ import annotations

import os
import tracemalloc
from importlib.resources import files
from pathlib import Path

import pytest
from small_pathway import SMALL, spoiled

import states
from models.errors import WrongUse
from states.pathways import schema
from states.pathways.loader import PathwayError, bundled_pathway, load_pathway, read_pathway
from states.pathways.schema import Part

UNUSED = {
    "a task": ("- {task: write, when: {data: {week: 1}}}", "- greet", "belongs to 'waiting'"),
    "a task that is never opened": (
        "    tasks:\n      open:\n        - {task: write, when: {data: {week: 1}}}\n",
        "",
        "The task 'write' is never opened",
    ),
    "a deadline that is never set": ("      set: [answered]\n", "", "The deadline 'answered' is never set"),
    "a timer that is never set": ("      set: [absent]\n", "", "The timer 'absent' is never set"),
    "a trigger that does nothing": (
        "fields:\n",
        "  wave: {fr: Saluer, en: Wave}\nfields:\n",
        "The trigger 'wave' does nothing in any state",
    ),
    "a role without work": (
        "  chief: {fr",
        "  idle: {fr: oisif, en: idle}\n  chief: {fr",
        "The role 'idle' has nothing to do",
    ),
    "a state never entered": (
        "  paused:\n",
        "  lost:\n    title: {fr: Perdu, en: Lost}\n    shared: true\n  paused:\n",
        "No case can ever come into 'lost'",
    ),
    "a state without an end": (
        "    from: [waiting, helped]\n    to: ended",
        "    from: waiting\n    to: ended",
        "never be closed",
    ),
    "no final state": ("    kind: final\n", "", "No state is final"),
}


@pytest.mark.parametrize("name", UNUSED)
def test_what_leads_nowhere_or_is_not_used_is_found(name: str) -> None:
    before, after, expected = UNUSED[name]
    text, _ = spoiled(before, after)
    with pytest.raises(PathwayError) as caught:
        load_pathway(text, "small.yaml")
    assert any(expected in problem.what.en for problem in caught.value.problems), str(caught.value)


def test_comments_and_layout_do_not_make_another_content() -> None:
    laid_out = SMALL.replace("version: 1\n", "version: 1  # the first\n\n").replace(
        "[chief, system]", "\n      - chief\n      - system"
    )
    assert load_pathway(laid_out, "a").content_hash == load_pathway(SMALL, "b").content_hash
    changed = SMALL.replace("due: P60D", "due: P61D")
    assert load_pathway(changed, "a").content_hash != load_pathway(SMALL, "b").content_hash


def test_bundled_pathways_load_and_others_are_named() -> None:
    for entry in files("states.pathways").iterdir():
        if not entry.name.endswith(".yaml"):
            continue
        name = entry.name.removesuffix(".yaml")
        assert load_pathway(bundled_pathway(name), entry.name).name == name
    with pytest.raises(WrongUse, match="mali"):
        bundled_pathway("atlantis")
    with pytest.raises(WrongUse, match="mali"):
        bundled_pathway("../pathways/mali")


def test_a_pathway_is_read_from_a_file_or_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text("\ufeff" + SMALL, encoding="utf-8")
    assert read_pathway(str(path)) == SMALL
    assert read_pathway("mali") == bundled_pathway("mali")
    path.write_text(SMALL.replace("due: P3D", "due: soon"), encoding="utf-8")
    with pytest.raises(PathwayError, match=r"small\.yaml:\d+: .*'soon' is no span"):
        read_pathway(str(path))
    path.write_bytes(b"pathway: \xff\xfe")
    with pytest.raises(WrongUse, match="not UTF-8"):
        read_pathway(str(path))
    with pytest.raises(WrongUse, match="cannot be read"):
        read_pathway(str(tmp_path / "none.yml"))
    with pytest.raises(WrongUse, match="cannot be read"):
        read_pathway(str(tmp_path.with_suffix(".yaml")))


def test_a_file_of_ten_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as opened:  # a character of two bytes stands across the limit
        opened.write(b"a" + "é".encode() * 5_000_000)
    tracemalloc.start()
    with pytest.raises(PathwayError, match="more than 2,000,000 bytes"):
        read_pathway(str(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    with pytest.raises(WrongUse, match="cannot be read"):
        read_pathway(str(path))


def test_every_part_of_a_pathway_file_is_described() -> None:
    described = (Path(str(states.__file__)).parents[1] / "docs" / "pathway.md").read_text(encoding="utf-8")
    parts = [part for part in vars(schema).values() if isinstance(part, type) and issubclass(part, Part)]
    assert len(parts) > 20
    for part in parts:
        for name, field in part.model_fields.items():
            assert f"`{field.alias or name}`" in described, (part.__name__, name)
