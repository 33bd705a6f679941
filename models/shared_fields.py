"""The fields of a case that an agreement may let a partner see, and which information a consent must name for each.

`integrations.sharing` reads the values, the event catalogue and the partner API give their shape. Nothing else about a
person leaves Segin.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class SharedField(NamedTuple):
    """`information` is what the consent must name (a code of `states.referral_words`; none: the consent is enough);
    `sensitive` fields (those of sensitive columns, and why a case was closed, which may name an illness) must be listed
    apart in the agreement. `kind` is the JSON type: string, date, boolean, integer or
    list (of strings)."""

    fr: str
    en: str
    kind: str = "string"
    information: str | None = None
    sensitive: bool = False


SHARED_FIELDS: Final[dict[str, SharedField]] = {
    "region": SharedField("région de retour (P-code)", "region of return (P-code)"),
    "district": SharedField("cercle de retour (P-code)", "district of return (P-code)"),
    "office": SharedField("bureau qui suit le dossier", "office that follows the case"),
    "arrival_date": SharedField("date d'arrivée", "date of arrival", "date"),
    "departure_country": SharedField("pays de départ", "country of departure"),
    "closure_reason": SharedField("motif de clôture", "reason of closure", sensitive=True),
    "family_name": SharedField("nom de famille", "family name", information="name"),
    "given_names": SharedField("prénoms", "given names", information="name"),
    "sex": SharedField("sexe", "sex", information="sex"),
    "birth_date": SharedField("date de naissance", "birth date", "date", information="birth_date"),
    "birth_precision": SharedField("précision de la date de naissance", "precision of it", information="birth_date"),
    "phone": SharedField("téléphone", "phone", information="phone"),
    "needs": SharedField("besoins du plan", "needs of the plan", "list", "needs", sensitive=True),
    "priority": SharedField("priorité", "priority", information="needs", sensitive=True),
    "vulnerabilities": SharedField("vulnérabilités", "vulnerabilities", "list", "screening_result", sensitive=True),
    "referral_services": SharedField("services demandés", "services asked for", "list", "needs", sensitive=True),
    "referral_priority": SharedField(
        "priorité de l'orientation", "priority of the referral", information="needs", sensitive=True
    ),
    "referral_reason": SharedField("motif de l'orientation", "reason of the referral", "string", "needs", True),
    "referral_contact": SharedField("personne à contacter", "whom to contact", information="phone"),
}
