"""French and English words for what follow-up finds: the answers of visits, tries to reach people, early leaves.

The codes are what rows carry; `states.casework.follow_up` takes no other.
"""

from __future__ import annotations

from typing import Final

from states.pathway import Text

OUTCOME_WORDS: Final = {
    "well": Text("va bien", "doing well"),
    "fragile": Text("situation fragile", "fragile"),
    "struggling": Text("en difficulté", "struggling"),
}

INCOME_WORDS: Final = {
    "none": Text("sans revenu", "no income"),
    "irregular": Text("revenu irrégulier", "irregular income"),
    "regular": Text("revenu régulier", "regular income"),
}

HOUSING_WORDS: Final = {
    "none": Text("sans logement", "no housing"),
    "precarious": Text("logement précaire", "precarious"),
    "stable": Text("logement stable", "stable"),
}

WELL_BEING_WORDS: Final = {
    "poor": Text("mauvais", "poor"),
    "fair": Text("moyen", "fair"),
    "good": Text("bon", "good"),
}

INTENTION_WORDS: Final = {
    "no": Text("veut rester", "means to stay"),
    "unsure": Text("ne sait pas", "unsure"),
    "yes": Text("veut repartir", "means to leave again"),
}
"""Whether the person means to migrate again."""

WHY_WORDS: Final = {
    "no_income": Text("pas de revenu", "no income"),
    "debt": Text("dettes du voyage", "debts of the journey"),
    "family_pressure": Text("attentes de la famille", "expectations of the family"),
    "discrimination": Text("rejet ou honte", "rejection or shame"),
    "insecurity": Text("insécurité", "insecurity"),
    "health": Text("santé", "health"),
    "support_late": Text("appui trop tardif", "support that came too late"),
    "support_unsuitable": Text("appui inadapté", "support that does not suit"),
    "other_plans": Text("autres projets", "other plans"),
    "family_elsewhere": Text("famille ailleurs", "family elsewhere"),
    "unknown": Text("inconnu", "unknown"),
}
"""Why somebody means to leave the country, or the programme."""

CHANGE_WORDS: Final = {
    "income_activity": Text("une activité rémunérée", "an income activity"),
    "earlier_support": Text("un appui plus rapide", "earlier support"),
    "other_service": Text("un autre service", "another service"),
    "training": Text("une formation", "training"),
    "care": Text("des soins ou une écoute", "care, or someone who listens"),
    "mediation": Text("une médiation avec la famille", "mediation with the family"),
    "debt_relief": Text("une solution pour les dettes", "a way out of debt"),
    "another_place": Text("un autre lieu", "another place"),
    "nothing": Text("rien", "nothing"),
    "unknown": Text("inconnu", "unknown"),
}
"""What could change it, and so what services may still do."""

HEARD_WORDS: Final = {
    "person": Text("la personne", "the person"),
    "relative": Text("un proche", "a relative"),
    "nobody": Text("personne", "nobody"),
}

ATTEMPT_WORDS: Final = {
    "phone": Text("téléphone", "phone"),
    "visit": Text("visite", "visit"),
    "relative": Text("proche", "relative"),
    "authority": Text("autorité locale", "local authority"),
}
"""The channels by which staff try to reach somebody."""

RESULT_WORDS: Final = {
    "reached": Text("joint", "reached"),
    "not_reached": Text("non joint", "not reached"),
    "refused": Text("refuse le contact", "refused contact"),
    "moved": Text("a déménagé", "has moved"),
}

MEMBER_WORDS: Final = {
    "head": Text("chef de ménage", "head"),
    "spouse": Text("conjoint", "spouse"),
    "child": Text("enfant", "child"),
    "other": Text("autre", "other"),
    "unknown": Text("non précisé", "not said"),
}
"""The roles in a household."""
