"""Instruments that a programme supplies: what their files may say, how they score, and how faults are told.

Every instrument in here is invented; in particular the weights under `rss` are not IOM's and mean nothing.
"""

from __future__ import annotations

import copy
import json
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import WrongUse
from states.instruments import ACT_AT_ONCE, AnswersError, bundled_catalogue, load_catalogue, score
from states.instruments.catalogue import read_catalogue, read_definition
from states.instruments.definition import Summed, Weighted
from states.pathways.problems import FileProblems

TITLE = {"fr": "Inventé", "en": "Invented"}
BANDS = [{"code": "low", "title": TITLE, "from": 0}, {"code": "high", "title": TITLE, "from": 1}]


def bands(*starts: int) -> list[dict[str, Any]]:
    return [{"code": f"b{place}", "title": TITLE, "from": start} for place, start in enumerate(starts)]


SUM: dict[str, Any] = {
    "instrument": "invented",
    "version": 1,
    "kind": "sum",
    "title": TITLE,
    "roles": ["psychosocial_worker"],
    "items": 3,
    "answers": {"lowest": 0, "highest": 4},
    "higher": "worse",
    "bands": bands(0, 5),
    "source": "invented for the tests",
    "licence": "none",
}
WEIGHTED: dict[str, Any] = {
    "instrument": "rss",
    "version": 1,
    "kind": "weighted",
    "title": TITLE,
    "roles": ["case_worker"],
    "higher": "better",
    "dimensions": {"economic": {"title": TITLE, "bands": bands(0, 500)}, "social": {"title": TITLE, "bands": bands(0)}},
    "indicators": {
        "income": {
            "dimension": "economic",
            "points": {1: 0, 2: "0.5", 3: 1},
            "weight": "0.25",
            "composite_weight": "0.1",
        },
        "debt": {"dimension": "economic", "points": {1: 1, 2: 0}, "weight": "0.75", "composite_weight": "0.3"},
        "water": {"dimension": "social", "points": {0: 0, 1: 1}, "weight": 1, "composite_weight": "0.6"},
    },
    "bands": bands(0, 330, 660),
    "change": {"of": "score", "significant": 100},
    "act_at_once": [{"bands": ["b0"]}],
    "source": "weights invented for the tests: NOT those of the survey",
    "licence": "none",
}


def text(given_: dict[str, Any], **changes: Any) -> str:
    """As a file; JSON is YAML too, and has one part on each line."""
    return json.dumps(given_ | changes, ensure_ascii=False, indent=1)


def summed(**changes: Any) -> Summed:
    definition, _ = read_definition(text(SUM, **changes), "invented.yaml")
    assert isinstance(definition, Summed)
    return definition


def test_items_may_have_ranges_of_their_own_and_count_from_the_other_end() -> None:
    definition = summed(ranges={2: {"lowest": 1, "highest": 10}}, reverse=[2, 3], bands=bands(1, 9))
    assert (definition.lowest, definition.highest) == (1, 18)
    assert score(definition, [0, 10, 4])[:2] == (1, "b0")
    assert score(definition, [4, 1, 0])[:2] == (18, "b1")
    assert score(definition, [2, 4, 3])[:2] == (2 + 7 + 1, "b1")
    with pytest.raises(AnswersError, match="item 2 of invented is no whole number from 1 to 10"):
        score(definition, [0, 0, 0])


@given(st.data())
def test_reversed_items_fall_where_others_rise_and_reversing_twice_changes_nothing(data: st.DataObject) -> None:
    reverse = data.draw(st.sets(st.integers(1, 3)))
    definition = summed(reverse=sorted(reverse))
    answers = data.draw(st.lists(st.integers(0, 4), min_size=3, max_size=3))
    mirrored = [4 - answer if item in reverse else answer for item, answer in enumerate(answers, start=1)]
    assert score(definition, answers).score == sum(mirrored) == score(summed(), mirrored).score
    opposite = summed(reverse=sorted({1, 2, 3} - reverse))
    assert score(definition, answers).score + score(opposite, answers).score == definition.highest
    item = data.draw(st.integers(0, 2))
    more = [*answers[:item], data.draw(st.integers(answers[item], 4)), *answers[item + 1 :]]
    change = score(definition, more).score - score(definition, answers).score
    assert change <= 0 if item + 1 in reverse else change >= 0


@given(st.lists(st.integers(1, 12), max_size=6, unique=True), st.integers(0, 12))
def test_bands_that_rise_give_every_total_exactly_one(starts: list[int], total: int) -> None:
    definition = summed(bands=bands(0, *sorted(starts)))
    answers = [min(4, total), min(4, max(0, total - 4)), max(0, total - 8)]
    place = sum(1 for start in starts if start <= total)
    assert score(definition, answers)[:2] == (total, f"b{place}")


def test_rules_to_act_at_once_look_at_what_was_said_and_at_the_band() -> None:
    definition = summed(reverse=[3], act_at_once=[{"items": [2, 3], "from": 7}, {"bands": ["b1"]}])
    assert score(definition, [0, 3, 3]).flags == ()
    assert score(definition, [0, 3, 4]).flags == (ACT_AT_ONCE,)
    assert score(definition, [4, 1, 4]).flags == (ACT_AT_ONCE,)
    assert score(definition, [4, 0, 4]).flags == ()


def test_the_survey_is_scored_once_its_weights_are_there(tmp_path: Path) -> None:
    (tmp_path / "rss.yaml").write_text(text(WEIGHTED), encoding="utf-8")
    catalogue = load_catalogue(tmp_path)
    definition = catalogue.find("rss")
    assert isinstance(definition, Weighted)
    result = score(definition, [2, 1, 0])
    assert {key: tuple(part) for key, part in result.subscales.items()} == {
        "economic": (875, "b1"),
        "social": (0, "b0"),
    }
    assert (result.score, result.band, result.percent) == (350, "b1", None)
    assert score(definition, [3, 1, 1])[:3] == (1000, "b2", ())
    assert score(definition, [1, 2, 0])[:3] == (0, "b0", (ACT_AT_ONCE,))
    with pytest.raises(AnswersError, match="item 3 of rss"):
        score(definition, [1, 1, 2])
    assert bundled_catalogue().find("rss").kind == "awaited"


@given(st.data())
def test_a_weighted_score_is_the_weighted_mean_of_the_points(data: st.DataObject) -> None:
    share = st.decimals(0, 1, places=3)
    weight = st.decimals("0.001", 1, places=3)
    points = data.draw(st.lists(st.tuples(share, share), min_size=1, max_size=5))
    weights = data.draw(st.lists(weight, min_size=len(points), max_size=len(points)))
    indicators = {
        f"i{place}": {
            "dimension": "economic",
            "points": {1: str(first), 2: str(second)},
            "weight": str(each),
            "composite_weight": str(each),
        }
        for place, ((first, second), each) in enumerate(zip(points, weights, strict=True))
    }
    one = {"economic": WEIGHTED["dimensions"]["economic"]}
    definition, _ = read_definition(text(WEIGHTED, indicators=indicators, dimensions=one), "rss.yaml")
    answers = data.draw(st.lists(st.integers(1, 2), min_size=len(points), max_size=len(points)))
    result = score(definition, answers)
    weighed = [(Fraction(p[a - 1]), Fraction(w)) for p, a, w in zip(points, answers, weights, strict=True)]
    exact = 1000 * sum((p * w for p, w in weighed), Fraction()) / sum((w for _, w in weighed), Fraction())
    assert abs(exact - result.score) <= Fraction(1, 2)
    assert result.subscales["economic"].score == result.score
    assert result.score in range(1001)


def test_versions_stand_side_by_side_and_the_newest_scores_from_now_on() -> None:
    second = text(SUM, instrument="phq9", version=2, items=9, bands=bands(0, 12))
    catalogue = read_catalogue({"ours.yaml": second})
    assert catalogue.find("phq9").version == 2
    assert score(catalogue.find("phq9"), [1] * 9).band == "b0"
    assert score(catalogue.find("phq9", 1), [1] * 9).band == "mild"
    assert catalogue.find("k6") == bundled_catalogue().find("k6")
    assert len(list(catalogue)) == len(list(bundled_catalogue())) + 1


def test_a_definition_is_known_by_what_it_says_and_not_by_its_layout() -> None:
    plain, _ = read_definition(text(SUM), "a.yaml")
    commented, _ = read_definition("# A comment.\n" + text(dict(reversed(SUM.items()))), "b.yaml")
    changed, _ = read_definition(text(SUM, bands=bands(0, 6)), "c.yaml")
    assert plain.fingerprint == commented.fingerprint != changed.fingerprint


def test_a_version_that_scored_already_cannot_be_said_anew() -> None:
    with pytest.raises(FileProblems) as refused:
        read_catalogue({"ours.yaml": text(SUM, instrument="phq9"), "a.yaml": text(SUM), "b.yaml": text(SUM)})
    assert [(each.file, each.line) for each in refused.value.problems] == [("ours.yaml", 3), ("b.yaml", 3)]
    assert "Version 1 of 'phq9' is there already (phq9.yaml)" in refused.value.message_en
    assert "existe déjà (a.yaml)" in refused.value.message_fr
    assert "plus grand" in str(refused.value.remedy_fr)


@pytest.mark.parametrize(
    ("change", "line", "english", "french"),
    [
        ({"kind": "magic"}, 4, "'kind' must say how", "« kind » doit dire"),
        ({"bands": bands(1)}, 18, "bands does not cover the scale, 0 to 12", "ne couvre pas l'échelle, de 0 à 12"),
        ({"bands": bands(0, 0)}, 18, "does not cover", "ne couvre pas"),
        ({"bands": bands(0, 13)}, 18, "does not cover", "ne couvre pas"),
        ({"bands": [*BANDS, {**BANDS[1], "from": 2}]}, 18, "two bands have one code", "le même code"),
        ({"reverse": [4]}, 38, "only items 1 to 3", "que les items 1 à 3"),
        ({"reverse": [1, 1]}, 38, "named twice", "nommé deux fois"),
        ({"act_at_once": [{"items": [1]}]}, 39, "'items' with 'from'", "« items » avec « from »"),
        ({"act_at_once": [{"bands": ["none"]}]}, 40, "'none' is none of b0, b1", "ne figure pas parmi b0, b1"),
        ({"answers": {"lowest": 4, "highest": 4}}, 13, "'highest' must be above", "« highest » doit dépasser"),
        ({"change": {"of": "percent", "significant": 10}}, 38, "needs 'percent_factor'", "« percent_factor »"),
        ({"questions": ["..."]}, 38, "'questions' is not known here", "« questions » n'est pas connu"),
        ({"title": {"fr": "x"}}, 5, "'en' is missing", "« en » manque"),
        ({"source": " "}, 36, "cannot stand here", "ne peut pas figurer ici"),
    ],
)
def test_faults_are_told_with_their_line_in_both_languages(
    change: dict[str, Any], line: int, english: str, french: str
) -> None:
    with pytest.raises(FileProblems) as refused:
        read_definition(text(SUM, **change), "ours.yaml")
    problem = refused.value.problems[0]
    assert english in problem.what.en
    assert french in problem.what.fr
    assert problem.remedy.fr
    assert problem.remedy.en
    assert "pathway.md" not in problem.remedy.fr + problem.remedy.en
    assert (problem.file, problem.line) == ("ours.yaml", line)


@pytest.mark.parametrize(
    ("path", "value", "english"),
    [
        (("indicators", "debt", "weight"), 0, "a weight above 0 is needed"),
        (("indicators", "debt", "weight"), "much", "valid decimal"),
        (("indicators", "debt", "weight"), True, "a number is needed"),
        (("indicators", "debt", "points"), {1: "1.5", 2: 0}, "a number from 0 to 1"),
        (("indicators", "debt", "points"), {1: 1}, "at least 2"),
        (("indicators", "debt", "dimension"), "moral", "'moral' is none of economic, social"),
        (("dimensions", "empty"), {"title": TITLE, "bands": bands(0)}, "No indicator is in the dimension 'empty'"),
        (("dimensions", "social", "bands"), bands(0, 1001), "does not cover the scale, 0 to 1000"),
        (("act_at_once",), [{"items": [4], "from": 1}], "only items 1 to 3"),
    ],
)
def test_faults_of_weighted_instruments_are_told(path: tuple[str, ...], value: Any, english: str) -> None:
    document = copy.deepcopy(WEIGHTED)
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(FileProblems) as refused:
        read_definition(text(document), "rss.yaml")
    assert english in refused.value.problems[0].what.en


def test_a_file_that_is_no_definition_is_refused_and_never_breaks(tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text("a: &a [x]\nb: *a\n", encoding="utf-8")
    (tmp_path / "bytes.yaml").write_bytes(b"kind: \xff\xfe\n")
    (tmp_path / "notes.txt").write_text("ignored", encoding="utf-8")
    with pytest.raises(FileProblems) as refused:
        load_catalogue(tmp_path)
    assert {problem.file for problem in refused.value.problems} == {"bomb.yaml", "bytes.yaml"}
    (tmp_path / "large.yaml").write_bytes(b"a" * 2_000_001)
    with pytest.raises(FileProblems, match="more than 2,000,000 bytes"):
        load_catalogue(tmp_path)
    with pytest.raises(WrongUse, match="no folder 'nowhere'"):
        load_catalogue(tmp_path / "nowhere")
    assert load_catalogue(None) is bundled_catalogue()


def test_a_folder_named_like_a_file_and_what_cannot_be_read_are_told(tmp_path: Path) -> None:
    for place, entry in enumerate(("folder.yaml", "gone.yaml", "pipe.yaml")):
        folder = tmp_path / str(place)
        folder.mkdir()
        if entry == "folder.yaml":
            (folder / entry).mkdir()
        elif entry == "gone.yaml":
            (folder / entry).symlink_to(tmp_path / "nowhere")
        else:
            os.mkfifo(folder / entry)
        with pytest.raises(WrongUse, match=f"{entry} cannot be read") as refused:
            load_catalogue(folder)
        assert f"{entry} est illisible" in refused.value.message_fr
        assert refused.value.remedy
        assert refused.value.remedy_fr


def test_weights_are_read_exactly() -> None:
    definition, _ = read_definition(text(WEIGHTED), "rss.yaml")
    assert isinstance(definition, Weighted)
    assert definition.indicators["income"].composite_weight == Decimal("0.1")
