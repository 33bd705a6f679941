"""What became of an attempt, as a code and in plain words.

The sender gives the codes; lists and pages show the words.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, NamedTuple


class Words(NamedTuple):
    """A text in both languages."""

    fr: str
    en: str


OK: Final = "ok"
GONE: Final = "gone"
REDIRECT: Final = "redirect"
TIMEOUT: Final = "timeout"
CONNECTION_REFUSED: Final = "connection_refused"
CONNECTION_FAILED: Final = "connection_failed"
CONNECTION_LOST: Final = "connection_lost"
BAD_ANSWER: Final = "bad_answer"
NAME_NOT_FOUND: Final = "name_not_found"
TLS_FAILED: Final = "tls_failed"
REFUSED_ADDRESS: Final = "refused_address"
REFUSED_URL: Final = "refused_url"
NOT_IN_CATALOGUE: Final = "not_in_catalogue"
INTERNAL_ERROR: Final = "internal_error"
WITHHELD: Final = "withheld"
NOT_OVER_THE_BRIDGE: Final = "not_over_the_bridge"

FAILING_TOO_LONG: Final = "failing_too_long"
"""Why a subscription is disabled that nobody has answered for days; the outcome of no attempt."""

FINAL: Final = frozenset({GONE, NOT_IN_CATALOGUE, NOT_OVER_THE_BRIDGE, WITHHELD})
"""Outcomes after which trying again cannot help."""

NOT_OF_ENDPOINT: Final = frozenset({NOT_IN_CATALOGUE, NOT_OVER_THE_BRIDGE, INTERNAL_ERROR, WITHHELD})
"""Outcomes that say nothing about the endpoint: it was not asked."""

_WORDS: Final = {
    OK: Words("reçu par le partenaire", "received by the partner"),
    GONE: Words(
        "le partenaire ne veut plus rien recevoir à cette adresse (410)",
        "the partner wants nothing more at this address (410)",
    ),
    REDIRECT: Words(
        "le partenaire renvoie vers une autre adresse ; l'adresse de l'abonnement est à corriger",
        "the partner points to another address; the subscription's URL needs correcting",
    ),
    TIMEOUT: Words("pas de réponse dans le délai", "no answer in time"),
    CONNECTION_REFUSED: Words(
        "rien n'écoute à cette adresse (connexion refusée)", "nothing listens at this address (connection refused)"
    ),
    CONNECTION_FAILED: Words("la connexion n'a pas pu être établie", "no connection could be made"),
    CONNECTION_LOST: Words("la connexion a été coupée avant la réponse", "the connection broke before the answer"),
    BAD_ANSWER: Words("la réponse n'est pas du HTTP valable", "the answer is not proper HTTP"),
    NAME_NOT_FOUND: Words("le nom d'hôte est introuvable (DNS)", "the host name cannot be found (DNS)"),
    TLS_FAILED: Words(
        "le certificat ou la connexion sécurisée n'est pas valable",
        "the certificate or the secure connection is not valid",
    ),
    REFUSED_ADDRESS: Words(
        "le nom d'hôte mène à une adresse non publique ; rien n'a été envoyé",
        "the host name leads to an address that is not public; nothing was sent",
    ),
    REFUSED_URL: Words(
        "l'adresse de l'abonnement n'est pas permise ; rien n'a été envoyé",
        "the subscription's URL is not allowed; nothing was sent",
    ),
    NOT_IN_CATALOGUE: Words(
        "l'événement n'est pas dans le catalogue ; rien n'a été envoyé",
        "the event is not in the catalogue; nothing was sent",
    ),
    NOT_OVER_THE_BRIDGE: Words(
        "la correspondance ne peut pas mettre l'événement dans la forme de l'autre système ; rien n'a été envoyé",
        "the mapping cannot put the event into the other system's form; nothing was sent",
    ),
    WITHHELD: Words(
        "l'accord ou le consentement ne le permet pas ; rien n'a été envoyé",
        "the agreement or the consent does not allow it; nothing was sent",
    ),
    INTERNAL_ERROR: Words("erreur interne de Segin ; voir le journal", "internal error of Segin; see the log"),
}

CODES: Final = frozenset(_WORDS)
"""All outcomes but `http_<status>`."""

_TOO_LONG: Final = Words(
    "aucun envoi n'a abouti depuis plus de cinq jours", "no delivery has got through for more than five days"
)


def of_status(status: int) -> str:
    """The outcome that an HTTP status stands for."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return OK
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return REDIRECT
    return GONE if status == HTTPStatus.GONE else f"http_{status}"


def in_words(outcome: str) -> Words:
    """An outcome, or the reason why a delivery is dead or a subscription disabled, for a person to read."""
    known = _TOO_LONG if outcome == FAILING_TOO_LONG else _WORDS.get(outcome)
    if known is not None:
        return known
    status = outcome.removeprefix("http_")
    return Words(f"le partenaire a répondu par une erreur ({status})", f"the partner answered with an error ({status})")
