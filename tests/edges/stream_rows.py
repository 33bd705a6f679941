"""Events that are owed to the partners of the API's tests, written straight into the tables. All synthetic."""

from __future__ import annotations

from api_client import ApiClient
from edges.sharing_rows import agree
from edges.webhook_outbox import announce
from sqlmodel import Session, select

from integrations.sharing.projection import enqueue
from models import Case, Partner
from models.database import write_session


def agree_with(session: Session, *codes: str, **given: object) -> None:
    """An agreement with each of these partners, about the region and the name."""
    for code in codes:
        agree(session, session.exec(select(Partner).where(Partner.code == code)).one(), **given)
    session.commit()


def owe_events(client: ApiClient, count: int, *codes: str, event_type: str = "case.advanced", **data: object) -> None:
    """So many more events of the case of the tests, in line for these partners."""
    with write_session(client.engine) as session:
        case = session.get_one(Case, client.cases.case_id)
        told = {"case": case.code, **data}
        events = [announce(session, case, event_type, data=told, occurred_at=client.now) for _ in range(count)]
        session.flush()
        partners = session.exec(select(Partner.id).where(Partner.code.in_(codes))).all()  # type: ignore[attr-defined]
        enqueue(session, [(event.id or 0, partner or 0) for event in events for partner in partners])
        session.commit()
