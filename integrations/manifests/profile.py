"""What an intake has to know about the country of return, read from one YAML file of `reference/` or of a programme.

The edges load a profile once and pass it to `intake`; nothing about a country stands in code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from integrations.manifests.places import Gazetteer, load_gazetteer
from models.errors import WrongUse

_FOLDER: Final = Path(__file__).parent / "reference"


class ProfileError(WrongUse):
    """The profile of a country of return is not there or cannot be used."""


@dataclass(frozen=True, slots=True)
class Profile:
    """`phone_region`: ISO 3166 alpha-2 country of phone numbers without a prefix; `spellings`: replacements that make
    names sound alike, in order (see `names`)."""

    name: str
    phone_region: str
    places: Gazetteer
    spellings: tuple[tuple[re.Pattern[str], str], ...]


@lru_cache(maxsize=8)
def load_profile(name: str) -> Profile:
    """The profile with this name among those that come with Segin, or the one in the YAML file of this path.

    Raises ProfileError.
    """
    bundled = _FOLDER / f"{name}.yaml"
    file = bundled if bundled.is_file() else Path(name)
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        return Profile(
            name=file.stem,
            phone_region=data["phone_region"],
            places=load_gazetteer(
                file.parent / data["places"], data.get("other_place_names", {}), data.get("place_prefixes", [])
            ),
            spellings=_compiled(data.get("name_spellings", [])),
        )
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, yaml.YAMLError, re.error) as error:
        known = ", ".join(sorted(path.stem for path in _FOLDER.glob("*.yaml")))
        raise ProfileError(
            f"The profile of the country of return {file.name!r} cannot be read ({type(error).__name__}).",
            f"Le profil du pays de retour {file.name!r} est illisible ({type(error).__name__}).",
            remedy=f"Those that come with Segin are {known}; a file of yours is written like them.",
            remedy_fr=f"Segin fournit {known} ; un fichier à vous s'écrit de même.",
        ) from None


def _compiled(rules: Sequence[Sequence[str]]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rules)
