"""Codes that are read out on the telephone: no slip goes unnoticed, and nobody guesses one."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from states.codes import ALPHABET, case_code, read_code

codes = st.binary(min_size=8, max_size=8).map(lambda drawn: case_code(lambda _n: drawn))


def test_a_code_looks_like_this() -> None:
    assert case_code(lambda n: bytes(n)) == "0000-0000-0000-0"
    assert case_code(lambda n: b"\xff" * n).startswith("ZZZZ-ZZZZ-ZZZZ-")


def test_the_random_bits_all_count() -> None:
    drawn = {case_code(Random(seed).randbytes) for seed in range(2000)}
    assert len(drawn) == 2000
    for place in range(14):
        assert len({code[place] for code in drawn}) == (1 if place in (4, 9) else 32)


@given(codes)
def test_a_code_is_read_however_it_is_typed(code: str) -> None:
    assert read_code(code) == code
    assert read_code(code.lower().replace("-", "")) == code
    assert read_code(f" {code.replace('-', ' ')} ") == code
    assert read_code(code.replace("0", "O").replace("1", "l")) == code


@given(codes, st.data())
def test_one_wrong_character_is_found(code: str, data: st.DataObject) -> None:
    letters = list(code.replace("-", ""))
    place = data.draw(st.integers(0, 12))
    letters[place] = data.draw(st.sampled_from([letter for letter in ALPHABET if letter != letters[place]]))
    assert read_code("".join(letters)) is None


@given(codes, st.integers(0, 12), st.integers(0, 12))
def test_two_exchanged_characters_are_found(code: str, one: int, other: int) -> None:
    letters = list(code.replace("-", ""))
    letters[one], letters[other] = letters[other], letters[one]
    exchanged = "".join(letters)
    assert (read_code(exchanged) is None) == (exchanged != code.replace("-", ""))


@given(st.text())
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    read = read_code(typed)
    assert read is None or read_code(read) == read
