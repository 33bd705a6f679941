"""Lists a page at a time: cursors that say nothing to whoever holds them, and the link to the next page."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Query, Request

from integrations.api.problems import Problem

MOST: Final = 100

Limit = Annotated[int, Query(ge=1, le=MOST, description="At most so many")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]


def cursor_of(what: str, place: str) -> str:
    """The cursor that stands for this place in this list. `place` must be something that the caller may know."""
    return urlsafe_b64encode(f"{what}:{place}".encode()).decode().rstrip("=")


def place_of(what: str, cursor: str) -> str:
    """The place in this list that a cursor stands for. Raises `bad_cursor`."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise Problem("bad_cursor") from None
    name, _, place = text.partition(":")
    if name != what or not place.isprintable():
        raise Problem("bad_cursor")
    return place


def link_to_next(request: Request, parameters: Mapping[str, object]) -> str:
    """The Link header to the next page, with these parameters."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f'<{request.url.path}?{urlencode(given)}>; rel="next"'
