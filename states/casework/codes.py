"""Refuses codes that the programme does not have, with those that it has. The other `states.casework` files call it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.errors import WrongUse
from states.pathway import Text


def known(what: str, codes: Iterable[str | None], words: Mapping[str, Text]) -> None:
    """Raises WrongUse for the first of the codes that is none of these; none is always right."""
    for code in codes:
        if code is not None and code not in words:
            raise WrongUse(
                f"There is no {what} with the code {code!r}.",
                f"Le code {code!r} n'existe pas ({what}).",
                remedy=f"Use {', '.join(words)}.",
                remedy_fr=f"Utilisez {', '.join(words)}.",
            )
