"""Every error of the partner API, as `application/problem+json` (RFC 9457) in the caller's language, French first.

Routes raise `Problem` by the name of its kind; `integrations.api.gate` and `integrations.api.errors` answer with it.
A problem never repeats what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from fastapi import HTTPException
from pydantic import BaseModel, Field

from states.moves import Reason
from states.pathway import Text

Language = Literal["fr", "en"]

MEDIA_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """A kind of problem: its HTTP status, its title, and the sentence that says what happened and what to do."""

    status: int
    title: Text
    detail: Text


_NO_TOKEN: Final = Text("Accès refusé", "Not authenticated")

KINDS: Final[dict[str, Kind]] = {
    "bad_request": Kind(
        400,
        Text("Demande illisible", "Unreadable request"),
        Text("La demande ne peut pas être lue : vérifiez sa forme.", "The request cannot be read: check its form."),
    ),
    "bad_json": Kind(
        400,
        Text("JSON illisible", "Unreadable JSON"),
        Text("Le corps de la demande n'est pas du JSON en UTF-8.", "The body of the request is no JSON in UTF-8."),
    ),
    "bad_cursor": Kind(
        400,
        Text("Curseur inconnu", "Unknown cursor"),
        Text(
            "Ce curseur ne vient pas d'une page précédente : recommencez sans curseur.",
            "This cursor does not come from an earlier page: begin again without one.",
        ),
    ),
    "key_missing": Kind(
        400,
        Text("Clé d'idempotence absente", "No idempotency key"),
        Text(
            "Chaque écriture porte un en-tête Idempotency-Key de 1 à 255 caractères ASCII visibles.",
            "Each write carries an Idempotency-Key header of 1 to 255 visible ASCII characters.",
        ),
    ),
    "token_missing": Kind(
        401,
        _NO_TOKEN,
        Text("Donnez votre jeton : Authorization: Bearer …", "Give your token: Authorization: Bearer …"),
    ),
    "token_unknown": Kind(401, _NO_TOKEN, Text("Ce jeton n'est pas connu.", "This token is not known.")),
    "token_expired": Kind(
        401,
        _NO_TOKEN,
        Text("Ce jeton a expiré : demandez-en un nouveau.", "This token has expired: ask for a new one."),
    ),
    "token_revoked": Kind(
        401,
        _NO_TOKEN,
        Text("Ce jeton a été révoqué : demandez-en un nouveau.", "This token was revoked: ask for a new one."),
    ),
    "partner_paused": Kind(
        403,
        Text("Partenaire en pause", "Partner paused"),
        Text("Vos échanges avec Segin sont suspendus.", "Your exchanges with Segin are paused."),
    ),
    "scope_missing": Kind(
        403,
        Text("Droit manquant", "Scope missing"),
        Text("Votre jeton n'a pas le droit de faire cela.", "Your token has no scope for this."),
    ),
    "not_found": Kind(
        404,
        Text("Introuvable", "Not found"),
        Text("Il n'y a rien de tel pour vous.", "There is no such thing for you."),
    ),
    "method_not_allowed": Kind(
        405,
        Text("Méthode impossible ici", "Method not allowed"),
        Text("L'en-tête Allow dit ce qui est possible.", "The Allow header says what is possible."),
    ),
    "refused": Kind(
        409,
        Text("Impossible pour l'instant", "Not possible now"),
        Text("Rien n'a changé ; `reasons` dit pourquoi.", "Nothing has changed; `reasons` says why."),
    ),
    "still_running": Kind(
        409,
        Text("Demande en cours", "Request under way"),
        Text(
            "La même clé d'idempotence est en cours de traitement : réessayez dans un instant.",
            "The same idempotency key is under way: try again in a moment.",
        ),
    ),
    "stale": Kind(
        412,
        Text("Version dépassée", "Stale version"),
        Text(
            "La ressource a changé depuis votre lecture : relisez-la, puis décidez.",
            "The resource has changed since you read it: read it again, then decide.",
        ),
    ),
    "too_large": Kind(
        413,
        Text("Demande trop grande", "Request too large"),
        Text("Le corps dépasse la limite.", "The body is too long."),
    ),
    "unsupported_type": Kind(
        415,
        Text("Type non accepté", "Unsupported media type"),
        Text("Envoyez du JSON : Content-Type: application/json.", "Send JSON: Content-Type: application/json."),
    ),
    "invalid": Kind(
        422,
        Text("Contenu invalide", "Invalid content"),
        Text("`errors` dit ce qui ne convient pas.", "`errors` says what does not fit."),
    ),
    "wrong_use": Kind(
        422,
        Text("Contenu invalide", "Invalid content"),
        Text("La demande ne convient pas.", "The request does not fit."),
    ),
    "key_reused": Kind(
        422,
        Text("Clé d'idempotence déjà prise", "Idempotency key taken"),
        Text(
            "Cette clé a servi à une autre demande : prenez-en une nouvelle.",
            "This key was used for another request: take a new one.",
        ),
    ),
    "too_many": Kind(
        429,
        Text("Trop de demandes", "Too many requests"),
        Text("Attendez le temps que dit Retry-After.", "Wait for as long as Retry-After says."),
    ),
    "failed": Kind(
        500,
        Text("Erreur de Segin", "Segin failed"),
        Text(
            "Rien n'a été gardé à moitié. Citez `code` à l'équipe de Segin.",
            "Nothing half done was kept. Quote `code` to the people of Segin.",
        ),
    ),
    "unavailable": Kind(
        503,
        Text("Indisponible", "Unavailable"),
        Text("Réessayez plus tard ; c'est sans danger.", "Try again later; that is safe."),
    ),
}


class ProblemReason(BaseModel):
    """One reason why something is refused."""

    code: str = Field(description="Stable code of the reason")
    text: str = Field(description="The reason in words, in the language of the answer")


class ProblemError(BaseModel):
    """One thing in the request that does not fit."""

    at: str = Field(description="Where: body, query, header or path, and the name of the field")
    text: str = Field(description="What does not fit")


class ProblemBody(BaseModel):
    """An error, by RFC 9457. `code` is this answer's own: quote it when you ask about the problem."""

    type: str = Field(description="urn:segin:problem: and the kind of problem; stable")
    title: str
    status: int
    detail: str
    code: str = Field(description="Quote it when you ask about this problem")
    reasons: list[ProblemReason] | None = None
    errors: list[ProblemError] | None = None


class Problem(HTTPException):
    """An answer that is an error. `final`: it was decided upon, so that its idempotency key keeps it."""

    def __init__(
        self,
        kind: str,
        *,
        detail: Text | None = None,
        reasons: Sequence[Reason] = (),
        errors: Sequence[tuple[str, Text]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        found = KINDS[kind]
        super().__init__(found.status, kind, dict(headers or {}))
        self.kind = kind
        self.said = detail or found.detail
        self.reasons = tuple(reasons)
        self.errors = tuple(errors)
        self.final = kind == "refused"

    def body(self, language: Language, code: str) -> str:
        """The problem as JSON text, in this language, with the code to quote."""
        kind = KINDS[self.kind]
        told: dict[str, Any] = {
            "type": f"urn:segin:problem:{self.kind.replace('_', '-')}",
            "title": kind.title.in_(language),
            "status": kind.status,
            "detail": self.said.in_(language),
            "code": code,
        }
        if self.reasons:
            told["reasons"] = [
                {"code": each.code, "text": each.text_fr if language == "fr" else each.text_en} for each in self.reasons
            ]
        if self.errors:
            told["errors"] = [{"at": at, "text": text.in_(language)} for at, text in self.errors]
        return json.dumps(told, ensure_ascii=False)


def language_of(accepted: str | None) -> Language:
    """French or English, whichever the Accept-Language header prefers; French when it does not say."""
    weights: dict[str, float] = {}
    for part in (accepted or "").lower().split(",")[:20]:
        tag, _, rest = part.strip().partition(";")
        language = tag.strip().partition("-")[0]
        if language in ("fr", "en"):
            weights[language] = max(weights.get(language, 0.0), _weight(rest))
    return "en" if weights.get("en", 0.0) > weights.get("fr", 0.0) else "fr"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route documents: these, and those that any route can give."""
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    titles: dict[int, list[str]] = {}
    for name, kind in KINDS.items():
        titles.setdefault(kind.status, []).append(name.replace("_", "-"))
    return {
        status: {"description": ", ".join(titles[status]), "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted({*statuses, 400, 401, 403, 413, 422, 429, 500, 503})
    }
