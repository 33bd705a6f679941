"""Where a subscription may lead, by its channel: an address, a mailbox, a folder of the partner's own, or nowhere.

`subscriptions` checks each new one with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from integrations.bridges.formats import TAKEN
from integrations.webhooks.addresses import check_url
from models.errors import WrongUse
from models.partner import MAILTO, Channel

_MAILBOX: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")


def target_of(channel: Channel, given: str | None, *, partner: str, allow_loopback: bool) -> str:
    """What the subscription keeps as its `url`. Raises WrongUse for an address that is missing, not wanted or none, and
    RefusedUrl for one that is not allowed."""
    if channel in (Channel.FEED, Channel.DROP):
        if given is not None:
            raise WrongUse(
                f"The channel {channel} takes no address.",
                f"Le canal {channel} ne prend pas d'adresse.",
                remedy="Leave --url out: a partner has one feed, and one folder under its own code.",
                remedy_fr="Omettez --url : un partenaire a un seul flux, et un seul dossier à son propre code.",
            )
        return partner if channel == Channel.DROP else ""
    if not given:
        raise WrongUse(
            f"The channel {channel} needs an address.",
            f"Le canal {channel} a besoin d'une adresse.",
            remedy="Give it with --url.",
            remedy_fr="Donnez-la avec --url.",
        )
    if channel == Channel.WEBHOOK:
        check_url(given, allow_loopback=allow_loopback)
        return given
    mailbox = given.removeprefix(MAILTO)
    if not _MAILBOX.fullmatch(mailbox):
        raise WrongUse(
            "That is not one e-mail address.",
            "Ce n'est pas une adresse électronique.",
            remedy="Write it as suivi@partner.example.org, without a name or anything else.",
            remedy_fr="Écrivez-la comme suivi@partner.example.org, sans nom ni rien d'autre.",
        )
    return f"{MAILTO}{mailbox}"


def check_mapped(channel: Channel, event_types: Sequence[str]) -> None:
    """Raises WrongUse where a mapping cannot be the format."""
    if channel != Channel.WEBHOOK or set(event_types) - {TAKEN}:
        raise WrongUse(
            f"A mapping goes with a webhook and with {TAKEN} alone.",
            f"Une correspondance va avec un webhook et avec {TAKEN} seulement.",
            remedy="Give the partner a second subscription in CloudEvents for the rest.",
            remedy_fr="Donnez au partenaire un second abonnement en CloudEvents pour le reste.",
        )
