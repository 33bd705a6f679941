"""One way to compare words that people wrote: without accents, case, punctuation and stray blanks.

Headers, places, countries, answers and names are all looked up by their folded form; the original is what is kept.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NOT_A_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """`" Ségou-Cercle  "` -> `"segou cercle"`. Letters of any script stay letters; the empty text stays empty."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _NOT_A_WORD.sub(" ", bare).strip()


def clean(text: str) -> str:
    """The text as it is kept: composed letters, single blanks, no control, formatting or unassigned characters.

    A NUL or a lone surrogate would be refused by PostgreSQL; a right-to-left mark would make equal names differ.
    """
    composed = unicodedata.normalize("NFC", text)
    kept = (
        " " if letter.isspace() or category == "Cc" else letter
        for letter, category in ((letter, unicodedata.category(letter)) for letter in composed)
        if category not in ("Cf", "Cs", "Cn", "Co")
    )
    return " ".join("".join(kept).split())
