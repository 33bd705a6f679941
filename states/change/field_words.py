"""French and English words for the parts and fields of a pathway file. `states.change.sentences` speaks with them."""

from __future__ import annotations

from typing import Final

from states.change.comparison import ChangeKind
from states.pathway import Text

PART_WORDS: Final = {
    "states": Text("étape", "state"),
    "tasks": Text("tâche", "task"),
    "deadlines": Text("échéance", "deadline"),
    "timers": Text("minuterie", "timer"),
    "triggers": Text("action", "action"),
    "roles": Text("rôle", "role"),
    "fields": Text("donnée", "field"),
    "records": Text("élément du dossier", "record"),
    "vulnerabilities": Text("urgence d'une vulnérabilité", "urgency of a vulnerability"),
    "care.levels": Text("niveau de soin selon un instrument", "level of care by an instrument"),
    "care.flags": Text("niveau de soin selon une alerte", "level of care by a flag"),
    "reasons.close": Text("motif de clôture", "closing reason"),
    "reasons.hold": Text("motif de suspension", "hold reason"),
    "reasons.record": Text("motif d'une étape", "reason of a step"),
    "reasons.waive": Text("motif de dérogation", "reason of a waiver"),
    "pathway": Text("parcours", "pathway"),
}

VERBS: Final = {
    ChangeKind.ADDED: Text("Ajout", "Added"),
    ChangeKind.REMOVED: Text("Retrait", "Removed"),
}

FIELD_WORDS: Final = {
    "title": Text("nom", "name"),
    "timezone": Text("fuseau horaire", "time zone"),
    "initial": Text("étape de départ", "first state"),
    "calendar.weekend": Text("jours de repos", "rest days"),
    "calendar.holidays": Text("pays des jours fériés", "country of the holidays"),
    "calendar.days_off": Text("jours chômés", "days off"),
    "calendar.working_days": Text("jours travaillés", "days worked"),
    "care.notes": Text("qui lit les notes des séances", "who reads the notes of sessions"),
    "registration.announce": Text("annonces à l'enregistrement", "announcements at registration"),
    "registration.open": Text("tâches ouvertes à l'enregistrement", "tasks opened at registration"),
    "registration.set": Text("échéances fixées à l'enregistrement", "deadlines set at registration"),
    "kind": Text("genre", "kind"),
    "shared": Text("connue des partenaires", "known to partners"),
    "on_entry": Text("ce qui commence à l'entrée", "what entering begins"),
    "on_entry.open": Text("tâches ouvertes à l'entrée", "tasks opened on entry"),
    "on_entry.set": Text("échéances fixées à l'entrée", "deadlines set on entry"),
    "on_return": Text("ce qui commence au retour", "what returning begins"),
    "on_return.open": Text("tâches ouvertes au retour", "tasks opened on return"),
    "on_return.set": Text("échéances fixées au retour", "deadlines set on return"),
    "role": Text("revient à", "whose it is"),
    "owner": Text("responsable", "owner"),
    "state": Text("étape", "state"),
    "states": Text("étapes", "states"),
    "record": Text("élément du dossier", "record"),
    "made_with": Text("fait avec", "made with"),
    "priority": Text("priorité", "priority"),
    "base": Text("compté depuis", "counted from"),
    "due": Text("délai", "time allowed"),
    "before": Text("avance", "earlier by"),
    "reminders": Text("rappels", "reminders"),
    "ladder": Text("escalade", "ladder"),
    "urgent": Text("surveillée toute la journée", "watched all day"),
    "announce": Text("annonces", "announcements"),
    "waiver": Text("dérogation", "waiver"),
    "waiver.extend": Text("report au plus", "more time, at most"),
    "waiver.lift": Text("peut être levée", "may be lifted"),
    "waiver.times": Text("nombre de fois", "number of times"),
    "trigger": Text("déclenche", "fires"),
    "reason": Text("motif", "reason"),
    "data": Text("données", "data"),
    "to": Text("mène à", "leads to"),
    "details": Text("écrite avec ce qu'elle représente", "written with what it stands for"),
    "takes_back": Text("annule la dernière action", "takes back the last action"),
    "waives": Text("accorde une dérogation", "grants a waiver"),
    "roles": Text("qui", "who"),
    "guards": Text("conditions", "conditions"),
    "tasks.open": Text("tâches ouvertes", "tasks opened"),
    "tasks.complete": Text("tâches terminées", "tasks completed"),
    "tasks.cancel": Text("tâches annulées", "tasks cancelled"),
    "deadlines.set": Text("échéances fixées", "deadlines set"),
    "deadlines.meet": Text("échéances tenues", "deadlines met"),
    "deadlines.cancel": Text("échéances annulées", "deadlines cancelled"),
}

WHEN_WORDS: Final = {
    "priority": Text("priorité", "priority"),
    "reason": Text("motif", "reason"),
    "data": Text("données", "data"),
    "need": Text("besoin du plan", "need of the plan"),
    "without": Text("sans", "without"),
}
