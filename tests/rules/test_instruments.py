"""Instruments score exactly as their publishers say: every cut-off, every flag, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.instruments import ACT_AT_ONCE, AnswersError, Definitions, UnknownInstrument, definitions, score

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


def answers_with_total(instrument: str, total: int) -> list[int]:
    """Answers that add up to the total, the early items as high as they go."""
    items, lowest, highest, _ = SCALES[instrument]
    answers = [lowest] * items
    for item in range(items):
        answers[item] += min(highest - lowest, total - sum(answers))
    return answers


def test_the_table_above_covers_every_instrument_and_every_total() -> None:
    assert set(SCALES) == set(definitions().instruments)
    for name, instrument in definitions().instruments.items():
        totals = [total for least, greatest, _ in SCALES[name][3] for total in range(least, greatest + 1)]
        assert totals == list(range(instrument.lowest, instrument.highest + 1))


@pytest.mark.parametrize(("instrument", "total", "band"), TOTALS)
def test_every_total_falls_into_its_band(instrument: str, total: int, band: str) -> None:
    scored = score(instrument, answers_with_total(instrument, total))
    assert (scored.score, scored.band) == (total, band)


def test_who5_reports_a_percentage_and_the_others_none() -> None:
    assert score("who5", [5, 5, 2, 0, 0]).percent == 48
    assert score("who5", [5, 5, 3, 0, 0]).percent == 52
    assert {name for name in SCALES if score(name, answers_with_total(name, 20 if name == "k10" else 5)).percent} == {
        "who5"
    }


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
    assert score("phq4", answers).flags == flags


@pytest.mark.parametrize("last", [1, 2, 3])
def test_phq9_item_nine_asks_for_help_at_once_whatever_the_total(last: int) -> None:
    assert score("phq9", [0] * 8 + [last]).flags == (ACT_AT_ONCE,)
    assert score("phq9", [3] * 8 + [last]).flags == (ACT_AT_ONCE,)


def test_phq9_without_item_nine_raises_no_flag() -> None:
    assert score("phq9", [3] * 8 + [0]).flags == ()


@pytest.mark.parametrize("wrong", [-1, 5, True, "3", 2.0, None])
def test_an_answer_that_is_no_whole_number_in_range_is_refused_without_repeating_it(wrong: Any) -> None:
    with pytest.raises(AnswersError, match="item 4 of k6 is no whole number from 0 to 4") as refused:
        score("k6", [0, 0, 0, wrong, 0, 0])
    assert repr(wrong) not in str(refused.value).replace("from 0 to 4", "").replace("item 4", "")
    assert "de 0 à 4" in refused.value.message_fr


@pytest.mark.parametrize("count", [0, 5, 7])
def test_missing_or_surplus_answers_are_refused(count: int) -> None:
    with pytest.raises(AnswersError, match=f"6 items, but {count} answers"):
        score("k6", [0] * count)


def test_an_instrument_without_a_definition_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownInstrument, match=r"'rss'.*k10, k6, phq4, phq9, rhs13, who5"):
        score("rss", [1])


@given(st.data())
def test_scores_stay_in_range_and_grow_with_every_answer(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SCALES)))
    items, lowest, highest, bands = SCALES[name]
    answers = data.draw(st.lists(st.integers(lowest, highest), min_size=items, max_size=items))
    item = data.draw(st.integers(0, items - 1))
    more = [*answers[:item], data.draw(st.integers(answers[item], highest)), *answers[item + 1 :]]
    order = [band for _, _, band in bands]

    before, after = score(name, answers), score(name, more)

    assert items * lowest <= before.score <= after.score <= items * highest
    assert order.index(before.band) <= order.index(after.band)
    assert set(before.flags) <= set(after.flags)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"bands": [{"code": "low", "from": 1}]}, "bands must begin at 0"),
        ({"bands": [{"code": "low", "from": 0}, {"code": "high", "from": 0}]}, "rise"),
        ({"bands": [{"code": "low", "from": 0}, {"code": "high", "from": 9}]}, "stay within 6"),
        ({"flags": [{"code": "x", "items": [3], "from": 1}]}, "items 1 to 2 only"),
        ({"questions": []}, "Extra inputs are not permitted"),
    ],
)
def test_definitions_that_do_not_cover_their_scale_are_refused(change: dict[str, Any], complaint: str) -> None:
    instrument = {
        "title": {"fr": "x", "en": "x"},
        "items": 2,
        "answers": {"lowest": 0, "highest": 3},
        "bands": [{"code": "low", "from": 0}],
        "source": "x",
    }
    with pytest.raises(ValueError, match=complaint):
        Definitions.model_validate({"version": 1, "vulnerabilities": {}, "instruments": {"x": instrument | change}})
