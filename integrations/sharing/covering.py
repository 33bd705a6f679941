"""Whether a partner may see something of a case, on which grounds and which fields: rules over plain values.

`projection` asks for each event. Nothing is shown without an agreement that covers it and a consent in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.events import CATALOGUE
from models.shared_fields import SHARED_FIELDS

NEED_NO_CONSENT: Final = frozenset(name for name, kind in CATALOGUE.items() if kind.takes_back or kind.reminds)
"""Events that take something back or remind of it. They carry no details and go to whoever was shown what they are
about, agreement and consent or not."""


class Reason(StrEnum):
    """Why something is withheld."""

    NO_AGREEMENT = "no_agreement"
    NO_CONSENT = "no_consent"
    NOTHING_SHOWN = "nothing_shown"
    TAKEN_BACK = "taken_back"
    OTHERS_REFERRAL = "others_referral"
    NOT_IN_CATALOGUE = "not_in_catalogue"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an agreement in force lets its partner see. Empty `regions` or `programmes` mean all; `fields` are codes of
    `SHARED_FIELDS`, the sensitive ones included."""

    agreement_id: int
    partner_id: int
    purpose: str
    event_types: frozenset[str]
    regions: frozenset[str]
    programmes: frozenset[str]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person answered (`models.consents`); `given` is false for a refusal and for what was taken back."""

    consent_id: int
    purpose: str
    partner_id: int | None
    any_partner: bool
    given: bool
    information: frozenset[str]


@dataclass(frozen=True, slots=True)
class Happening:
    """What a partner would be told of: the type of the event, and where and on which pathway the case is."""

    event_type: str
    region: str | None
    programme: str


@dataclass(frozen=True, slots=True)
class Shown:
    """It may be shown with these fields, in the order of `SHARED_FIELDS`. What needs no consent leans on nothing."""

    agreement_id: int | None
    consent_id: int | None
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """It may not be shown."""

    reason: Reason


BARE: Final = Shown(None, None, ())


def cover(happening: Happening, partner_id: int, terms: Sequence[Terms], answers: Sequence[Answer]) -> Shown | Withheld:
    """What this partner may see of it. `terms` are agreements in force, `answers` those of the person, the oldest
    first. Where several agreements allow it, the one that shows most fields counts, the oldest of those."""
    covering = [each for each in terms if each.partner_id == partner_id and covers(each, happening)]
    if not covering:
        return Withheld(Reason.NO_AGREEMENT)
    allowed = [
        Shown(each.agreement_id, consent.consent_id, remaining_fields(each, consent))
        for each in covering
        if (consent := consent_in_force(each.purpose, partner_id, answers)) is not None
    ]
    if not allowed:
        return Withheld(Reason.NO_CONSENT)
    return max(allowed, key=lambda each: (len(each.fields), -(each.agreement_id or 0)))


def follow_up(*, shown_before: bool) -> Shown | Withheld:
    """What needs no consent goes to whoever was shown what it is about."""
    return BARE if shown_before else Withheld(Reason.NOTHING_SHOWN)


def covers(terms: Terms, happening: Happening) -> bool:
    """Whether the agreement names the event's type, and the case's region and pathway. A case of no region is covered
    only where all regions are."""
    return (
        happening.event_type in terms.event_types
        and (not terms.regions or happening.region in terms.regions)
        and (not terms.programmes or happening.programme in terms.programmes)
    )


def consent_in_force(purpose: str, partner_id: int, answers: Sequence[Answer]) -> Answer | None:
    """The answer that allows it; none when the person did not, said no, or took it back: the newest one counts.

    Sharing: what was said of this very partner, else (if nothing was) what was said of any partner. Assistance: what
    was said of the programme or of this partner.
    """
    asked = [each for each in answers if each.purpose == purpose]
    own = [each for each in asked if each.partner_id == partner_id]
    if purpose == "sharing":
        heard = own or [each for each in asked if each.any_partner and each.partner_id is None]
    else:
        heard = [each for each in asked if each.partner_id in (None, partner_id)]
    return heard[-1] if heard and heard[-1].given else None


def remaining_fields(terms: Terms, consent: Answer) -> tuple[str, ...]:
    """The fields of the agreement for which the consent names the information, in the order of `SHARED_FIELDS`."""
    return tuple(
        name
        for name, field in SHARED_FIELDS.items()
        if name in terms.fields and (field.information is None or field.information in consent.information)
    )
