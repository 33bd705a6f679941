"""French and English words for the codes that records carry: grants, priorities, consents, instruments,
vulnerabilities, guardians. Guards' refusals are written with them; a pathway may use no code that `record_words` lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from states.instruments import bundled_catalogue
from states.pathway import Text
from states.referral_words import INFORMATION_WORDS

Words = Mapping[str, Mapping[str, Text]]
"""Titles by kind (role, reason, grant step, ...) and key."""

PRIORITY_WORDS: Final = {
    "emergency": Text("urgence", "emergency"),
    "urgent": Text("prioritaire", "urgent"),
    "normal": Text("normale", "normal"),
}

GRANT_WORDS: Final = {
    "planned": Text("prévu", "planned"),
    "endorsed": Text("signé une première fois", "signed a first time"),
    "approved": Text("approuvé", "approved"),
    "procured": Text("acheté", "procured"),
    "delivered": Text("remis", "delivered"),
    "verified": Text("vérifié", "verified"),
}
"""The steps of a grant, in order."""

PURPOSE_WORDS: Final = {
    "assistance": Text("assistance", "assistance"),
    "sharing": Text("partage avec les partenaires", "sharing with partners"),
}

VULNERABILITY: Final = "vulnerability"
"""The vulnerability screening: an assessment without a score."""

UNACCOMPANIED_CHILD: Final = "unaccompanied_child"

VULNERABILITY_WORDS: Final = {
    "medical": Text("besoin médical", "medical need"),
    "trafficking": Text("victime de traite", "victim of trafficking"),
    UNACCOMPANIED_CHILD: Text("mineur non accompagné", "unaccompanied child"),
    "single_parent": Text("parent seul", "single parent"),
    "disability": Text("handicap", "disability"),
    "detention": Text("victime de détention", "victim of detention"),
    "distress": Text("détresse psychologique", "psychological distress"),
}
"""What a vulnerability screening can find, and what arrival manifests may say already."""

GUARDIAN_WORDS: Final = {
    "parent": Text("père ou mère", "parent"),
    "relative": Text("proche", "relative"),
    "institution": Text("institution", "institution"),
    "social_service": Text("service social", "social service"),
}
"""Who may answer for a child."""


def record_words() -> Words:
    """The words by kind."""
    instruments = {VULNERABILITY: Text("évaluation des vulnérabilités", "vulnerability screening")}
    instruments |= {key: each.title.text for key, each in bundled_catalogue().newest.items()}
    return {
        "priority": PRIORITY_WORDS,
        "grant step": GRANT_WORDS,
        "purpose": PURPOSE_WORDS,
        "information": INFORMATION_WORDS,
        "instrument": instruments,
        "vulnerability": VULNERABILITY_WORDS,
    }
