"""Unguessable codes for cases, people and households, short enough to read out on the telephone.

The edges make new ones with a source of randomness; whoever takes a typed code reads it with `read_code`.
"""

from __future__ import annotations

from collections.abc import Callable

# Crockford's base 32: no I, L, O or U, so that nothing is mistaken for a digit or spells a word.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DIGITS = 12

_VALUES = {letter: value for value, letter in enumerate(ALPHABET)} | {"I": 1, "L": 1, "O": 0}


def case_code(random: Callable[[int], bytes]) -> str:
    """A new code such as `7K3M-Q9TX-4VBD-H`: 60 random bits (`random(n)` gives n bytes) and a check character."""
    number = int.from_bytes(random(8)) >> 4
    digits = [number >> shift & 31 for shift in range(5 * (DIGITS - 1), -1, -5)]
    text = "".join(ALPHABET[digit] for digit in (*digits, _check(digits)))
    return f"{text[:4]}-{text[4:8]}-{text[8:12]}-{text[12]}"


def read_code(typed: str) -> str | None:
    """The code that somebody typed, in its written form; None when it is not one or has a slip in it.

    Case, spaces and dashes do not matter; O is read as 0, I and L as 1. Any one wrong character is found, and so is
    any pair of exchanged ones.
    """
    letters = [letter for letter in typed.upper() if letter not in " -"]
    if len(letters) != DIGITS + 1 or any(letter not in _VALUES for letter in letters):
        return None
    *digits, check = (_VALUES[letter] for letter in letters)
    if _check(digits) != check:
        return None
    text = "".join(ALPHABET[value] for value in (*digits, check))
    return f"{text[:4]}-{text[4:8]}-{text[8:12]}-{text[12]}"


def _check(digits: list[int]) -> int:
    """A sum in the field of 32 elements (modulo x^5 + x^2 + 1), each place weighted with another power of x."""
    total = 0
    for digit in digits:
        total ^= digit
        total = total << 1 ^ (0b100101 if total & 16 else 0)
    return total
