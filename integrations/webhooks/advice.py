"""What helps after an attempt, by its outcome, for whoever looks after a partner. `segin partner test` shows it."""

from __future__ import annotations

from typing import Final

from integrations.webhooks import outcomes
from integrations.webhooks.outcomes import Words

_NETWORK: Final = Words(
    "Demandez au partenaire si son serveur est en marche et si son pare-feu laisse passer nos requêtes.",
    "Ask the partner whether its server is up and whether its firewall lets our requests through.",
)
_ADDRESS: Final = Words(
    "Demandez au partenaire une adresse https:// publique, puis abonnez-la.",
    "Ask the partner for a public https:// address, and subscribe that one.",
)
_OURS: Final = Words("Prévenez qui s'occupe de Segin.", "Tell whoever looks after Segin.")

_ADVICE: Final = {
    outcomes.OK: Words("Il n'y a rien à faire.", "There is nothing to do."),
    outcomes.GONE: Words(
        "Demandez au partenaire où il veut recevoir les événements ; ici il n'en veut plus.",
        "Ask the partner where it wants its events; it wants no more here.",
    ),
    outcomes.REDIRECT: Words(
        "Demandez au partenaire l'adresse définitive : les renvois ne sont pas suivis.",
        "Ask the partner for the final address: redirects are not followed.",
    ),
    outcomes.TIMEOUT: Words(
        "Le partenaire doit répondre en moins de 15 secondes et faire son travail après ; sinon, son pare-feu nous "
        "bloque.",
        "The partner must answer within 15 seconds and do its work afterwards; else its firewall keeps us out.",
    ),
    outcomes.CONNECTION_REFUSED: _NETWORK,
    outcomes.CONNECTION_FAILED: _NETWORK,
    outcomes.CONNECTION_LOST: _NETWORK,
    outcomes.BAD_ANSWER: Words(
        "L'adresse mène à un serveur qui n'est pas un serveur web : vérifiez l'adresse et le port avec le partenaire.",
        "The address leads to a server that is no web server: check the address and the port with the partner.",
    ),
    outcomes.NAME_NOT_FOUND: Words(
        "Vérifiez l'orthographe de l'adresse avec le partenaire.", "Check the spelling of the address with the partner."
    ),
    outcomes.TLS_FAILED: Words(
        "Le partenaire doit renouveler ou corriger son certificat : périmé, auto-signé ou d'un autre nom.",
        "The partner must renew or correct its certificate: expired, self-signed or of another name.",
    ),
    outcomes.REFUSED_ADDRESS: _ADDRESS,
    outcomes.REFUSED_URL: _ADDRESS,
    outcomes.NOT_IN_CATALOGUE: _OURS,
    outcomes.INTERNAL_ERROR: _OURS,
    outcomes.NOT_OVER_THE_BRIDGE: Words(
        "`segin bridge preview` nomme le champ qui manque ; corrigez la correspondance ou l'accord, puis renvoyez-le.",
        "`segin bridge preview` names the missing field; correct the mapping or the agreement, then send it again.",
    ),
    outcomes.WITHHELD: Words(
        "`segin sharing DOSSIER` dit pourquoi ; une fois l'accord ou le consentement enregistré, renvoyez-le.",
        "`segin sharing CASE` says why; send it again once the agreement or the consent is recorded.",
    ),
    "http_401": Words(
        "Le partenaire rejette la signature ou veut une authentification : qu'il vérifie son secret et l'heure de son "
        "serveur. `segin partner rotate` lui donne un nouveau secret.",
        "The partner rejects the signature or wants a login: let it check its secret and its server's clock. "
        "`segin partner rotate` gives it a new secret.",
    ),
    "http_404": Words(
        "Le serveur répond mais ne connaît pas ce chemin : vérifiez l'adresse avec le partenaire.",
        "The server answers but does not know this path: check the address with the partner.",
    ),
    "http_405": Words(
        "L'adresse n'accepte pas les POST : vérifiez-la avec le partenaire.",
        "The address takes no POST: check it with the partner.",
    ),
    "http_429": Words(
        "Le partenaire demande du temps ; réessayez plus tard.", "The partner asks for time; try again later."
    ),
    "http_503": Words(
        "Le partenaire est en maintenance ou surchargé ; réessayez plus tard.",
        "The partner is being maintained or overloaded; try again later.",
    ),
}

_SAME: Final = {"http_400": "http_401", "http_403": "http_401"}
"""Receivers answer a signature that does not hold with any of them."""


def what_to_do(outcome: str) -> Words:
    """What helps after an outcome, for a person to read."""
    code = _SAME.get(outcome, outcome)
    if code in _ADVICE:
        return _ADVICE[code]
    if outcome.startswith("http_5"):
        return Words(
            "Le serveur du partenaire a une panne : donnez-lui l'heure et l'identifiant de l'envoi, ses journaux "
            "disent le reste.",
            "The partner's server is broken: give it the time and the id of the event, its logs say the rest.",
        )
    return Words(
        "Le partenaire refuse la requête : donnez-lui l'identifiant de l'envoi, ses journaux disent pourquoi.",
        "The partner refuses the request: give it the id of the event, its logs say why.",
    )
