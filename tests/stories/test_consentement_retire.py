"""Elle avait dit oui ; elle dit non, et ceux qui savaient l'apprennent le jour même. Personnes fictives."""

from __future__ import annotations

from life import all_moved, begin
from sqlmodel import Session, col, select

from integrations.webhooks.fanout import fan_out
from models import Delivery, Event, Partner, Referral, Subscription
from states.casework.consents import ConsentAnswer, Revocation, record_consents, revoke_consents
from states.casework.referrals import ReferralAnswer, ReferralRequest, answer_referrals, make_referrals
from states.journal import verify_journal
from states.moves import Actor, OutcomeKind


def test_elle_retire_son_consentement_et_le_partenaire_l_apprend(session: Session) -> None:
    life = begin(session)
    partners = {}
    for code, types in (("clinique", ["case.closed"]), ("atelier", ["training.certified"]), ("curieux", [])):
        partner = Partner(code=code, name=f"{code} (fictif)", created_at=life.now)
        session.add(partner)
        session.flush()
        partners[code] = partner.id or 0
        subscription = Subscription(
            partner_id=partners[code],
            url=f"https://{code}.example.org/",
            event_types=types,
            secret="",
            created_at=life.now,
        )
        session.add(subscription)
    woman = life.arrives(4, sex="F", given_names="Femme fictive", consent_to_share=True)

    # L'accord général du manifeste ne nomme personne : il n'ouvre aucune porte.
    def asks(partner: str, *information: str) -> ReferralRequest:
        return ReferralRequest(
            **life.signed(woman, "case_worker"),
            code=life.caseload.new_code(),
            partner_id=partners[partner],
            services=("psychosocial",),
            information=information,
            priority="normal",
        )

    (refused,) = make_referrals(session, [asks("clinique", "name")], now=life.now)
    assert [reason.code for reason in refused.reasons] == ["consent_names"]

    # Elle accepte, l'un après l'autre, avec ce que chacun saura.
    consents = {
        partner: ConsentAnswer(
            **life.signed(woman, "case_worker"),
            code=life.caseload.new_code(),
            purpose="sharing",
            given=True,
            partner_id=partners[partner],
            information=information,
            source="form",
            form_sha256="0" * 64,
        )
        for partner, information in (("clinique", ("name", "phone", "needs")), ("atelier", ("name",)))
    }
    all_moved(record_consents(session, list(consents.values()), now=life.now))
    first, second, training = asks("clinique", "name", "phone"), asks("clinique", "needs"), asks("atelier", "name")
    all_moved(make_referrals(session, [first, second, training], now=life.now))

    # La clinique répond par son propre système à la première, pas encore à la seconde.
    clinic = Actor("partner", partner_id=partners["clinique"])
    signed = {**life.signed(woman, "case_worker"), "actor": clinic}
    all_moved(
        answer_referrals(session, [ReferralAnswer(**signed, referral=first.code, answer="accepted")], now=life.now)
    )
    life.wait(days=3)

    # Elle change d'avis. Une seule transaction : le consentement, les deux orientations, les trois lignes du journal.
    taken_back = Revocation(**life.signed(woman, "case_worker"), consent=consents["clinique"].code)
    before = life.events(woman)
    all_moved(revoke_consents(session, [taken_back], now=life.now))
    assert life.triggers(woman)[-3:] == ["revoke_consent", "revoke_referral", "revoke_referral"]
    assert {each.code: each.status for each in life.rows(Referral, woman)} == {
        first.code: "revoked",
        second.code: "revoked",
        training.code: "in_progress",
    }
    told = life.events(woman)[len(before) :]
    assert [(event.type, event.data["referral"]) for event in told] == [
        ("consent.revoked", first.code),
        ("consent.revoked", second.code),
        ("referral.revoked", first.code),
        ("referral.revoked", second.code),
    ]

    # La clinique ne s'était abonnée qu'aux clôtures : elle l'apprend quand même. Personne d'autre ne l'apprend.
    while fan_out(session, now=life.now):
        pass
    assert {partner: heard(session, id_, "consent.revoked") for partner, id_ in partners.items()} == {
        "clinique": 2,
        "atelier": 0,
        "curieux": 0,
    }
    assert [heard(session, partners["curieux"], kind) for kind in ("referral.made", "case.registered")] == [0, 1]

    # Plus rien ne part vers elle, et plus personne n'est relancé.
    (again,) = make_referrals(session, [asks("clinique", "name")], now=life.now)
    assert again.kind is OutcomeKind.REFUSED
    life.wait(days=40)
    clinic_clocks = {first.code, second.code}
    assert not any(event.data.get("referral") in clinic_clocks for event in life.events(woman)[len(before) + 4 :])
    assert ("overdue", "case_worker") in life.told(woman), "l'atelier, lui, n'a pas répondu"
    assert verify_journal(session).broken == []


def heard(session: Session, partner_id: int, event_type: str) -> int:
    """How many events of the type are on their way to the partner."""
    query = (
        select(Event.id)
        .join(Delivery, col(Delivery.event_id) == col(Event.id))
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .where(Event.type == event_type, Subscription.partner_id == partner_id)
    )
    return len(session.exec(query).all())
