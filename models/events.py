"""The catalogue of events: every type that a partner may receive, with the shape of its data in each version.

`states.pathways.checks` refuses an announcement that is not in EVENT_TYPES; `integrations.catalogue` publishes the
schemas, and what is sent is validated here last.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, create_model

from models.shared_fields import SHARED_FIELDS

KINDS: Final[dict[str, Any]] = {"string": str, "date": date, "boolean": bool, "integer": int, "list": list[str]}
CLOSED: Final = ConfigDict(extra="forbid", frozen=True)
SHARED: Final[dict[str, Any]] = {
    name: (KINDS[field.kind] | None, Field(default=None, description=f"{field.fr} / {field.en}"))
    for name, field in SHARED_FIELDS.items()
}

Details: Final = create_model(
    "Details",
    __config__=CLOSED,
    __doc__="What the agreement and the person's consent let the partner see of the case at that moment.",
    **SHARED,
)


class ThinEvent(BaseModel):
    """A partner learns that something happened to a case that it knows by its code, and asks for what it may see.
    `state` is there only for states that the pathway marks as shared."""

    model_config = CLOSED

    case: str = Field(description="Code of the case; never a name or a reference number")
    state: str | None = Field(default=None, description="State that the case is in now, when the pathway shares it")


class CaseEvent(ThinEvent):
    """Something happened to a case."""

    details: Details | None = None  # left out where an event is announced: they are each partner's own


class DeadlineEvent(CaseEvent):
    """A deadline passed without its work being done."""

    deadline: str = Field(description="Key of the deadline in the pathway")


class ReferralEvent(CaseEvent):
    """Something happened to an orientation to a partner's service. Only the partner to which the person was referred is
    told."""

    referral: str = Field(description="Code of the referral")


class RevocationEvent(ThinEvent):
    """A referral, or the consent that it leans on, was taken back. Only the partner that received it is told, without
    details: nothing more may be shared on the strength of it."""

    referral: str = Field(description="Code of the referral")


class CorrectionEvent(ThinEvent):
    """An earlier event of the case told of a mistake, which was taken back. Only those who received it are told."""

    corrects: str = Field(description="Id of the earlier event")


class TrialMessage(BaseModel):
    """What a test event says, for whoever reads the logs of a receiver."""

    model_config = CLOSED

    fr: str = Field(description="The message in French")
    en: str = Field(description="The message in English")


class TrialEvent(BaseModel):
    """Somebody tries a subscription out. It is about no case."""

    model_config = CLOSED

    message: TrialMessage


class EventType(NamedTuple):
    """`models` has the data of each version, oldest first: a new version is appended, and the earlier ones stay, since
    what was sent is never changed. The title is in French and English. A partner is expected to answer what `asks`;
    what `takes_back` something needs no consent and has no details."""

    models: tuple[type[BaseModel], ...]
    fr: str
    en: str
    asks: bool = False
    takes_back: bool = False

    @property
    def version(self) -> int:
        """The version that is sent today; the first is 1."""
        return len(self.models)

    @property
    def model(self) -> type[BaseModel]:
        """The data as it is sent today."""
        return self.models[-1]


CASE: Final = (CaseEvent,)
REFERRAL: Final = (ReferralEvent,)

CATALOGUE: Final[dict[str, EventType]] = {
    "case.registered": EventType(CASE, "Dossier enregistré", "Case registered"),
    "case.arrived": EventType(CASE, "Arrivée confirmée", "Arrival confirmed"),
    "case.advanced": EventType(CASE, "Dossier passé à un autre état", "Case gone on to another state"),
    "case.held": EventType(CASE, "Dossier suspendu", "Case put on hold"),
    "case.resumed": EventType(CASE, "Suspension levée", "Hold ended"),
    "case.closed": EventType(CASE, "Dossier clôturé", "Case closed"),
    "case.reopened": EventType(CASE, "Dossier rouvert", "Case opened again"),
    "case.migrated": EventType(
        CASE, "État du dossier renommé, ou visible désormais", "State of the case renamed, or visible from now on"
    ),
    "case.corrected": EventType(
        (CorrectionEvent,), "Événement antérieur repris", "Earlier event taken back", asks=True, takes_back=True
    ),
    "plan.approved": EventType(CASE, "Plan de réintégration approuvé", "Reintegration plan approved"),
    "training.enrolled": EventType(CASE, "Formation commencée", "Training begun"),
    "training.certified": EventType(CASE, "Formation achevée", "Training completed"),
    "grant.approved": EventType(CASE, "Appui économique approuvé", "Livelihood grant approved"),
    "grant.delivered": EventType(CASE, "Kit remis", "Kit delivered"),
    "visit.recorded": EventType(CASE, "Visite de suivi effectuée", "Follow-up visit made"),
    "deadline.overdue": EventType((DeadlineEvent,), "Délai dépassé", "Deadline passed"),
    "referral.made": EventType(REFERRAL, "Personne orientée vers vous", "Person referred to you", asks=True),
    "referral.answered": EventType(REFERRAL, "Réponse à l'orientation enregistrée", "Answer to the referral recorded"),
    "referral.progressed": EventType(REFERRAL, "Service en cours", "Service under way"),
    "referral.done": EventType(REFERRAL, "Service rendu", "Service given"),
    "referral.revoked": EventType(
        (RevocationEvent,), "Orientation retirée", "Referral taken back", asks=True, takes_back=True
    ),
    "referral.expired": EventType(REFERRAL, "Orientation restée sans réponse", "Referral left without an answer"),
    "consent.revoked": EventType(
        (RevocationEvent,), "Consentement retiré", "Consent taken back", asks=True, takes_back=True
    ),
    "segin.test": EventType((TrialEvent,), "Événement d'essai", "Test event"),
}

# What a pathway may announce and a subscription may name: the types that are about a case, as they are sent today.
EVENT_TYPES: Final[dict[str, type[ThinEvent]]] = {
    name: kind.model for name, kind in CATALOGUE.items() if issubclass(kind.model, ThinEvent)
}
