"""Every problem is said in both languages with the same values, and each code that the checks use has its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from states import pathways
from states.pathways.name_sayings import NAMES
from states.pathways.problems import Saying, Severity
from states.pathways.sayings import KINDS, SHAPE, YAML
from states.pathways.walk_sayings import WALKS

FOLDER = Path(str(pathways.__file__)).parent
DOCS = FOLDER.parents[1] / "docs" / "pathway.md"
SAYINGS = {**YAML, **SHAPE, **NAMES, **WALKS}


def test_no_code_has_two_meanings() -> None:
    assert len(SAYINGS) == sum(map(len, (YAML, SHAPE, NAMES, WALKS)))


@pytest.mark.parametrize("code", SAYINGS)
def test_a_problem_is_said_in_both_languages_with_the_same_values(code: str) -> None:
    saying: Saying = SAYINGS[code]
    for text in (saying.what, saying.remedy):
        values = [set(re.findall(r"{(\w+)}", each)) for each in text]
        assert values[0] == values[1]
        assert all(each.strip().endswith((".", "?")) for each in text)
    assert saying.what.fr != saying.what.en
    assert not re.search(r"« (?!\S)|(?<!\S) »|[^ ][:;!?](?!\w|\S)", saying.what.fr.replace(" :", "").replace(" ?", ""))


def test_every_code_is_used_somewhere() -> None:
    written = "".join(
        path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py") if not path.name.endswith("sayings.py")
    ) + (FOLDER.parent / "guards" / "binding.py").read_text(encoding="utf-8")
    assert {code for code in SAYINGS if f'"{code}"' not in written} == set()


def test_the_kinds_of_names_begin_a_sentence_in_french() -> None:
    assert all(text.fr[0].isupper() and text.en.islower() for text in KINDS.values())


def test_what_the_checker_finds_beyond_loading_is_documented() -> None:
    described = DOCS.read_text(encoding="utf-8")
    meant = {code for code, saying in WALKS.items() if saying.severity is Severity.WARNING}
    meant |= {code for code in WALKS if code.endswith("_so")}
    meant |= {"guards_contradict", "guard_never_holds", "timer_always_refused", "never_entered", "never_closed"}
    assert {code for code in meant if f"`{code}`" not in described} == set()
