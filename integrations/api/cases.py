"""Cases as a partner may see them now: those of which it was shown something, under its own codes. Each look is noted.

What it may not see any more is not there, like a case that is none of its own.
"""

# Annotations are values here: the framework reads those of the routes.

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import Session, col

from integrations.api.calls import Call, needs
from integrations.api.installation import Here
from integrations.api.pages import Cursor, Limit, cursor_of, link_to_next, place_of
from integrations.api.problems import Problem, answers
from integrations.api.versions import UNCHANGED, Known, unless_known
from integrations.sharing.looking import Look, look_at, note_looks
from integrations.sharing.pseudonyms import case_of
from models.database import write_session
from models.events import Details
from models.sharing import PartnerCase

router = APIRouter(prefix="/cases", tags=["cases"])

_LIST: Final = "cases"

Reader = Annotated[Call, Depends(needs("cases:read"))]
Code = Annotated[str, Path(pattern=r"^c-[a-z2-7]{26}$", description="Your own code of the case")]


class StateBody(BaseModel):
    """A state of the pathway."""

    code: str
    title: str = Field(description="In the language of the answer")


class CaseBody(BaseModel):
    """A case of which you were shown something: what you may see of it now."""

    code: str = Field(description="Your own code of the case: no other partner has the same")
    state: StateBody | None = Field(
        default=None, description="Absent unless your agreement names case.advanced and the pathway shares the state"
    )
    details: Details = Field(description="The fields of your agreement to which the person consents, as far as known")


class CasePage(BaseModel):
    """Some of your cases, the longest known first."""

    cases: list[CaseBody] = Field(description="Fewer than `limit` where you may not see some of them any more")
    next: str | None = Field(description="Cursor of the next page; null: this is the last one")


@router.get("", response_model=CasePage, responses={**UNCHANGED, **answers()})
def list_cases(
    request: Request, call: Reader, here: Here, cursor: Cursor = None, limit: Limit = 50, known: Known = None
) -> Response:
    """What you may see now of the cases of which you were shown something."""
    partner_id = call.caller.partner_id
    query = select(col(PartnerCase.id), col(PartnerCase.case_id), col(PartnerCase.code)).where(
        col(PartnerCase.partner_id) == partner_id
    )
    with call.reading() as session:
        if cursor is not None:
            query = query.where(col(PartnerCase.id) > _id_at(session, partner_id, place_of(_LIST, cursor)))
        rows = session.execute(query.order_by(col(PartnerCase.id)).limit(limit + 1)).all()
    following = cursor_of(_LIST, rows[limit - 1].code) if len(rows) > limit else None
    headers = {}
    if following is not None:
        headers["Link"] = link_to_next(request, {"limit": limit, "cursor": following})
    codes = {row.case_id: row.code for row in rows[:limit]}
    return _looked(call, here, codes, known, headers, lambda cases: {"cases": cases, "next": following})


@router.get("/{code}", response_model=CaseBody, responses={**UNCHANGED, **answers(404)})
def show_case(code: Code, call: Reader, here: Here, known: Known = None) -> Response:
    """What you may see of one case now, with its version as the ETag."""
    with call.reading() as session:
        case_id = case_of(session, call.caller.partner_id, code)
    if case_id is None:
        raise Problem("not_found")
    return _looked(call, here, {case_id: code}, known, {}, _only)


def _looked(
    call: Call,
    here: Here,
    codes: Mapping[int, str],
    known: str | None,
    headers: dict[str, str],
    shaped: Callable[[list[dict[str, Any]]], dict[str, Any]],
) -> Response:
    """The answer about these cases (id to code) in the shape of the route. Who has it already has not looked again."""
    partner_id = call.caller.partner_id
    with write_session(call.engine) as session:
        looks = look_at(session, partner_id, codes, day=here.day(call.now)) if codes else {}
        seen = [_body(call, code, looks[case_id]) for case_id, code in codes.items() if case_id in looks]
        content = json.dumps(shaped(seen), ensure_ascii=False).encode()
        said = {**headers, "Content-Language": call.language, "Vary": "Accept-Language"}
        response = unless_known(content, known, media_type="application/json", headers=said)
        if response.status_code == 200:
            note_looks(session, partner_id, looks.values(), now=call.now)
            session.commit()
    return response


def _only(cases: list[dict[str, Any]]) -> dict[str, Any]:
    if not cases:
        raise Problem("not_found")
    return cases[0]


def _body(call: Call, code: str, look: Look) -> dict[str, Any]:
    state = None if look.state is None or look.title is None else (look.state, look.title.in_(call.language))
    body = CaseBody(
        code=code,
        state=None if state is None else StateBody(code=state[0], title=state[1]),
        details=Details.model_validate(look.details),
    )
    return body.model_dump(mode="json", exclude_none=True)


def _id_at(session: Session, partner_id: int, code: str) -> int:
    """The place of the case that a page ended with: one of the caller's own."""
    found = session.scalar(
        select(col(PartnerCase.id)).where(col(PartnerCase.partner_id) == partner_id, col(PartnerCase.code) == code)
    )
    if found is None:
        raise Problem("bad_cursor")
    return found
