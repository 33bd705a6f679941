"""The words of what can be wrong with a mapping file; `loader` and `checks` say it with its line."""

from __future__ import annotations

from typing import Final

from states.pathways.problems import say, warn
from states.pathways.shape import FRENCH as SHAPE

FRENCH: Final = {
    **SHAPE,
    "no_uid": "il faut un identifiant DHIS2 : onze lettres et chiffres sans accent, une lettre d'abord",
    "not_plain": "il faut un texte, un nombre entier, true ou false",
    "one_way": "il faut « from », « constant » ou « uuid », un seul des trois",
    "only_from": "« table », « join » et « required » vont avec « from »",
    "less_than_equal": "il faut au plus {le}",
}
"""By the type of Pydantic's error, in French; the English is Pydantic's own."""

CHECKS: Final = {
    "system_unknown": say(
        "« system » manque ou n'est pas connu.",
        "'system' is missing or not known.",
        "Écrivez l'un de ceux-ci : {known}.",
        "Write one of: {known}.",
    ),
    "source_unknown": say(
        "{where} : une orientation n'a pas de champ « {key} ».",
        "{where}: a referral has no field '{key}'.",
        "Sont connus : {known}.",
        "Known: {known}.",
    ),
    "source_misspelt": say(
        "{where} : une orientation n'a pas de champ « {key} ».",
        "{where}: a referral has no field '{key}'.",
        "Vouliez-vous dire « {close} » ?",
        "Did you mean '{close}'?",
    ),
    "no_service_here": say(
        "{where} : « service » n'a de sens que dans « services ».",
        "{where}: 'service' has a meaning within 'services' only.",
        "Nommez un champ de l'orientation.",
        "Name a field of the referral.",
    ),
    "table_unknown": say(
        "{where} : la table « {key} » n'existe pas.",
        "{where}: there is no table '{key}'.",
        "Ajoutez-la sous « tables » ou corrigez son nom.",
        "Add it under 'tables' or correct its name.",
    ),
    "table_unused": warn(
        "La table « {key} » ne sert nulle part.",
        "The table '{key}' is used nowhere.",
        "Nommez-la là où elle doit servir, ou retirez-la.",
        "Name it where it is meant, or remove it.",
    ),
    "codes_missing": warn(
        "{where} : la table « {key} » n'a rien pour {codes} ; une orientation qui le dit ne partira pas.",
        "{where}: the table '{key}' has nothing for {codes}; a referral that says so will not leave.",
        "Ajoutez ce que l'autre système appelle ainsi.",
        "Add what the other system calls it.",
    ),
    "codes_unknown": warn(
        "{where} : la table « {key} » traduit {codes}, que ce champ ne dit jamais.",
        "{where}: the table '{key}' translates {codes}, which this field never says.",
        "Corrigez l'orthographe ou retirez-le.",
        "Correct the spelling or remove it.",
    ),
    "not_a_list": say(
        "{where} : « {key} » n'est pas une liste.",
        "{where}: '{key}' is not a list.",
        "Retirez « join », ou nommez une liste : {known}.",
        "Leave 'join' out, or name a list: {known}.",
    ),
    "list_not_joined": say(
        "{where} : « {key} » est une liste, et DHIS2 attend un texte.",
        "{where}: '{key}' is a list, and DHIS2 takes one text.",
        'Ajoutez par exemple join: ",".',
        'Add for instance join: ",".',
    ),
    "not_a_date": say(
        "{where} : « {key} » n'est pas une date.",
        "{where}: '{key}' is not a date.",
        "Nommez l'un de ceux-ci : {known}.",
        "Name one of: {known}.",
    ),
    "no_org_unit": say(
        "{where} : ceci ne donne pas toujours l'identifiant d'une unité d'organisation.",
        "{where}: this does not always give the UID of an organisation unit.",
        "Écrivez un identifiant sous « constant », ou une table dont toutes les valeurs en sont.",
        "Write a UID as 'constant', or a table of which every value is one.",
    ),
    "filled_by_segin": say(
        "{where} : Segin remplit ce champ avec « services ».",
        "{where}: Segin fills this field from 'services'.",
        "Retirez-le de « case ».",
        "Take it out of 'case'.",
    ),
}
