"""The words of problems that show when a pathway is walked: states, guards and parts that no case ever comes to.

`states.pathways.source` looks them up by code; `states.pathways.reach` and `states.pathways.checker` find them.
"""

from __future__ import annotations

from typing import Final

from states.pathways.problems import say

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
        "Aucun objet du genre « {kind} » n'est jamais « {status} ».",
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
}  # fmt: skip
