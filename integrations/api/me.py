"""`GET /v1/me`: whose token this is and what it may be used for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from integrations.api.calls import Call, needs
from integrations.api.problems import answers

router = APIRouter(tags=["me"])


class PartnerBody(BaseModel):
    """A partner."""

    code: str
    name: str


class TokenBody(BaseModel):
    """The token of the request, without its secret."""

    prefix: str
    title: str
    scopes: list[str]
    expires_at: datetime


class MeBody(BaseModel):
    """Who asks."""

    partner: PartnerBody
    token: TokenBody = Field(description="The token that this request carries")


@router.get("/me", responses=answers())
def me(call: Annotated[Call, Depends(needs(None))]) -> MeBody:
    """Whose token this is, what it may be used for, and when it ends. Any token may ask."""
    caller = call.caller
    return MeBody(
        partner=PartnerBody(code=caller.partner, name=caller.partner_name),
        token=TokenBody(
            prefix=caller.prefix, title=caller.title, scopes=sorted(caller.scopes), expires_at=caller.expires_at
        ),
    )
