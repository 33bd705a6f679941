"""The words of problems with what a pathway file names: not there, or without meaning where it is named.

`states.pathways.source` looks them up by code; `states.pathways.checks` and `transition_checks` find them.
"""

from __future__ import annotations

from typing import Final

from states.pathways.problems import say

NAMES: Final = {
    "unknown_name": say(
        "{kind} « {key} » n'existe pas.", "There is no {kind} '{key}'.",
        "Sont connus : {known}.", "Known: {known}.",
    ),
    "misspelt_name": say(
        "{kind} « {key} » n'existe pas.", "There is no {kind} '{key}'.",
        "Vouliez-vous dire « {close} » ?", "Did you mean '{close}'?",
    ),
    "initial_not_active": say(
        "Un dossier ne peut pas commencer en suspens ni clos.", "A case cannot begin in a hold or final state.",
        "Nommez un état actif.", "Name an active state.",
    ),
    "reserved_name": say(
        "« {name} » a déjà un sens pour Segin.", "'{name}' has a meaning of its own in Segin.",
        "Donnez-lui un autre nom.", "Give it another name.",
    ),
    "also_a_deadline": say(
        "« {key} » est aussi une échéance.", "'{key}' is also a deadline.",
        "Donnez un autre nom à l'une des deux.", "Give one of the two another name.",
    ),
    "state_not_shared": say(
        "« {key} » parlerait aux partenaires de l'état « {state} », qui n'est pas partagé.",
        "'{key}' would tell partners about the state '{state}', which is not shared.",
        "Retirez l'annonce.", "Leave the announcement out.",
    ),
    "empty_waiver": say(
        "La dérogation à « {key} » ne permet rien.", "The waiver of '{key}' allows nothing.",
        "Donnez « extend » (un délai), ou « lift: true ».", "Give 'extend' (a span), or 'lift: true'.",
    ),
    "waiver_moves": say(
        "« {trigger} » déroge à une échéance : le dossier reste où il est.",
        "'{trigger}' waives a deadline: the case stays where it is.",
        "Retirez « to » et « record ».", "Leave 'to' and 'record' out.",
    ),
    "timer_without_end": say(
        "Une minuterie sans état ne finirait jamais d'elle-même.",
        "A timer without a state would never end by itself.",
        "Ajoutez son état, ou son élément.", "Add its state, or its record.",
    ),
    "timer_not_possible": say(
        "Le déclencheur de la minuterie, « {trigger} », n'est pas possible dans son état « {state} ».",
        "The timer's trigger '{trigger}' is not possible in its state '{state}'.",
        "Ajoutez une transition depuis cet état, ou nommez un autre déclencheur.",
        "Add a transition from that state, or name another trigger.",
    ),
    "timer_not_allowed": say(
        "Les minuteries agissent comme « {role} », qui n'a pas droit à « {trigger} » ici.",
        "Timers act as '{role}', which may not use '{trigger}' here.",
        "Ajoutez {role} aux rôles de cette transition.", "Add {role} to the roles of that transition.",
    ),
    "timer_no_step": say(
        "Le déclencheur de la minuterie, « {trigger} », n'est pas une étape de l'élément « {record} ».",
        "The timer's trigger '{trigger}' is not a step of the record '{record}'.",
        "Nommez un déclencheur dont les transitions disent « record ».",
        "Name a trigger whose transitions say record.",
    ),
    "two_ends": say(
        "Cela finit avec un état ou avec un élément, pas avec les deux.",
        "It ends with a state or with a record, not with both.",
        "Gardez l'un des deux.", "Keep one of the two.",
    ),
    "step_of_two": say(
        "« {trigger} » est l'étape d'un élément à un endroit et pas, ou d'un autre, ailleurs.",
        "'{trigger}' is a step of a record in one place and not, or of another, elsewhere.",
        "Donnez à l'un un autre déclencheur.", "Give one of them another trigger.",
    ),
    "two_meanings": say(
        "« {trigger} » depuis « {state} » est aussi à la ligne {line} ; un déclencheur a un seul sens dans un état.",
        "'{trigger}' from '{state}' is also on line {line}; a trigger has one meaning in a state.",
        "Nommez l'état à un seul endroit.", "Name the state in one place only.",
    ),
    "step_moves_case": say(
        "Une étape d'élément laisse le dossier où il est.", "A step of a record leaves the case where it is.",
        "Retirez « to », ou faites-en deux transitions.", "Leave 'to' out, or make two transitions of it.",
    ),
    "nobody_hears": say(
        "L'état change et aucun événement ne le dit.", "The state changes and no event says so.",
        "Ajoutez announce, par exemple [case.advanced].", "Add announce, for instance [case.advanced].",
    ),
    "no_way_back": say(
        "« {state} » est un état actif : aucun état n'est celui où un dossier reviendrait de lui-même.",
        "'{state}' is an active state: it has no state that a case goes back to by itself.",
        "Nommez l'état où va le dossier.", "Name the state that the case goes to.",
    ),
    "leads_to_itself": say(
        "« {state} » mène à lui-même.", "'{state}' leads to itself.",
        "Retirez « to » pour ce qui se passe dans un état.", "Leave 'to' out for what happens within a state.",
    ),
    "only_back": say(
        "Un dossier dans « {state} » revient d'où il vient, il ne va pas à « {goal} ».",
        "A case in '{state}' goes back to where it came from, not on to '{goal}'.",
        "Écrivez to: {previous}.", "Write to: {previous}.",
    ),
    "other_record": say(
        "« {key} » concerne un élément du genre « {record} », pas cette transition.",
        "'{key}' is about a record of the kind '{record}', which this transition is not.",
        "Commencez-le là où une étape d'un tel élément se fait.", "Begin it where a step of such a record is taken.",
    ),
    "ends_twice": say(
        "« {key} » finit deux fois.", "'{key}' ends twice.",
        "Gardez l'un des deux.", "Keep one of the two.",
    ),
    "begins_twice": say(
        "« {key} » commence deux fois.", "'{key}' begins twice.",
        "Gardez l'un des deux.", "Keep one of the two.",
    ),
    "cannot_be_open": say(
        "« {key} » appartient à « {state} » et ne peut pas être ouvert ici.",
        "'{key}' belongs to '{state}' and cannot be open here.",
        "Retirez-le, ou ajoutez l'état à « from ».", "Leave it out, or add the state to 'from'.",
    ),
    "two_conditions": say(
        "« {key} » finit sous une condition et recommence sous une autre.",
        "'{key}' ends under one condition and begins anew under another.",
        "Donnez la même condition aux deux.", "Use the same condition for both.",
    ),
    "begins_elsewhere": say(
        "« {key} » appartient à « {state} », mais commence là où le dossier est dans : {found}.",
        "'{key}' belongs to '{state}', but begins where the case is in: {found}.",
        "Commencez-le là, ou retirez son état : le dossier le garde alors.",
        "Begin it there, or leave its state out: then the case keeps it.",
    ),
    "unknown_parameter": say(
        "La garde {guard} n'a pas de paramètre « {name} ».", "The guard {guard} has no parameter '{name}'.",
        "Elle prend : {known}.", "It takes: {known}.",
    ),
    "parameter_missing": say(
        "La garde {guard} demande le paramètre « {name} ».", "The guard {guard} needs the parameter '{name}'.",
        "Ajoutez-le sous « with ».", "Add it under 'with'.",
    ),
    "parameter_not_usable": say(
        "« {name} » de la garde {guard} ne peut pas servir : {message}.",
        "'{name}' of the guard {guard} is not usable: {message}.",
        "Voir les paramètres de la garde dans docs/pathway.md.",
        "See the guard's parameters in docs/pathway.md.",
    ),
}  # fmt: skip
