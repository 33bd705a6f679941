"""On a clos le mauvais dossier : tout revient, et qui l'avait appris apprend l'erreur. Personnes fictives."""

from __future__ import annotations

from typing import Any

from life import begin
from sqlmodel import Session, col, select

from integrations.webhooks.fanout import fan_out
from models import Delivery, Event, JournalRow, Partner, Subscription
from states.journal import verify_journal
from states.moves import Move
from states.taking_back import TakenBack, foresee_taking_back, sentence


def test_une_cloture_faite_par_erreur_est_annulee_et_le_partenaire_l_apprend(session: Session) -> None:
    life = begin(session)
    for code, types in (("ministere", ["case.closed"]), ("atelier", ["training.certified"])):
        partner = Partner(code=code, name=f"{code} (fictif)", created_at=life.now)
        session.add(partner)
        session.flush()
        url = f"https://{code}.example.org/"
        session.add(
            Subscription(partner_id=partner.id or 0, url=url, event_types=types, secret="", created_at=life.now)
        )
    man = life.arrives(1, given_names="Homme fictif")
    life.does(man, "confirm_arrival", "intake_officer")
    life.caseload.agree([man], now=life.now)
    life.does(man, "begin_screening", "intake_officer")
    life.office_works()
    life.wait(days=3)
    before = {"case": life.caseload.case(man).model_dump(), "tasks": life.tasks(man), "clocks": life.clocks(man)}

    # On clôt ce dossier au lieu d'un autre. Le ministère l'apprend ; plus rien ne court.
    life.does(man, "close", "coordinator", reason="ineligible", note="Résident, non retourné")
    deliver(life)
    assert (life.state(man), life.tasks(man), life.clocks(man)) == ("closed", {}, {})
    assert received(session) == {"ministere": ["case.closed"]}

    # L'erreur se voit le lendemain. Ce qui sera annulé est dit avant, en une phrase.
    life.wait(days=1)
    move = Move(man, "correct", life.caseload.staff["coordinator"], "annulation", "life", note="Mauvais dossier")
    foreseen = foresee_taking_back(session, move, now=life.now, lock=True)
    assert isinstance(foreseen, TakenBack)
    assert (foreseen.trigger, foreseen.to_state, foreseen.events_corrected) == ("close", "screening", 1)
    assert (foreseen.tasks_restored, foreseen.clocks_restored) == (len(before["tasks"]), len(before["clocks"]))
    assert "Clore" in sentence(foreseen, foreseen=True).fr
    assert life.state(man) == "closed", "le dire ne change rien"

    life.does(man, "correct", "coordinator", note="Mauvais dossier")
    changing = {"version", "events", "journal_head"}
    now = life.caseload.case(man).model_dump()
    assert {k: v for k, v in now.items() if k not in changing} == {
        k: v for k, v in before["case"].items() if k not in changing
    }
    assert (life.tasks(man), life.clocks(man)) == (before["tasks"], before["clocks"])

    # Le ministère, abonné aux seules clôtures, apprend l'erreur avec l'événement qu'elle corrige ; l'atelier, rien.
    deliver(life)
    assert received(session) == {"ministere": ["case.closed", "case.corrected"]}
    closed, corrected = (event for event in life.events(man) if event.type in ("case.closed", "case.corrected"))
    assert (corrected.corrects, corrected.data["corrects"]) == (closed.uid, closed.uid)

    # Rien n'est effacé : la clôture et son annulation sont au journal, et le dossier suit son chemin.
    assert life.triggers(man)[-2:] == ["close", "correct"]
    rows = life.rows(JournalRow, man)
    assert (rows[-1].note, rows[-1].data["corrects"]) == ("Mauvais dossier", rows[-2].seq)
    life.caseload.screen([man], now=life.now)
    life.does(man, "begin_planning", "case_worker")
    assert verify_journal(session).broken == []


def deliver(life: Any) -> None:
    life.office_works()
    while fan_out(life.session, now=life.now):
        pass


def received(session: Session) -> dict[str, list[str]]:
    """What is on its way to each partner, in order."""
    query = (
        select(Partner.code, Event.type)
        .join(Subscription, col(Subscription.partner_id) == col(Partner.id))
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .join(Event, col(Event.id) == col(Delivery.event_id))
        .order_by(col(Event.sequence))
    )
    found: dict[str, list[str]] = {}
    for code, type_ in session.exec(query):
        found.setdefault(code, []).append(type_)
    return found
