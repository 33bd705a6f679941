"""Guards of what goes to partners, of reaching people, and of letting them go: consents, referrals, follow-up."""

from __future__ import annotations

from datetime import datetime, timedelta

from states.facts import AttemptFact, Facts
from states.guards.binding import Lacking, guard
from states.guards.general import Clock
from states.moves import Move

PARTNER = "partner"
"""The role of a partner's system, and the field of data that names a partner by its id."""

TAKEN_ON = ("accepted", "done")
"""Where a referral is whose receiver took the person on."""


@guard(
    reads=("consents",),
    asks="partner",
    missing="consents.sharing",
    fr="Il faut un consentement de la personne qui nomme ce partenaire et tout ce qui lui est transmis.",
    en="The person's consent must name this partner and everything that is shared with it.",
)
def consent_names(facts: Facts, move: Move, _now: datetime) -> bool | Lacking:
    """What the person said of the partner by name counts before what they said of any partner."""
    partner, information = move.data.get(PARTNER), move.data.get("information", ())
    if not isinstance(partner, int | str) or not isinstance(information, list | tuple):
        return False
    named = partner if isinstance(partner, int) and partner in facts.shares else None
    allowed = facts.shares.get(named)
    if allowed is None:
        return False
    lacking = tuple(code for code in information if code not in allowed)
    return Lacking("information", lacking) if lacking else True


@guard(
    reads=("records",),
    missing="actor.partner",
    fr="Seul le partenaire qui a reçu l'orientation peut y répondre.",
    en="Only the partner that received the referral can answer it.",
)
def receiver_answers(facts: Facts, move: Move, _now: datetime) -> bool:
    """Staff may write down what any partner told them; a partner's system answers for itself."""
    asking = move.actor.partner_id
    if asking is None:
        return move.actor.role != PARTNER
    found = facts.records.get(move.record or "")
    return found is None or found.partner_id == asking


@guard(
    reads=("records",),
    missing="actor.partner",
    fr="Seul un partenaire qui a accepté une orientation de la personne peut en rendre compte.",
    en="Only a partner that accepted a referral of the person can report about them.",
)
def serves_person(facts: Facts, move: Move, _now: datetime) -> bool:
    """Staff report of everybody; a partner's system of whom it took on, also after it has served them."""
    asking = move.actor.partner_id
    if asking is None:
        return move.actor.role != PARTNER
    return any(
        found.kind == "referral" and found.partner_id == asking and found.status in TAKEN_ON
        for found in facts.records.values()
    )


@guard(
    reads=("attempts",),
    recorded_by=("record_contact_attempt",),
    missing="attempts",
    fr="Le contact n'est perdu qu'après {minimum} essais sans succès, par {channels} moyens, sur {days} jours.",
    en="Contact is lost only after {minimum} tries without success, by {channels} channels, over {days} days.",
)
def contact_attempts(facts: Facts, _move: Move, _now: datetime, *, minimum: int, channels: int, days: int) -> bool:
    """Only the tries since the person was last reached count."""
    failed = _failed(facts.attempts)
    return (
        len(failed) >= max(minimum, 1)
        and len({attempt.channel for attempt in failed}) >= channels
        and failed[-1].at - failed[0].at >= timedelta(days=days)
    )


@guard(
    reads=("exit_talks",),
    recorded_by=("record_exit_talk",),
    missing="exit_talks",
    fr="Demandez d'abord pourquoi la personne part, et ce qui pourrait changer.",
    en="Ask first why the person leaves, and what could change it.",
)
def exit_talked(facts: Facts, move: Move, _now: datetime) -> bool:
    return move.reason in facts.exit_talks


@guard(
    reads=("deadlines",),
    missing="open_deadlines.{deadline}",
    fr="« {deadline} » n'est plus attendu : c'est fait, ou levé.",
    en="“{deadline}” is not awaited any more: it is done, or waived.",
)
def awaited(facts: Facts, _move: Move, _now: datetime, *, deadline: Clock) -> bool:
    return deadline in facts.open_deadlines


def _failed(attempts: tuple[AttemptFact, ...]) -> list[AttemptFact]:
    failed: list[AttemptFact] = []
    for attempt in attempts:
        failed = [] if attempt.result in ("reached", "refused") else [*failed, attempt]
    return failed
