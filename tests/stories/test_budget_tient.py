"""Deux coordinatrices approuvent au même instant ; le budget ne paie qu'une fois. Personnes fictives."""

from __future__ import annotations

import threading

from sqlalchemy import Engine
from sqlmodel import select
from supported_cases import another, approval, budget, in_state, propose
from synthetic_cases import START, open_caseload

from models import LivelihoodGrant, Task
from models.database import write_session
from states.casework.approvals import approve_grants
from states.casework.budgets import show_budget
from states.journal import verify_journal
from states.moves import Outcome, OutcomeKind


def test_deux_coordinatrices_approuvent_en_meme_temps_et_le_budget_tient(engine: Engine) -> None:
    # Un budget de 700 000 F CFA, deux plans d'affaires de 450 000 : un seul peut être payé.
    with write_session(engine) as session:
        caseload = open_caseload(session)
        budget(caseload, 700_000)
        dossiers = in_state(caseload, "start_livelihood", 2)
        for dossier in dossiers:
            assert propose(caseload, dossier, f"APPUI-{dossier}", 450_000).kind is OutcomeKind.MOVED
        coordinatrices = [caseload.staff["coordinator"], another(caseload)]
        session.commit()
    signatures = [
        approval(caseload, dossier, f"APPUI-{dossier}", actor=qui)
        for dossier, qui in zip(dossiers, coordinatrices, strict=True)
    ]
    ensemble = threading.Barrier(2)
    reponses: list[Outcome] = []

    def approuve(numero: int) -> None:
        ensemble.wait(timeout=60)
        with write_session(engine) as bureau:
            reponses.extend(approve_grants(bureau, [signatures[numero]], now=START))
            bureau.commit()

    fils = [threading.Thread(target=approuve, args=(numero,), daemon=True) for numero in range(2)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(timeout=120)

    # L'une est passée, l'autre lit ce qu'il reste.
    assert sorted(reponse.kind for reponse in reponses) == [OutcomeKind.MOVED, OutcomeKind.REFUSED]
    (refus,) = [reponse for reponse in reponses if reponse.kind is OutcomeKind.REFUSED]
    assert [raison.text_fr for raison in refus.reasons] == [
        "Le budget APPUIS n'a plus que 250000 F CFA ; il en faut 450000."
    ]
    with write_session(engine) as session:
        etat, ecritures = show_budget(session, "APPUIS")
        assert (etat.committed_xof, etat.available_xof) == (450_000, 250_000)
        assert [(each.kind, each.amount_xof) for each in ecritures] == [("commitment", 450_000)]
        statuts = session.exec(select(LivelihoodGrant.status).order_by(LivelihoodGrant.status)).all()
        assert statuts == ["approved", "planned"]
        # L'appui refusé reste à décider : sa tâche est ouverte, rien n'est perdu.
        ouvertes = session.exec(
            select(Task.key, Task.record).where(Task.status == "open", Task.key.in_(("approve_grant", "procure_kit")))  # type: ignore[attr-defined]
        ).all()
        assert sorted(ouvertes) == [
            ("approve_grant", f"APPUI-{refus.case_id}"),
            ("procure_kit", f"APPUI-{sum(dossiers) - refus.case_id}"),
        ]
        assert verify_journal(session).broken == []
