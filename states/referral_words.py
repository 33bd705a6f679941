"""French and English words for what referrals and consents speak of: information, services, channels.

The codes are what rows and moves carry; `states.casework.referrals` takes no other, and refusals are written with them.
"""

from __future__ import annotations

from typing import Final

from states.pathway import Text

INFORMATION_WORDS: Final = {
    "name": Text("nom", "name"),
    "birth_date": Text("date de naissance", "birth date"),
    "sex": Text("sexe", "sex"),
    "address": Text("adresse", "address"),
    "phone": Text("téléphone", "phone"),
    "household": Text("ménage", "household"),
    "caregiver": Text("personne qui s'occupe de l'enfant", "caregiver"),
    "needs": Text("besoins", "needs"),
    "screening_result": Text("résultat de l'évaluation", "screening result"),
    "medical": Text("informations médicales", "medical information"),
    "documents": Text("pièces du dossier", "documents"),
}
"""What a consent can allow and a referral can share."""

SERVICE_WORDS: Final = {
    "health": Text("santé", "health"),
    "mental_health": Text("santé mentale", "mental health"),
    "psychosocial": Text("appui psychosocial", "psychosocial support"),
    "protection": Text("protection", "protection"),
    "family_tracing": Text("recherche de la famille", "family tracing"),
    "legal": Text("aide juridique", "legal assistance"),
    "documents": Text("pièces d'identité", "civil documents"),
    "shelter": Text("hébergement", "shelter"),
    "food": Text("alimentation", "food"),
    "material": Text("aide matérielle", "material assistance"),
    "financial": Text("aide financière", "financial assistance"),
    "education": Text("éducation", "education"),
    "training": Text("formation professionnelle", "vocational training"),
    "livelihood": Text("moyens d'existence", "livelihood support"),
    "employment": Text("emploi", "employment"),
}
"""The services of the inter-agency form (IASC 2017), and those of a reintegration plan."""

CHANNEL_WORDS: Final = {
    "in_person": Text("en personne", "in person"),
    "phone": Text("téléphone", "phone"),
    "email": Text("courriel", "e-mail"),
    "system": Text("système du partenaire", "the partner's system"),
}

PROGRESS_WORDS: Final = {
    "contacted": Text("personne jointe", "person reached"),
    "appointment": Text("rendez-vous pris", "appointment made"),
    "begun": Text("service commencé", "service begun"),
    "under_way": Text("service en cours", "service under way"),
    "interrupted": Text("service interrompu", "service interrupted"),
}
"""How far the service is that a partner has accepted to give."""

COPY_WORDS: Final = {
    "referrer": Text("service qui oriente", "referring agency"),
    "client": Text("personne orientée", "person referred"),
    "receiver": Text("service qui reçoit", "receiving agency"),
}
"""The three copies of the form."""

SEPARATION_WORDS: Final = {
    "accompanied": Text("accompagné", "accompanied"),
    "separated": Text("séparé", "separated"),
    "unaccompanied": Text("non accompagné", "unaccompanied"),
}
"""Of a minor: with a parent, with another adult, or with none."""

SOURCE_WORDS: Final = {
    "interview": Text("entretien", "interview"),
    "form": Text("formulaire signé", "signed form"),
    "manifest": Text("manifeste d'arrivée", "arrival manifest"),
}
"""How a consent was heard."""
