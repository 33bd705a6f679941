"""Which files at a path are manifests. The command line and `flows.intake` ask."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from models.errors import WrongUse

SUFFIXES: Final = (".csv", ".xlsx")


def manifests_at(path: Path) -> list[Path]:
    """The file, or the manifests in the folder in the order of their names. Raises WrongUse when there is none."""
    if path.is_file():
        return [path]
    found = sorted(file for file in path.glob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not found:
        raise WrongUse(
            "There is no .xlsx or .csv file at this path.",
            "Il n'y a aucun fichier .xlsx ou .csv à cet endroit.",
            remedy="Give the path of a manifest or of a folder, as the machine that reads it sees it.",
            remedy_fr="Donnez le chemin d'un manifeste ou d'un dossier, tel que le voit la machine qui le lit.",
        )
    return found
