"""What a token of the partner API may be used for. Tokens carry these codes, routes ask for one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from models.errors import WrongUse
from states.pathway import Text

SCOPES: Final = {
    "events:read": Text("lire les événements", "read events"),
    "events:acknowledge": Text("accuser réception des événements", "acknowledge events"),
    "cases:read": Text("lire les dossiers partagés", "read shared cases"),
    "referrals:read": Text("lire les orientations", "read referrals"),
    "referrals:write": Text("répondre aux orientations", "answer referrals"),
    "reports:write": Text("rendre compte", "report what was done"),
    "arrivals:write": Text("annoncer des arrivées", "announce arrivals"),
}


def known_scopes(asked: Iterable[str]) -> list[str]:
    """These scopes, each once, in order. Raises WrongUse for none at all and for one that does not exist."""
    scopes = sorted(set(asked))
    if not scopes or not SCOPES.keys() >= set(scopes):
        raise WrongUse(
            "A token needs at least one scope, and only scopes that exist.",
            "Un jeton a besoin d'au moins un droit, et seulement de droits qui existent.",
            remedy=f"Use {', '.join(SCOPES)}.",
            remedy_fr=f"Utilisez {', '.join(SCOPES)}.",
        )
    return scopes
