"""Registers the people of manifest rows, each with the office that receives their region.

`intake` registers new people with it, `duplicates` those of whom somebody decided that they get a case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from integrations.manifests.arrival import ArrivalRow
from models.staff import Office
from states.moves import Actor
from states.registration import Registered, register_cases


@dataclass(frozen=True, slots=True)
class Registrar:
    """What new cases begin with: the published pathway, when and by whom, and codes never given before.

    `correlation_id` names the run or the request; `new_code` see `states.codes`.
    """

    pathway_version_id: int
    now: datetime
    actor: Actor
    correlation_id: str
    new_code: Callable[[], str]

    def register(
        self, session: Session, rows: Sequence[ArrivalRow], checksum: str, *, returnee_id: int | None = None
    ) -> list[Registered]:
        """One answer for each row of the manifest with this checksum; `returnee_id` is whose new return it is."""
        offices = _offices_by_region(session)
        return register_cases(
            session,
            [replace(row.registration(checksum, offices), returnee_id=returnee_id) for row in rows],
            pathway_version_id=self.pathway_version_id,
            now=self.now,
            actor=self.actor,
            correlation_id=self.correlation_id,
            new_code=self.new_code,
        )


def _offices_by_region(session: Session) -> dict[str, int]:
    """Office ids by the first-level P-code they serve; where two serve a region, the older one receives."""
    serving: dict[str, int] = {}
    for office_id, regions in session.execute(select(col(Office.id), col(Office.regions)).order_by(col(Office.id))):
        for region in regions:
            serving.setdefault(region, office_id)
    return serving
