"""The words of what can be wrong with an instrument's file; `states.instruments.catalogue` says it with its line."""

from __future__ import annotations

from typing import Final

from states.pathways.problems import say
from states.pathways.shape import FRENCH as SHAPE

FRENCH: Final = {
    **SHAPE,
    "no_number": "il faut un nombre, comme 0.25",
    "decimal_parsing": "il faut un nombre, comme 0.25",
    "int_parsing": "il faut un nombre entier",
    "no_share": "il faut un nombre de 0 à 1",
    "no_weight": "il faut un poids supérieur à 0",
    "no_range": "« highest » doit dépasser « lowest »",
    "no_rule": "une règle demande « items » avec « from », ou « bands »",
    "less_than_equal": "il faut au plus {le}",
}
"""By the type of Pydantic's error, in French; the English is Pydantic's own."""

CHECKS: Final = {
    "bands_do_not_cover": say(
        "{where} ne couvre pas l'échelle, de {lowest} à {highest}.",
        "{where} does not cover the scale, {lowest} to {highest}.",
        "Faites commencer la première tranche à {lowest} ; les suivantes montent sans dépasser {highest}.",
        "Let the first band begin at {lowest}; the next ones rise and stay within {highest}.",
    ),
    "band_twice": say(
        "{where} : deux tranches ont le même code.",
        "{where}: two bands have one code.",
        "Donnez à chacune son code.",
        "Give each its own code.",
    ),
    "no_item": say(
        "{where} : il n'y a que les items 1 à {count}.",
        "{where}: there are only items 1 to {count}.",
        "Comptez les items à partir de 1, dans l'ordre du formulaire.",
        "Count the items from 1, in the order of the form.",
    ),
    "item_twice": say(
        "{where} : un item est nommé deux fois.", "{where}: an item is named twice.", "Gardez-en un.", "Keep one."
    ),
    "no_such_name": say(
        "{where} : « {name} » ne figure pas parmi {known}.",
        "{where}: '{name}' is none of {known}.",
        "Corrigez le nom, ou ajoutez ce qu'il désigne.",
        "Correct the name, or add what it stands for.",
    ),
    "no_percent": say(
        "Un changement en pourcentage demande « percent_factor ».",
        "A change in percent needs 'percent_factor'.",
        "Ajoutez-le, ou comptez le changement en points (of: score).",
        "Add it, or count the change in points (of: score).",
    ),
    "nothing_in_it": say(
        "Aucun indicateur n'est dans la dimension « {key} ».",
        "No indicator is in the dimension '{key}'.",
        "Placez-y des indicateurs ou retirez-la.",
        "Put indicators into it or remove it.",
    ),
}
"""What has the right shape and makes no sense, by code."""

KIND_UNKNOWN: Final = say(
    "« kind » doit dire comment l'instrument se cote : {kinds}.",
    "'kind' must say how the instrument is scored: {kinds}.",
    "Écrivez l'un d'eux ; voir docs/instruments.md.",
    "Write one of them; see docs/instruments.md.",
)
TAKEN: Final = say(
    "La version {version} de « {instrument} » existe déjà ({file}) : ce qu'elle a coté doit rester lisible.",
    "Version {version} of '{instrument}' is there already ({file}): what it scored must stay readable.",
    "Donnez à ce fichier un numéro de version plus grand.",
    "Give this file a greater version number.",
)
