"""The catalogue of events: every type, with the shape of its data as it is announced and as a partner is shown it.

`states.pathways.checks` refuses an announcement that is not in EVENT_TYPES, and what is announced is held to the model
there: it never has details. `integrations.catalogue` publishes the schemas of what partners are shown.
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


class CaseEvent(BaseModel):
    """Thin by intent: a partner learns that something happened to a case that it knows by its code, and asks for
    the details that it may see. `state` is there only for states that the pathway marks as shared."""

    model_config = CLOSED

    case: str = Field(description="Code of the case; never a name or a reference number")
    state: str | None = Field(default=None, description="State that the case is in now, when the pathway shares it")


class DeadlineEvent(CaseEvent):
    """A deadline passed without its work being done."""

    deadline: str = Field(description="Key of the deadline in the pathway")


class ReferralEvent(CaseEvent):
    """Something happened to an orientation to a partner's service. Only the partner to which the person was referred is
    told."""

    referral: str = Field(description="Code of the referral")


class RevocationEvent(CaseEvent):
    """The person took back the consent under which you were shown something of the case: keep nothing of it."""

    referral: str | None = Field(default=None, description="Code of the referral that leans on it, when one does")


class CorrectionEvent(CaseEvent):
    """An earlier event of the case told of a mistake, which was taken back. Only those who received it are told."""

    corrects: str = Field(description="Id of the earlier event")


class ReminderEvent(CaseEvent):
    """An event that you were shown asks for an answer, and none came: acknowledge it, or answer the referral."""

    event: str = Field(description="Id of the event that waits")
    due_at: str = Field(
        description="Until when the answer is awaited; the coordinator of the case is told then",
        json_schema_extra={"format": "date-time"},
    )


class ShownCase(CaseEvent):
    """Something happened to a case."""

    details: Details | None = None


class ShownDeadline(DeadlineEvent):
    """A deadline passed without its work being done."""

    details: Details | None = None


class ShownReferral(ReferralEvent):
    """Something happened to a referral to your service."""

    details: Details | None = None


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
    """`announced` is the data in the outbox (none: no pathway may announce it). `shown` is what a partner gets of it in
    each version, oldest first: a new version is appended, and the earlier ones stay, since what was sent never changes.

    The title is in French and English. A partner is expected to answer what `asks`; what `takes_back` something, or
    `reminds` of an event, needs no consent and has no details.
    """

    announced: type[CaseEvent] | None
    shown: tuple[type[BaseModel], ...]
    fr: str
    en: str
    asks: bool = False
    takes_back: bool = False
    reminds: bool = False

    @property
    def version(self) -> int:
        """The version that is shown today; the first is 1."""
        return len(self.shown)

    @property
    def model(self) -> type[BaseModel]:
        """The data as a partner is shown it today."""
        return self.shown[-1]


CASE: Final = (CaseEvent, (ShownCase,))
DEADLINE: Final = (DeadlineEvent, (ShownDeadline,))
REFERRAL: Final = (ReferralEvent, (ShownReferral,))
REFERRAL_REVOKED: Final = (ReferralEvent, (ReferralEvent,))
CONSENT_REVOKED: Final = (RevocationEvent, (RevocationEvent,))
REMINDER: Final = (ReminderEvent, (ReminderEvent,))
CORRECTION: Final = (CorrectionEvent, (CorrectionEvent,))

CATALOGUE: Final[dict[str, EventType]] = {
    "case.registered": EventType(*CASE, "Dossier enregistré", "Case registered"),
    "case.arrived": EventType(*CASE, "Arrivée confirmée", "Arrival confirmed"),
    "case.advanced": EventType(*CASE, "Dossier passé à un autre état", "Case gone on to another state"),
    "case.held": EventType(*CASE, "Dossier suspendu", "Case put on hold"),
    "case.resumed": EventType(*CASE, "Suspension levée", "Hold ended"),
    "case.closed": EventType(*CASE, "Dossier clôturé", "Case closed"),
    "case.reopened": EventType(*CASE, "Dossier rouvert", "Case opened again"),
    "case.migrated": EventType(
        *CASE, "État du dossier renommé, ou visible désormais", "State of the case renamed, or visible from now on"
    ),
    "case.corrected": EventType(
        *CORRECTION, "Événement antérieur repris", "Earlier event taken back", asks=True, takes_back=True
    ),
    "plan.approved": EventType(*CASE, "Plan de réintégration approuvé", "Reintegration plan approved"),
    "training.enrolled": EventType(*CASE, "Formation commencée", "Training begun"),
    "training.certified": EventType(*CASE, "Formation achevée", "Training completed"),
    "grant.approved": EventType(*CASE, "Appui économique approuvé", "Livelihood grant approved"),
    "grant.delivered": EventType(*CASE, "Kit remis", "Kit delivered"),
    "visit.recorded": EventType(*CASE, "Visite de suivi effectuée", "Follow-up visit made"),
    "deadline.overdue": EventType(*DEADLINE, "Délai dépassé", "Deadline passed"),
    "referral.made": EventType(*REFERRAL, "Personne orientée vers vous", "Person referred to you", asks=True),
    "referral.answered": EventType(*REFERRAL, "Réponse à l'orientation enregistrée", "Answer to the referral recorded"),
    "referral.progressed": EventType(*REFERRAL, "Service en cours", "Service under way"),
    "referral.done": EventType(*REFERRAL, "Service rendu", "Service given"),
    "referral.revoked": EventType(
        *REFERRAL_REVOKED, "Orientation retirée", "Referral taken back", asks=True, takes_back=True
    ),
    "referral.expired": EventType(*REFERRAL, "Orientation restée sans réponse", "Referral left without an answer"),
    "consent.revoked": EventType(
        *CONSENT_REVOKED, "Consentement retiré", "Consent taken back", asks=True, takes_back=True
    ),
    "acknowledgement.due": EventType(*REMINDER, "Réponse attendue", "Answer awaited", reminds=True),
    "segin.test": EventType(None, (TrialEvent,), "Événement d'essai", "Test event"),
}

# What a pathway may announce and a subscription may name, with the data that it is announced with.
EVENT_TYPES: Final[dict[str, type[CaseEvent]]] = {
    name: kind.announced for name, kind in CATALOGUE.items() if kind.announced is not None
}
