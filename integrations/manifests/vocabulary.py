"""The words that manifests answer with, in French and English, from `vocabulary.yaml`; `dates` and `rows` use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from integrations.manifests.folding import fold

_FILE: Final = Path(__file__).with_name("vocabulary.yaml")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Folded words and what they mean."""

    sex: Mapping[str, str]
    consent: Mapping[str, bool]
    vulnerabilities: Mapping[str, str]
    nothing: frozenset[str]
    months: Mapping[str, int]
    approximate: frozenset[str]
    born: frozenset[str]
    years_of_age: frozenset[str]


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """The vocabulary that comes with Segin."""
    data: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    consent = _meanings(data["consent"])
    return Vocabulary(
        sex=_meanings(data["sex"]),
        consent={word: meaning == "given" for word, meaning in consent.items()},
        vulnerabilities=_meanings(data["vulnerabilities"]),
        nothing=_words(data["nothing"]),
        months={word: int(month) for word, month in _meanings(data["months"]).items()},
        approximate=_words(data["approximate"]),
        born=_words(data["born"]),
        years_of_age=_words(data["years_of_age"]),
    )


def _meanings(words_by_meaning: Mapping[Any, list[str]]) -> dict[str, str]:
    return {fold(word): str(meaning) for meaning, words in words_by_meaning.items() for word in words}


def _words(words: list[str]) -> frozenset[str]:
    return frozenset(fold(word) for word in words)
