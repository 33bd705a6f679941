"""Why a referral does not go over a bridge: said with the field, never with what the field holds."""

from __future__ import annotations

from models.errors import SeginError


class NotOverTheBridge(SeginError):
    """The event cannot be put into the other system's form. `field` is the field of that system that cannot be filled
    (none: the event itself is not what the bridge takes)."""

    def __init__(self, en: str, fr: str, *, remedy: str, remedy_fr: str, field: str | None = None) -> None:
        super().__init__(en, fr, remedy=remedy, remedy_fr=remedy_fr)
        self.field = field


def not_a_referral(mapping: str) -> NotOverTheBridge:
    """The body is not a `referral.made` event with the shape of the catalogue."""
    return NotOverTheBridge(
        f"The mapping {mapping} takes referral.made events with their details; this is none.",
        f"La correspondance {mapping} prend les événements referral.made et leurs détails ; ceci n'en est pas un.",
        remedy="Let the subscription ask for referral.made alone.",
        remedy_fr="Ne demandez que referral.made dans l'abonnement.",
    )


def missing(mapping: str, field: str, source: str) -> NotOverTheBridge:
    """A field that the mapping requires has no value in this event."""
    return NotOverTheBridge(
        f"The mapping {mapping} needs {source} for {field}, and the event does not have it.",
        f"La correspondance {mapping} a besoin de {source} pour {field}, et l'événement ne l'a pas.",
        remedy="See whether the agreement and the person's consent name it, or take 'required' off in the mapping.",
        remedy_fr="Voyez si l'accord et le consentement le nomment, ou retirez « required » dans la correspondance.",
        field=field,
    )


def no_code(mapping: str, field: str, source: str, table: str) -> NotOverTheBridge:
    """A code of this event is not in the table that should translate it."""
    return NotOverTheBridge(
        f"The mapping {mapping} cannot fill {field}: the table {table} has nothing for what {source} says.",
        f"La correspondance {mapping} ne remplit pas {field} : la table {table} n'a rien pour ce que dit {source}.",
        remedy=f"Add the code to the table {table} of the mapping file.",
        remedy_fr=f"Ajoutez le code à la table {table} du fichier de correspondance.",
        field=field,
    )


def wrong_kind(mapping: str, field: str, source: str) -> NotOverTheBridge:
    """A field of this event does not hold what such a field holds (a list where a text stands, no date)."""
    return NotOverTheBridge(
        f"The mapping {mapping} cannot fill {field}: {source} is not of its kind in this event.",
        f"La correspondance {mapping} ne remplit pas {field} : {source} n'est pas du bon genre dans l'événement.",
        remedy="The event was not made by this version of Segin; report it with its id.",
        remedy_fr="L'événement ne vient pas de cette version de Segin ; signalez-le avec son identifiant.",
        field=field,
    )
