"""The words of what can be wrong with an agreement's file; `agreement_file` and `agreements` say it with its line."""

from __future__ import annotations

from typing import Final

from states.pathways.problems import say
from states.pathways.shape import FRENCH as SHAPE

FRENCH: Final = {**SHAPE, "no_duration": "ce n'est pas une durée : écrivez P3D, P2W ou PT48H"}
"""By the type of Pydantic's error, in French; the English is Pydantic's own."""

CHECKS: Final = {
    "unknown": say(
        "{key} : « {name} » n'existe pas.",
        "{key}: there is no '{name}'.",
        "Choisissez parmi {known}.",
        "Use some of {known}.",
    ),
    "twice": say(
        "{key} : « {name} » figure deux fois.",
        "{key}: '{name}' is there twice.",
        "Gardez-le une seule fois.",
        "Keep it once.",
    ),
    "sensitive": say(
        "fields : « {name} » est sensible et n'est jamais partagé par défaut.",
        "fields: '{name}' is sensitive and never shared by default.",
        "Placez-le sous sensitive_fields s'il doit être partagé.",
        "List it under sensitive_fields if it is to be shared.",
    ),
    "ends_first": say(
        "valid_until : l'accord finirait avant de commencer, le {begins}.",
        "valid_until: the agreement would end before it begins, on {begins}.",
        "Corrigez l'une des deux dates.",
        "Correct one of the two dates.",
    ),
    "unknown_partner": say(
        "partner : aucun partenaire n'a le code « {name} ».",
        "partner: no partner has the code '{name}'.",
        "`segin partner list` les montre.",
        "`segin partner list` shows them.",
    ),
    "others_code": say(
        "code : « {name} » est le code d'un accord avec un autre partenaire.",
        "code: '{name}' is the code of an agreement with another partner.",
        "Donnez un autre code à celui-ci.",
        "Give this one a code of its own.",
    ),
}  # fmt: skip
