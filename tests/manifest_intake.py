"""Takes manifests in for the tests of the intake, as an edge does: one session and one commit for each file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session
from synthetic_cases import Caseload, open_caseload

from integrations.manifests.intake import IntakeSummary, take_in
from integrations.manifests.known import KnownPeople
from integrations.manifests.profile import load_profile
from integrations.manifests.registrar import Registrar
from models.database import write_session

NOW = datetime(2024, 7, 31, 8, tzinfo=UTC)
MALI = load_profile("mali")


@dataclass
class IntakeDesk:
    """A caseload, and the people it knows; `people` none loads them anew for every file."""

    caseload: Caseload
    people: KnownPeople | None = None

    def take(self, session: Session, source: bytes | Path, file: str = "list.xlsx") -> IntakeSummary:
        return take_in(session, source, file, self.people or KnownPeople(MALI), self.registrar("intake_officer"))

    def registrar(self, role: str) -> Registrar:
        """Registers as somebody of this role."""
        caseload = self.caseload
        return Registrar(caseload.version_id, NOW, caseload.staff[role], "intake-test", caseload.new_code)

    def take_all(self, engine: Engine, files: Sequence[Path]) -> list[IntakeSummary]:
        """Every file in its own transaction."""
        summaries = []
        for file in files:
            with write_session(engine) as session:
                summaries.append(self.take(session, file, file.name))
                session.commit()
        return summaries


def open_desk(engine: Engine) -> IntakeDesk:
    """A desk whose pathway and staff are committed."""
    with write_session(engine) as session:
        caseload = open_caseload(session, NOW)
        session.commit()
    return IntakeDesk(caseload)
