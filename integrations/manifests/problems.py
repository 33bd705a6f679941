"""Why a row cannot be used, in French and English: the reasons, what was expected, and the two values that carry them.

`rows` makes problems; the intake stores them, the error file and the console show them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final, NamedTuple


class Reason(NamedTuple):
    """The sentence for one reason code, and what should have been there."""

    message_fr: str
    message_en: str
    expected_fr: str
    expected_en: str


_NAME_FR: Final = "le nom et le prénom"
_NAME_EN: Final = "the family name and the given names"
_DATE_FR: Final = "jj/mm/aaaa, aaaa-mm-jj, une date Excel, ou l'année seule pour une naissance"
_DATE_EN: Final = "dd/mm/yyyy, yyyy-mm-dd, an Excel date, or the year alone for a birth"
_SEX_FR: Final = "M, H, Homme, Masculin ou F, Femme, Féminin"
_SEX_EN: Final = "M, Male, Man or F, Female, Woman"
_COUNTRY_FR: Final = "le nom d'un pays en français ou en anglais, ou son code ISO"
_COUNTRY_EN: Final = "the name of a country in French or English, or its ISO code"

REASONS: Final = {
    "no_name": Reason("Le nom manque.", "The name is missing.", _NAME_FR, _NAME_EN),
    "bad_name": Reason(
        "Le nom n'est pas un nom : il est trop long, sans lettres, ou commence comme une formule.",
        "The name is no name: it is too long, has no letters, or starts like a formula.",
        _NAME_FR,
        _NAME_EN,
    ),
    "no_sex": Reason("Le sexe manque.", "The sex is missing.", _SEX_FR, _SEX_EN),
    "bad_sex": Reason("Le sexe n'est pas compris.", "The sex is not understood.", _SEX_FR, _SEX_EN),
    "no_birth": Reason("La date de naissance manque.", "The birth date is missing.", _DATE_FR, _DATE_EN),
    "bad_date": Reason(
        "Cette date n'existe pas ou n'est pas comprise.",
        "This date does not exist or is not understood.",
        _DATE_FR,
        _DATE_EN,
    ),
    "born_after_arrival": Reason(
        "La naissance est après l'arrivée.",
        "The birth is after the arrival.",
        "une date de naissance qui ne suit pas l'arrivée",
        "a birth date that is not after the arrival",
    ),
    "too_old": Reason(
        "La personne aurait plus de 120 ans.",
        "The person would be older than 120.",
        "une date de naissance plus récente",
        "a later birth date",
    ),
    "no_arrival": Reason("La date d'arrivée manque.", "The arrival date is missing.", _DATE_FR, _DATE_EN),
    "arrival_out_of_range": Reason(
        "L'arrivée est trop ancienne, ou trop loin dans l'avenir.",
        "The arrival is too long ago, or too far in the future.",
        "une date depuis 2000 et dans l'année à venir au plus tard",
        "a date since 2000 and within the coming year",
    ),
    "no_country": Reason("Le pays de départ manque.", "The country of departure is missing.", _COUNTRY_FR, _COUNTRY_EN),
    "unknown_country": Reason("Ce pays n'est pas connu.", "This country is not known.", _COUNTRY_FR, _COUNTRY_EN),
    "formula": Reason(
        "La cellule contient une formule sans résultat enregistré, ou en erreur.",
        "The cell holds a formula without a saved result, or with an error.",
        "une valeur, pas une formule (copier, puis coller les valeurs)",
        "a value, not a formula (copy, then paste values)",
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a row. `column` is the header as written, `found` the cell as it came (personal)."""

    column: str
    field: str
    reason: str
    found: str | None = dataclasses.field(repr=False)

    @property
    def texts(self) -> Reason:
        """The sentences for the reason."""
        return REASONS[self.reason]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that cannot be used, with everything that is wrong in it; the first problem is the one to count."""

    line: int
    problems: tuple[Problem, ...]

    @property
    def reason(self) -> str:
        """The reason code by which the row is counted."""
        return self.problems[0].reason
