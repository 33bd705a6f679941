"""French and English words for what a reintegration plan speaks of: levels, dimensions, ways of giving a service.

Source: the IOM Reintegration Handbook works at three levels and along three dimensions.
"""

from __future__ import annotations

from typing import Final

from states.pathway import Text

LEVEL_WORDS: Final = {
    "individual": Text("individuel", "individual"),
    "community": Text("communautaire", "community"),
    "structural": Text("structurel", "structural"),
}

DIMENSION_WORDS: Final = {
    "economic": Text("économique", "economic"),
    "social": Text("social", "social"),
    "psychosocial": Text("psychosocial", "psychosocial"),
}

MODE_WORDS: Final = {
    "direct": Text("direct", "direct"),
    "referral": Text("par orientation", "by referral"),
}
