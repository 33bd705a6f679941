"""Names made comparable: the key by which the same name is found again, and how a name sounds whatever its spelling.

`matching` compares people with it; the spelling rules come from the profile of the country of return.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

from integrations.manifests.folding import fold

Spellings = tuple[tuple[re.Pattern[str], str], ...]

_APOSTROPHES: Final = str.maketrans("", "", "'’‘`´ʼ")
# Somebody who left out a second given name is not quite as surely the same as somebody who wrote it.
_PART_OF_NAMES: Final = 0.9
# Below this the two family names, or the two given names, are different names and the other pair cannot make up for it.
_LEAST: Final = 0.5


def name_key(family_name: str, given_names: str) -> str:
    """The folded words of the whole name in alphabetical order: `N'Diaye`, `Élie Adama` -> `adama elie ndiaye`.

    Family and given names change places between lists, so their order does not count.
    """
    return " ".join(sorted(_folded(f"{family_name} {given_names}").split()))


@lru_cache(maxsize=65_536)
def sound(name: str, spellings: Spellings) -> str:
    """The name as it sounds under these rules: `Coulibaly`, `KULIBALI` -> `kulibali`."""
    text = _folded(name)
    for pattern, replacement in spellings:
        text = pattern.sub(replacement, text)
    return text


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """How alike two names are, from 0 to 1; each is a pair (family name, given names) as it sounds.

    The better of both orders counts, and the whole name where its words are divided differently.
    """
    straight = _pairwise(one[0], other[0], one[1], other[1])
    swapped = _pairwise(one[0], other[1], one[1], other[0])
    whole = fuzz.token_sort_ratio(f"{one[0]} {one[1]}", f"{other[0]} {other[1]}", score_cutoff=90) / 100
    return max(straight, swapped, whole)


def _pairwise(family: str, other_family: str, given: str, other_given: str) -> float:
    families = fuzz.ratio(family, other_family) / 100
    if families < _LEAST:
        return 0.0
    part = fuzz.token_set_ratio(given, other_given) / 100 * _PART_OF_NAMES
    givens = max(fuzz.ratio(given, other_given) / 100, part)
    return (families + givens) / 2 if givens >= _LEAST else 0.0


def _folded(text: str) -> str:
    return fold(text.translate(_APOSTROPHES))
