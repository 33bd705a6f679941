"""The words of problems that show when a pathway is walked: states, guards and parts that no case ever comes to.

`states.pathways.source` looks them up by code; `states.pathways.reach` and `states.pathways.checker` find them.
"""

from __future__ import annotations

from typing import Final

from states.pathways.problems import say, warn

WALKS: Final = {
    "no_final_state": say(
        "Aucun état n'est final : aucun dossier ne pourrait être clos.",
        "No state is final: no case could ever be closed.",
        "Ajoutez kind: final.", "Add kind: final.",
    ),
    "never_entered": say(
        "Aucun dossier n'arrive jamais dans « {state} » : {why}.", "No case can ever come into '{state}': {why}.",
        "Ajoutez une transition qui y mène, ou retirez-le.", "Add a transition to it, or remove it.",
    ),
    "never_closed": say(
        "Un dossier dans « {state} » ne peut jamais être clos : {leads}.",
        "A case in '{state}' can never be closed: {leads}.",
        "Ajoutez une transition qui mène à un état final.", "Add a transition that leads on to a final state.",
    ),
    "record_never": say(
        "Aucun élément du genre « {kind} » n'est jamais « {status} ».",
        "No record of the kind '{kind}' can ever be '{status}'.",
        "Ajoutez une étape qui y mène, ou retirez-le.", "Add a step to it, or remove it.",
    ),
    "task_never_opened": say(
        "La tâche « {key} » n'est jamais ouverte.", "The task '{key}' is never opened.",
        "Utilisez-la, ou retirez-la.", "Use it, or remove it.",
    ),
    "deadline_never_set": say(
        "L'échéance « {key} » n'est jamais fixée.", "The deadline '{key}' is never set.",
        "Utilisez-la, ou retirez-la.", "Use it, or remove it.",
    ),
    "timer_never_set": say(
        "La minuterie « {key} » n'est jamais armée.", "The timer '{key}' is never set.",
        "Utilisez-la, ou retirez-la.", "Use it, or remove it.",
    ),
    "trigger_unused": say(
        "Le déclencheur « {key} » ne fait rien dans aucun état.", "The trigger '{key}' does nothing in any state.",
        "Utilisez-le, ou retirez-le.", "Use it, or remove it.",
    ),
    "role_unused": say(
        "Le rôle « {key} » n'a rien à faire.", "The role '{key}' has nothing to do.",
        "Utilisez-le, ou retirez-le.", "Use it, or remove it.",
    ),
    "reminder_not_in_hours": say(
        "Une échéance en heures demande des rappels en heures.", "A deadline of hours needs reminders in hours.",
        "Écrivez par exemple PT6H.", "Write it like PT6H.",
    ),
    "reminder_too_early": say(
        "Le rappel, {reminder} avant l'échéance, tombe avant le départ de celle-ci ({due}).",
        "The reminder, {reminder} before the deadline, comes before its clock starts ({due}).",
        "Raccourcissez-le.", "Shorten it.",
    ),
    "ladder_out_of_order": say(
        "Cette marche de l'escalade ne vient pas après la précédente.",
        "This step of the ladder does not come after the one before it.",
        "Mettez-les dans l'ordre.", "Put the steps in order.",
    ),
    "timer_too_early": say(
        "La minuterie finirait avant de commencer.", "The timer would run out before it starts.",
        "Raccourcissez « before ».", "Shorten 'before'.",
    ),
    "guards_contradict": say(
        "« {trigger} » n'est jamais possible : la garde {guard} exclut {others}.",
        "'{trigger}' is never possible: the guard {guard} excludes {others}.",
        "Retirez l'une des gardes, ou dites avec « when » quand elle compte.",
        "Remove one of the guards, or say with 'when' when it counts.",
    ),
    "guard_never_holds": say(
        "« {trigger} » n'est jamais possible : la garde {guard} ne laisse passer aucun des rôles ({roles}).",
        "'{trigger}' is never possible: the guard {guard} lets none of the roles pass ({roles}).",
        "Changez les rôles de la transition, ou la garde.", "Change the roles of the transition, or the guard.",
    ),
    "timer_always_refused": say(
        "La minuterie « {key} » serait toujours refusée : les gardes de « {trigger} » ne laissent pas passer ce "
        "qu'elle dit.",
        "The timer '{key}' would always be refused: the guards of '{trigger}' do not let pass what it says.",
        "Donnez-lui le motif et les données que les gardes demandent.",
        "Give it the reason and data that the guards ask for.",
    ),
    "never_entered_so": say(
        "Aucun dossier n'arrive jamais dans « {state} » : ce qui y mène n'est jamais possible.",
        "No case can ever come into '{state}': what leads to it is never possible.",
        "Corrigez les gardes sur le chemin.", "Correct the guards on the way to it.",
    ),
    "never_closed_so": say(
        "Un dossier dans « {state} » ne peut jamais être clos : la suite n'est jamais possible.",
        "A case in '{state}' can never be closed: what leads on is never possible.",
        "Corrigez les gardes sur la suite du chemin.", "Correct the guards on the way on.",
    ),
    "nobody_asks": warn(
        "Personne ne demande « {trigger} » : seul « {role} » y a droit, et aucune minuterie ne le fait ici.",
        "Nobody asks for '{trigger}': only '{role}' may, and no timer does it here.",
        "Ajoutez un rôle, ou une minuterie.", "Add a role, or a timer.",
    ),
    "guard_never_asked": warn(
        "La garde {guard} de « {trigger} » ne compte jamais : sa condition n'est jamais remplie.",
        "The guard {guard} of '{trigger}' never counts: its condition is never met.",
        "Corrigez « when », ou retirez la garde.", "Correct 'when', or remove the guard.",
    ),
    "guard_always_refuses": warn(
        "Quand la condition de la garde {guard} est remplie, « {trigger} » est toujours refusé.",
        "Whenever the condition of the guard {guard} is met, '{trigger}' is refused.",
        "Retirez plutôt ce cas de ce que la transition laisse passer.",
        "Rather take that case out of what the transition lets pass.",
    ),
    "role_never_passes": warn(
        "« {role} » figure parmi les rôles de « {trigger} », mais les gardes ne le laissent jamais passer.",
        "'{role}' is among the roles of '{trigger}', but the guards never let it pass.",
        "Retirez ce rôle, ou corrigez les gardes.", "Remove the role, or correct the guards.",
    ),
    "choice_never_passes": warn(
        "« {choice} », dans la garde {guard} de « {trigger} », n'est jamais possible : une autre garde l'exclut.",
        "'{choice}', in the guard {guard} of '{trigger}', is never possible: another guard excludes it.",
        "Retirez ce choix, ou corrigez l'autre garde.", "Remove the choice, or correct the other guard.",
    ),
    "effect_never": warn(
        "« {key} » n'est jamais touché par « {trigger} » : la condition n'est jamais remplie.",
        "'{trigger}' never does anything about '{key}': the condition is never met.",
        "Corrigez « when », ou retirez cet effet.", "Correct 'when', or remove the effect.",
    ),
    "never_recorded": warn(
        "Rien sur le chemin de « {trigger} » n'enregistre ce que demande la garde {guard} ({by}).",
        "Nothing on any way to '{trigger}' records what the guard {guard} asks for ({by}).",
        "Rendez l'un de ces déclencheurs possible avant, ou retirez la garde.",
        "Make one of these triggers possible before, or remove the guard.",
    ),
    "record_never_there": warn(
        "La garde {guard} de « {trigger} » demande un élément « {kind} » à l'étape {statuses} : rien n'y mène avant.",
        "The guard {guard} of '{trigger}' asks for a '{kind}' that is {statuses}: no step before it leads there.",
        "Rendez cette étape possible avant, ou retirez la garde.",
        "Make that step possible before, or remove the guard.",
    ),
    "clock_never_runs": warn(
        "La garde {guard} de « {trigger} » tient toujours : « {key} » n'a pu commencer sur aucun chemin jusqu'ici.",
        "The guard {guard} of '{trigger}' always holds: '{key}' cannot have begun on any way to here.",
        "Faites-la commencer avant, ou retirez la garde.", "Begin it before, or remove the guard.",
    ),
    "never_open_here": warn(
        "« {trigger} » finit « {key} », qui n'a pu commencer sur aucun chemin jusqu'ici.",
        "'{trigger}' ends '{key}', which cannot have begun on any way to here.",
        "Faites-le commencer avant, ou retirez-le d'ici.", "Begin it before, or leave it out here.",
    ),
    "record_never_ends": warn(
        "Les éléments du genre « {kind} » ne finissent jamais : de « {status} », on tourne en rond.",
        "Records of the kind '{kind}' never come to an end: from '{status}' they go round in circles.",
        "Ajoutez un état dont rien ne repart.", "Add a state that nothing leads out of.",
    ),
    "same_text": warn(
        "Le français et l'anglais sont le même texte : « {text} ».", "French and English are the same text: '{text}'.",
        "Vérifiez la traduction.", "Check the translation.",
    ),
    "nobody_has_role": warn(
        "Personne n'a le rôle « {role} » : {waiting} l'attendent.",
        "Nobody has the role '{role}': {waiting} wait for it.",
        "Ajoutez quelqu'un : segin staff add.", "Add somebody: segin staff add.",
    ),
}  # fmt: skip
