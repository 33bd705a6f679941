"""Instruments (K6, PHQ-9, WHO-5, ...): versioned definitions as data, and what answers score by them."""

from __future__ import annotations

from states.instruments.catalogue import Catalogue, UnknownInstrument, bundled_catalogue, load_catalogue
from states.instruments.scoring import ACT_AT_ONCE, AnswersError, NotScorable, PartScore, Score, score

__all__ = [
    "ACT_AT_ONCE",
    "AnswersError",
    "Catalogue",
    "NotScorable",
    "PartScore",
    "Score",
    "UnknownInstrument",
    "bundled_catalogue",
    "load_catalogue",
    "score",
]
