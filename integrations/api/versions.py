"""Answers that the caller may have already: their ETag, and 304 when it names the same version.

Routes that show something without changing anything use it.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final

from fastapi import Header, Response

Known = Annotated[str | None, Header(alias="If-None-Match", max_length=1000, description="The ETags that you have")]

UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "You have this version already"}}
"""For the documentation of such a route."""


def version_of(content: bytes) -> str:
    """The ETag of these bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def is_known(etag: str, known: str | None) -> bool:
    """Whether If-None-Match names this version (RFC 9110, 13.1.2: weak comparison)."""
    tags = [tag.strip().removeprefix("W/") for tag in (known or "").split(",")]
    return etag in tags or "*" in tags


def unless_known(content: bytes, known: str | None, *, media_type: str, headers: dict[str, str]) -> Response:
    """The content with its ETag; 304 without it when the caller has it."""
    said = {**headers, "ETag": version_of(content)}
    if is_known(said["ETag"], known):
        return Response(status_code=304, headers=said)
    return Response(content, headers=said, media_type=media_type)
