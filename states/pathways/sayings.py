"""The words of problems that stop a file from being read: what is not YAML, and what has not the shape of a pathway.

`states.pathways.source` looks them up by code, like those of `name_sayings` and `walk_sayings`.
"""

from __future__ import annotations

from typing import Final

from states.pathway import Text
from states.pathways.problems import say

KINDS: Final = {
    "state": Text("L'état", "state"),
    "role": Text("Le rôle", "role"),
    "task": Text("La tâche", "task"),
    "deadline": Text("L'échéance", "deadline"),
    "timer": Text("La minuterie", "timer"),
    "deadline or timer": Text("L'échéance ou minuterie", "deadline or timer"),
    "clock": Text("L'échéance ou minuterie", "clock"),
    "trigger": Text("Le déclencheur", "trigger"),
    "event type": Text("Le type d'événement", "event type"),
    "guard": Text("La garde", "guard"),
    "reason": Text("Le motif", "reason"),
    "field": Text("Le champ", "field"),
    "priority": Text("La priorité", "priority"),
    "purpose": Text("La finalité", "purpose"),
    "instrument": Text("Le questionnaire", "instrument"),
    "vulnerability": Text("La vulnérabilité", "vulnerability"),
    "grant step": Text("L'étape d'appui", "grant step"),
    "record state": Text("L'étape d'élément", "state of a record"),
    "kind of record": Text("Le genre d'élément", "kind of record"),
    "state of it": Text("Son état", "state of it"),
}
"""Kinds of names. The French has its article and a capital letter: it begins a sentence."""


def kind_words(kind: str) -> Text:
    """The words for a kind of names; one that has none is said as it is called."""
    return KINDS.get(kind, Text(f"Le nom ({kind})", kind))


YAML: Final = {
    "not_unicode": say(
        "Le texte n'est pas de l'Unicode.", "The text is not Unicode.",
        "Enregistrez le fichier en UTF-8.", "Save the file as UTF-8.",
    ),
    "too_large": say(
        "Le fichier a plus de {most} octets, le plus que l'on lise.",
        "The file has more than {most} bytes; {most} are the most that is read.",
        "Divisez le parcours, ou vérifiez que c'est le bon fichier.",
        "Split the process, or check that this is the right file.",
    ),
    "too_many_parts": say(
        "Le fichier a plus de {most} éléments, le plus que l'on lise.",
        "The file has more than {most} parts; {most} are the most that is read.",
        "Divisez le parcours, ou vérifiez que c'est le bon fichier.",
        "Split the process, or check that this is the right file.",
    ),
    "too_many_items": say(
        "Une liste a plus de {most} éléments, le plus que l'on lise.",
        "A list has more than {most} items; {most} are the most that is read.",
        "Raccourcissez-la.",
        "Shorten it.",
    ),
    "not_yaml": say(
        "Ce n'est pas du YAML ({message}).", "This is not YAML: {message}.",
        "Vérifiez ici le retrait, les deux-points et les guillemets.",
        "Check the indentation, colons and quotes here.",
    ),
    "bad_character": say(
        "Il y a un caractère qu'aucun fichier YAML ne peut contenir.",
        "There is a character that no YAML file may hold.",
        "Retirez les caractères de commande ; enregistrez le fichier en UTF-8.",
        "Remove control characters; save the file as UTF-8.",
    ),
    "second_document": say(
        "Un second document commence ici.", "A second document begins here.",
        "Gardez un seul document par fichier.", "Keep one document in a file.",
    ),
    "alias": say(
        "L'alias *{name} n'est pas lu.", "The alias *{name} is not read.",
        "Écrivez le contenu en toutes lettres.", "Write the content out.",
    ),
    "anchor": say(
        "L'ancre &{name} n'est pas lue.", "The anchor &{name} is not read.",
        "Écrivez le contenu là où il sert.", "Write the content out where it is used.",
    ),
    "tag": say(
        "L'étiquette {name} n'est pas lue.", "The tag {name} is not read.",
        "Écrivez du texte, des nombres, des listes et des noms, rien d'autre.",
        "Write plain text, numbers, lists and mappings.",
    ),
    "no_mapping": say(
        "Le fichier ne contient pas de noms suivis de leur contenu.", "The file holds no mapping of names to content.",
        "Partez d'un parcours fourni.", "Start from a bundled pathway.",
    ),
    "name_not_plain": say(
        "Une liste ou un ensemble sert de nom.", "A list or mapping is used as a name.",
        "Écrivez un simple nom avant les deux-points.", "Write a plain name before the colon.",
    ),
    "too_deep": say(
        "Le contenu est emboîté sur plus de {most} niveaux.", "The content is nested more than {most} deep.",
        "Aplatissez-le.", "Flatten it.",
    ),
    "written_twice": say(
        "« {name} » est écrit deux fois au même endroit ; d'abord à la ligne {line}.",
        "'{name}' is written twice in the same place; first on line {line}.",
        "Gardez l'un des deux.", "Keep one of the two.",
    ),
}  # fmt: skip

SHAPE: Final = {
    "missing": say(
        "{where} : « {key} » manque.", "{where}: '{key}' is missing.", "Ajoutez-le ici.", "Add it here.",
    ),
    "translation_missing": say(
        "{where} : « {key} » manque : un texte est dû en français et en anglais.",
        "{where}: '{key}' is missing: texts are in French and in English.",
        "Ajoutez la traduction.", "Add the translation.",
    ),
    "no_owner": say(
        "{where} : « {key} » manque : personne n'en répond.", "{where}: '{key}' is missing: nobody answers for it.",
        "Nommez un rôle.", "Name a role.",
    ),
    "not_known_here": say(
        "{where} : « {key} » n'est pas connu ici.", "{where}: '{key}' is not known here.",
        "Corrigez l'orthographe ou retirez-le ; voir docs/pathway.md.",
        "Correct its spelling or remove it; see docs/pathway.md.",
    ),
    "not_usable": say(
        "{where} : « {input} » ne peut pas figurer ici.", "{where}: '{input}' cannot stand here.",
        "Les noms s'écrivent en minuscules sans accent, chiffres et _.",
        "Use small letters, digits and _ for names.",
    ),
    "not_like_this": say(
        "{where} : {message}.", "{where}: {message}.",
        "Voir docs/pathway.md pour ce qui peut s'écrire ici.", "See docs/pathway.md for what can be written here.",
    ),
}  # fmt: skip
