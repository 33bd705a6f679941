"""What a partner's developers read, without a token: the schemas of events, the kinds there are, and both descriptions.

The addresses of the schemas are those that `dataschema` names in every event, so they never move.
"""

# Annotations are values here: the framework reads those of the routes.

import json
from functools import cache
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from integrations.api.installation import Here
from integrations.api.problems import Language, Problem, answers
from integrations.api.versions import UNCHANGED, Known, unless_known
from integrations.catalogue.asyncapi import asyncapi
from integrations.catalogue.schemas import dataschema, served_schema
from models.events import CATALOGUE

router = APIRouter(tags=["documents"])

SCHEMA_TYPE: Final = "application/schema+json"

_DOCUMENT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "The document"}
}
_KEPT: Final = {"Cache-Control": "public, max-age=3600"}


class EventTypeBody(BaseModel):
    """A type of event."""

    type: str
    title: str = Field(description="In the language of the answer")
    version: int = Field(description="The version in which it is sent today; the schemas of earlier ones stay")
    dataschema: str = Field(description="Where the schema of its data is, as its events name it")
    asks: bool = Field(description="You are expected to answer it")
    takes_back: bool = Field(description="It takes back something that you know")


class EventTypesBody(BaseModel):
    """Every type of event that there is."""

    event_types: list[EventTypeBody]


@router.get("/event-types", response_model=EventTypesBody, responses={**UNCHANGED, **answers()})
def list_event_types(request: Request, here: Here, known: Known = None) -> Response:
    """Every type of event, and where its schema is. Needs no token."""
    language: Language = request.state.language
    return unless_known(
        _event_types(here.public_url, language),
        known,
        media_type="application/json",
        headers={**_KEPT, "Content-Language": language, "Vary": "Accept-Language"},
    )


@router.get(
    "/schemas/{type}/{version}",
    response_class=Response,
    responses={
        200: {"content": {SCHEMA_TYPE: {"schema": {"type": "object"}}}, "description": "A schema"},
        **UNCHANGED,
        **answers(404),
    },
)
def show_schema(
    here: Here,
    type: Annotated[str, Path(pattern=r"^[a-z_.]{1,60}$", description="Type of the event")],
    version: Annotated[int, Path(ge=1, le=1000)],
    known: Known = None,
) -> Response:
    """The JSON Schema of an event of this type and version, as a whole. Needs no token."""
    schema = served_schema(here.public_url, type, version)
    if schema is None:
        raise Problem("not_found")
    return unless_known(_written(schema), known, media_type=SCHEMA_TYPE, headers=_KEPT)


@router.get("/asyncapi.json", responses={**_DOCUMENT, **UNCHANGED, **answers()}, response_class=Response)
def show_asyncapi(here: Here, known: Known = None) -> Response:
    """What Segin sends, as AsyncAPI 3.0. Needs no token."""
    return unless_known(_asyncapi(here.public_url), known, media_type="application/json", headers=_KEPT)


@router.get("/openapi.json", responses={**_DOCUMENT, **UNCHANGED, **answers()}, response_class=Response)
def show_openapi(request: Request, known: Known = None) -> Response:
    """This API, and the webhooks that it sends, as OpenAPI 3.1. Needs no token."""
    return unless_known(_written(request.app.openapi()), known, media_type="application/json", headers=_KEPT)


@cache
def _asyncapi(public_url: str) -> bytes:
    return _written(asyncapi(public_url))


@cache
def _event_types(public_url: str, language: Language) -> bytes:
    found = [
        EventTypeBody(
            type=name,
            title=kind.en if language == "en" else kind.fr,
            version=kind.version,
            dataschema=dataschema(public_url, name),
            asks=kind.asks,
            takes_back=kind.takes_back,
        )
        for name, kind in CATALOGUE.items()
    ]
    return EventTypesBody(event_types=found).model_dump_json().encode()


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
