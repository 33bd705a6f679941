"""Which office receives the people who return to a region. `intake` and `duplicates` register cases with it."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session, col

from models.staff import Office


def offices_by_region(session: Session) -> dict[str, int]:
    """Office ids by the first-level P-code they serve; where two serve a region, the older one receives."""
    serving: dict[str, int] = {}
    for office_id, regions in session.execute(select(col(Office.id), col(Office.regions)).order_by(col(Office.id))):
        for region in regions:
            serving.setdefault(region, office_id)
    return serving
