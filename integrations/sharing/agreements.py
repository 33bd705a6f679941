"""Sharing agreements with partners: recorded from their files as versions that never change, ended, listed, in force.

`segin agreement` calls it and commits; `projection` asks which are in force.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from integrations.sharing.agreement_file import Agreement, ReadAgreement
from integrations.sharing.covering import Terms
from models.case import PathwayVersion
from models.errors import WrongUse
from models.partner import Partner
from models.sharing import SharingAgreement
from models.types import BigId
from states.bulk import SetStatement, as_json
from states.moves import Actor
from states.pathways.problems import FileProblems, Problem, listed

_CONTENT: Final = tuple(name for name in Agreement.model_fields if name not in ("code", "partner"))

_IN_FORCE = SetStatement(
    "SELECT a.id, a.partner_id, a.purpose, a.event_types, a.regions, a.programmes, a.fields, a.sensitive_fields "
    "FROM {rows} JOIN partner AS p ON p.id = r.partner_id AND p.active "
    "JOIN sharing_agreement AS a ON a.partner_id = p.id "
    "WHERE a.ended_at IS NULL AND a.valid_from <= r.day AND (a.valid_until IS NULL OR a.valid_until >= r.day) "
    "AND NOT EXISTS (SELECT 1 FROM sharing_agreement AS n WHERE n.code = a.code AND n.version > a.version) "
    "ORDER BY a.id",
    partner_id=BigId,
    day=SharingAgreement.__table__.c.valid_from.type,  # type: ignore[attr-defined]
)


@dataclass(frozen=True)
class AgreementLine:
    """One version of an agreement; `partner` is the partner's code. `in_force` on the day that was asked for."""

    code: str
    version: int
    partner: str
    title: str
    purpose: str
    event_types: list[str]
    regions: list[str]
    programmes: list[str]
    fields: list[str]
    sensitive_fields: list[str]
    acknowledge_within: str
    valid_from: date
    valid_until: date | None
    ended_at: datetime | None
    created_at: datetime
    in_force: bool


def record_agreement(
    session: Session, read: ReadAgreement, *, regions: Collection[str], actor: Actor, now: datetime
) -> tuple[SharingAgreement, bool]:
    """The agreement as its newest version, and whether that is a new one: it is unless the newest version has the same
    content and was not ended. `regions` are the P-codes that there are.

    Raises FileProblems for a partner, region or pathway that is not known, and for a code that another partner has.
    """
    agreement = read.agreement
    partner_id = _locked(session, col(Partner.code) == agreement.partner)
    newest = _newest(session, agreement.code)
    programmes = session.exec(select(PathwayVersion.name).distinct().order_by(PathwayVersion.name)).all()
    problems = [
        *_unknown(read, "regions", agreement.regions, sorted(regions)),
        *_unknown(read, "programmes", agreement.programmes, programmes),
    ]
    if partner_id is None:
        problems.append(read.problem(("partner",), "unknown_partner", name=agreement.partner))
    elif newest is not None and newest.partner_id != partner_id:
        problems.append(read.problem(("code",), "others_code", name=agreement.code))
    if problems or partner_id is None:
        raise FileProblems(sorted(problems, key=lambda each: each.line))
    content: dict[str, Any] = {name: _kept(getattr(agreement, name)) for name in _CONTENT}
    if newest is not None and newest.ended_at is None and all(_same(newest, name, content[name]) for name in content):
        return newest, False
    version = 1 if newest is None else newest.version + 1
    row = SharingAgreement(
        code=agreement.code,
        version=version,
        partner_id=partner_id,
        created_at=now,
        created_by=actor.id,
        **content,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # somebody else gave the code to an agreement with another partner in this moment
        raise FileProblems([read.problem(("code",), "others_code", name=agreement.code)]) from None
    return row, True


def end_agreement(session: Session, code: str, *, actor: Actor, now: datetime) -> bool:
    """End the newest version of an agreement; nothing is shown under it any more. False when it was ended before.

    The partner is locked: what is being shown to it is shown before the end, and no version is added meanwhile. Raises
    WrongUse when there is no such agreement.
    """
    _locked(session, col(Partner.id) == _existing(session, code).partner_id)
    newest = _existing(session, code)
    if newest.ended_at is not None:
        return False
    newest.ended_at, newest.ended_by = now, actor.id
    session.add(newest)
    session.flush()
    return True


def list_agreements(session: Session, day: date) -> list[AgreementLine]:
    """The newest version of every agreement, by partner and code."""
    newest = select(func.max(SharingAgreement.id)).group_by(col(SharingAgreement.code))
    query = (
        select(SharingAgreement, Partner.code)
        .join(Partner, col(Partner.id) == col(SharingAgreement.partner_id))
        .where(col(SharingAgreement.id).in_(newest))
        .order_by(Partner.code, col(SharingAgreement.code))
    )
    return [_line(row, partner, day, newest=True) for row, partner in session.exec(query)]


def agreement_versions(session: Session, code: str, day: date) -> list[AgreementLine]:
    """Every version of one agreement, the newest first. Raises WrongUse when there is none."""
    newest = _existing(session, code)
    query = (
        select(SharingAgreement, Partner.code)
        .join(Partner, col(Partner.id) == col(SharingAgreement.partner_id))
        .where(SharingAgreement.code == code)
        .order_by(col(SharingAgreement.version).desc())
    )
    return [_line(row, partner, day, newest=row.id == newest.id) for row, partner in session.exec(query)]


def agreements_in_force(session: Session, partner_ids: Collection[int], day: date) -> list[Terms]:
    """The agreements of these partners that are in force on the day, the oldest first; none of a partner that is not
    active any more. One statement."""
    rows = _IN_FORCE.execute(session, [(each, day.isoformat()) for each in sorted(set(partner_ids))])
    return [
        Terms(
            agreement_id=id_,
            partner_id=partner_id,
            purpose=purpose,
            event_types=frozenset(as_json(event_types)),
            regions=frozenset(as_json(regions)),
            programmes=frozenset(as_json(programmes)),
            fields=(*as_json(fields), *as_json(sensitive)),
        )
        for id_, partner_id, purpose, event_types, regions, programmes, fields, sensitive in rows
    ]


def _line(row: SharingAgreement, partner: str, day: date, *, newest: bool) -> AgreementLine:
    content = {name: getattr(row, name) for name in ("code", "version", *_CONTENT, "ended_at", "created_at")}
    current = newest and row.ended_at is None and row.valid_from <= day <= (row.valid_until or date.max)
    return AgreementLine(partner=partner, in_force=current, **content)


def _locked(session: Session, which: ColumnElement[bool]) -> int | None:
    """The id of this partner, locked until the transaction ends; none: there is no such partner."""
    return session.scalar(select(col(Partner.id)).where(which).with_for_update(key_share=True))


def _newest(session: Session, code: str) -> SharingAgreement | None:
    query = select(SharingAgreement).where(SharingAgreement.code == code).execution_options(populate_existing=True)
    return session.exec(query.order_by(col(SharingAgreement.version).desc()).limit(1)).first()


def _existing(session: Session, code: str) -> SharingAgreement:
    found = _newest(session, code)
    if found is None:
        raise WrongUse(
            f"There is no agreement {code}.",
            f"Il n'y a pas d'accord {code}.",
            remedy="`segin agreement list` shows them.",
            remedy_fr="`segin agreement list` les montre.",
        )
    return found


def _unknown(read: ReadAgreement, key: str, names: tuple[str, ...], known: Collection[str]) -> list[Problem]:
    return [
        read.problem((key, place), "unknown", key=key, name=name, known=listed([*known], 40) or "–")
        for place, name in enumerate(names)
        if name not in known
    ]


def _kept(value: object) -> object:
    """As a row keeps it: lists in order of their names, so that another order is no change."""
    return sorted(value) if isinstance(value, tuple) else value


def _same(row: SharingAgreement, name: str, value: object) -> bool:
    return bool(getattr(row, name) == value)
