"""Instruments score exactly as their publishers say: every cut-off, every flag, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.instruments import (
    ACT_AT_ONCE,
    AnswersError,
    NotScorable,
    Score,
    UnknownInstrument,
    bundled_catalogue,
    score,
)
from states.instruments.definition import Scored, Summed

# instrument, number of items, least and greatest answer, and (least total, greatest total, band) of each band.
SCALES = {
    "k6": (6, 0, 4, [(0, 4, "low"), (5, 12, "moderate"), (13, 24, "severe")]),
    "k10": (10, 1, 5, [(10, 15, "low"), (16, 21, "moderate"), (22, 29, "high"), (30, 50, "very_high")]),
    "phq4": (4, 0, 3, [(0, 2, "none"), (3, 5, "mild"), (6, 8, "moderate"), (9, 12, "severe")]),
    "phq9": (
        *(9, 0, 3),
        [(0, 4, "minimal"), (5, 9, "mild"), (10, 14, "moderate"), (15, 19, "moderately_severe"), (20, 27, "severe")],
    ),
    "who5": (5, 0, 5, [(0, 12, "poor"), (13, 25, "adequate")]),
    "rhs13": (13, 0, 4, [(0, 10, "negative"), (11, 52, "positive")]),
}
TOTALS = [
    pytest.param(name, total, band, id=f"{name}-{total}")
    for name, (_, _, _, bands) in SCALES.items()
    for least, greatest, band in bands
    for total in range(least, greatest + 1)
]
CATALOGUE = bundled_catalogue()


def scored(instrument: str, answers: Sequence[Any]) -> Score:
    return score(CATALOGUE.find(instrument), answers)


def answers_with_total(instrument: str, total: int) -> list[int]:
    """Answers that add up to the total, the early items as high as they go."""
    items, lowest, highest, _ = SCALES[instrument]
    answers = [lowest] * items
    for item in range(items):
        answers[item] += min(highest - lowest, total - sum(answers))
    return answers


def test_the_table_above_covers_every_instrument_and_every_total() -> None:
    assert {*SCALES, "rss"} == set(CATALOGUE.newest)
    for name, (items, _, _, bands) in SCALES.items():
        instrument = CATALOGUE.find(name)
        assert isinstance(instrument, Summed)
        assert instrument.items == items
        totals = [total for least, greatest, _ in bands for total in range(least, greatest + 1)]
        assert totals == list(range(instrument.lowest, instrument.highest + 1))


@pytest.mark.parametrize(("instrument", "total", "band"), TOTALS)
def test_every_total_falls_into_its_band(instrument: str, total: int, band: str) -> None:
    result = scored(instrument, answers_with_total(instrument, total))
    assert (result.score, result.band) == (total, band)


def test_who5_reports_a_percentage_and_the_others_none() -> None:
    assert scored("who5", [5, 5, 2, 0, 0]).percent == 48
    assert scored("who5", [5, 5, 3, 0, 0]).percent == 52
    assert {name for name in SCALES if scored(name, answers_with_total(name, 20 if name == "k10" else 5)).percent} == {
        "who5"
    }


def test_only_who5_says_which_change_is_significant() -> None:
    rules = {name: each.change for name, each in CATALOGUE.newest.items() if isinstance(each, Scored) and each.change}
    assert {name: (rule.of, rule.significant) for name, rule in rules.items()} == {"who5": ("percent", 10)}
    better = {name for name, each in CATALOGUE.newest.items() if isinstance(each, Scored) and each.higher == "better"}
    assert better == {"who5"}


@pytest.mark.parametrize(
    ("answers", "flags"),
    [
        ([1, 1, 1, 1], ()),
        ([3, 0, 0, 2], ("anxiety",)),
        ([1, 2, 1, 1], ("anxiety",)),
        ([0, 2, 2, 1], ("depression",)),
        ([2, 1, 0, 3], ("anxiety", "depression")),
    ],
)
def test_phq4_subscales_are_positive_from_three(answers: list[int], flags: tuple[str, ...]) -> None:
    result = scored("phq4", answers)
    assert result.flags == flags
    sums = {"anxiety": answers[0] + answers[1], "depression": answers[2] + answers[3]}
    assert {key: part.score for key, part in result.subscales.items()} == sums
    assert {key: part.band for key, part in result.subscales.items()} == {
        key: "positive" if value >= 3 else "negative" for key, value in sums.items()
    }


@pytest.mark.parametrize("last", [1, 2, 3])
def test_phq9_item_nine_asks_for_help_at_once_whatever_the_total(last: int) -> None:
    assert scored("phq9", [0] * 8 + [last]).flags == (ACT_AT_ONCE,)
    assert scored("phq9", [3] * 8 + [last]).flags == (ACT_AT_ONCE,)


def test_phq9_without_item_nine_raises_no_flag() -> None:
    assert scored("phq9", [3] * 8 + [0]).flags == ()


@pytest.mark.parametrize("wrong", [-1, 5, True, "3", 2.0, None])
def test_an_answer_that_is_no_whole_number_in_range_is_refused_without_repeating_it(wrong: Any) -> None:
    with pytest.raises(AnswersError, match="item 4 of k6 is no whole number from 0 to 4") as refused:
        scored("k6", [0, 0, 0, wrong, 0, 0])
    assert repr(wrong) not in str(refused.value).replace("from 0 to 4", "").replace("item 4", "")
    assert "de 0 à 4" in refused.value.message_fr


@pytest.mark.parametrize("count", [0, 5, 7])
def test_missing_or_surplus_answers_are_refused(count: int) -> None:
    with pytest.raises(AnswersError, match=f"6 items, but {count} answers"):
        scored("k6", [0] * count)


def test_an_instrument_without_a_definition_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownInstrument, match=r"'srq20'.*k10, k6, phq4, phq9, rhs13, rss, who5"):
        scored("srq20", [1])
    with pytest.raises(UnknownInstrument, match=r"no version 2 .*'phq9'.*: 1\."):
        CATALOGUE.find("phq9", 2)


def test_the_reintegration_sustainability_survey_is_refused_in_a_sentence_until_its_weights_are_there() -> None:
    with pytest.raises(NotScorable) as refused:
        scored("rss", [1] * 15)
    assert "official weights are missing" in refused.value.message_en
    assert "pondérations officielles" in refused.value.message_fr
    for remedy in (refused.value.remedy, refused.value.remedy_fr):
        assert "SEGIN_INSTRUMENTS_DIR" in str(remedy)


@pytest.mark.parametrize("name", CATALOGUE.newest)
def test_every_instrument_names_its_source_and_its_licence_and_holds_no_questions(name: str) -> None:
    definition = CATALOGUE.find(name)
    assert definition.source
    assert definition.licence
    assert "?" not in definition.model_dump_json(), "questions are the publisher's"


@given(st.data())
def test_scores_stay_in_range_grow_with_every_answer_and_do_not_depend_on_the_order(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SCALES)))
    items, lowest, highest, bands = SCALES[name]
    answers = data.draw(st.lists(st.integers(lowest, highest), min_size=items, max_size=items))
    item = data.draw(st.integers(0, items - 1))
    more = [*answers[:item], data.draw(st.integers(answers[item], highest)), *answers[item + 1 :]]
    order = [band for _, _, band in bands]

    before, after = scored(name, answers), scored(name, more)

    assert items * lowest <= before.score <= after.score <= items * highest
    assert order.index(before.band) <= order.index(after.band)
    assert set(before.flags) <= set(after.flags)
    shuffled = scored(name, data.draw(st.permutations(answers)))
    assert (shuffled.score, shuffled.band, shuffled.percent) == (before.score, before.band, before.percent)
