"""Turns events that partners are owed into what each may see of them: shown with its bytes, or withheld.

Fan-out puts them in line with `enqueue`; whoever sends them or lets them be read has them shown first, and takes
`PartnerEvent.body`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from integrations.sharing.agreements import agreements_in_force
from integrations.sharing.cloud_event import OwedEvent, cloud_event, thin_data
from integrations.sharing.covering import (
    NEED_NO_CONSENT,
    Answer,
    Happening,
    Reason,
    Shown,
    Withheld,
    cover,
    follow_up,
)
from integrations.sharing.fields import ReferralValues, Values, case_values, referral_values
from integrations.sharing.owed import (
    Owed,
    PartnerKey,
    Settled,
    advance,
    enqueue,
    lock_partners,
    lock_partners_of,
    owed_rows,
    settle,
    shown_uids,
)
from integrations.sharing.pseudonyms import Pair, case_code, event_uid
from models.sharing import PartnerEvent, Showing
from states.bulk import as_json, time_text
from states.fact_rows import of_cases

__all__ = ["answers_of", "enqueue", "show", "show_next"]

Thin = dict[str, Any] | None
"""The event's own data as the catalogue has them; none: it has them not."""

_ANSWERS = of_cases(
    "id, purpose, partner_id, any_partner, status, information", "consent", "ORDER BY case_id, id {lock}"
)


def show(
    session: Session, ids: Collection[int], *, public_url: str, day: date, now: datetime
) -> dict[int, Shown | Withheld]:
    """Show or withhold these partner events, and all that waits before them in the line of the same partner and case.

    What became of each that was not shown yet, by its id: what was shown before is left as it is and is not in the
    answer; what was withheld is looked at anew. `day` is that of the programme's calendar at `now`: by it agreements
    begin and end. The partners stay locked until the transaction ends, so that positions in their streams and sequences
    in their cases have no gap and rise in the order of the commits. The number of statements does not depend on how
    many events there are.
    """
    if not ids:
        return {}
    partners = lock_partners_of(session, ids)
    owed = owed_rows(session, ids)
    if not owed:
        return {}
    thin = {each.id: thin_data(each.type, each.data) for each in owed}
    referrals = referral_values(session, {said["referral"] for said in thin.values() if said and "referral" in said})
    verdicts = _verdicts(session, owed, thin, referrals, partners, day)
    _write(session, owed, thin, referrals, verdicts, partners, public_url, now)
    return verdicts


def show_next(
    session: Session, partner_id: int, limit: int, *, public_url: str, day: date, now: datetime
) -> dict[int, Shown | Withheld]:
    """As `show`, for the first `limit` events that wait for the partner. Empty when none waits any more."""
    lock_partners(session, [partner_id])
    waiting = select(PartnerEvent.id).where(
        col(PartnerEvent.partner_id) == partner_id, col(PartnerEvent.status) == Showing.WAITING
    )
    ids = [id_ for id_ in session.exec(waiting.order_by(col(PartnerEvent.id)).limit(limit)) if id_ is not None]
    return show(session, ids, public_url=public_url, day=day, now=now)


def _verdicts(
    session: Session,
    owed: Sequence[Owed],
    thin: Mapping[int, Thin],
    referrals: Mapping[str, ReferralValues],
    partners: Mapping[int, PartnerKey],
    day: date,
) -> dict[int, Shown | Withheld]:
    """In the order of the events: what takes something back goes out when that was shown, be it just before it."""
    terms = agreements_in_force(session, partners, day)
    answers = answers_of(session, {each.case_id for each in owed})
    abouts = {each.id: _about(each, thin[each.id], partners) for each in owed}
    shown = shown_uids(session, [uid for uid in abouts.values() if uid is not None])
    known = {(each.partner_id, each.case_id) for each in owed if each.shown or each.looked}
    verdicts: dict[int, Shown | Withheld] = {}
    for each in owed:
        pair = each.partner_id, each.case_id
        said = thin[each.id]
        if said is None or ("corrects" in said and each.corrects is None):
            verdict: Shown | Withheld = Withheld(Reason.NOT_IN_CATALOGUE)
        elif "referral" in said and _own_referral(each, said, referrals) is None:
            verdict = Withheld(Reason.OTHERS_REFERRAL)
        elif each.taken_back:
            verdict = Withheld(Reason.TAKEN_BACK)
        elif each.type in NEED_NO_CONSENT:
            about = abouts[each.id]
            verdict = follow_up(shown_before=pair in known if about is None else about in shown)
        else:
            happening = Happening(each.type, each.region, each.programme)
            verdict = cover(happening, each.partner_id, terms, answers[each.case_id])
        if isinstance(verdict, Shown):
            shown.add(each.uid)
            known.add(pair)
        verdicts[each.id] = verdict
    return verdicts


def _write(
    session: Session,
    owed: Sequence[Owed],
    thin: Mapping[int, Thin],
    referrals: Mapping[str, ReferralValues],
    verdicts: Mapping[int, Shown | Withheld],
    partners: Mapping[int, PartnerKey],
    public_url: str,
    now: datetime,
) -> None:
    detailed = {each.id for each in owed if isinstance(seen := verdicts[each.id], Shown) and seen.fields}
    values = case_values(session, {each.case_id for each in owed if each.id in detailed})
    positions = {id_: partner.position for id_, partner in partners.items()}
    known: dict[Pair, tuple[str, int]] = {}
    settled = []
    for each in owed:
        verdict = verdicts[each.id]
        if isinstance(verdict, Withheld):
            settled.append(Settled(each.id, Showing.WITHHELD, verdict.reason, *(None,) * 3, [], *(None,) * 3))
            continue
        pair = each.partner_id, each.case_id
        code, sequence = known.get(pair) or (case_code(partners[each.partner_id].key, each.case_id), each.shown)
        known[pair] = code, sequence + 1
        positions[each.partner_id] += 1
        said, about = thin[each.id] or {}, _about(each, thin[each.id], partners)
        referral = _own_referral(each, said, referrals)
        details = _details(verdict.fields, values.get(each.case_id, {}), referral.values if referral else {})
        body = cloud_event(
            OwedEvent(each.uid, each.type, code, sequence + 1, each.occurred_at, said),
            details,
            about=about,
            public_url=public_url,
        )
        settled.append(
            Settled(
                id=each.id,
                status=Showing.SHOWN,
                reason=None,
                position=positions[each.partner_id],
                sequence=sequence + 1,
                body=body.decode(),
                fields=list(details),
                agreement_id=verdict.agreement_id,
                consent_id=verdict.consent_id,
                shown_at=time_text(now),
            )
        )
    settle(session, settled)
    moved = {id_: position for id_, position in positions.items() if position != partners[id_].position}
    advance(session, moved, known)


def _details(fields: Sequence[str], *sources: Values) -> Values:
    """The values of these fields that are known."""
    found = {name: value for source in sources for name, value in source.items()}
    return {name: found[name] for name in fields if found.get(name) is not None}


def _own_referral(
    owed: Owed, said: Mapping[str, Any], referrals: Mapping[str, ReferralValues]
) -> ReferralValues | None:
    """The referral that the event speaks of, if it is one of this case to this partner: nobody else learns its code."""
    found = referrals.get(said.get("referral", ""))
    return found if found and (found.case_id, found.partner_id) == (owed.case_id, owed.partner_id) else None


def _about(owed: Owed, said: Thin, partners: Mapping[int, PartnerKey]) -> str | None:
    """The partner's own id of the event that this one takes back or reminds of; none when it is about no other."""
    uid = owed.corrects or (said or {}).get("event")
    return None if uid is None else event_uid(partners[owed.partner_id].key, uid)


def answers_of(session: Session, case_ids: Collection[int]) -> Mapping[int, Sequence[Answer]]:
    """What the people of these cases answered, the oldest first. Locked: who takes one of them back waits for us, and
    then finds who was shown something under it, or we see that it was taken back. (A first refusal for one partner,
    where the answer for any partner was yes, is a new row: what is shown at that very moment may be shown under that.)
    """
    found: dict[int, list[Answer]] = defaultdict(list)
    for case_id, id_, purpose, partner_id, any_partner, status, information in _ANSWERS.execute(
        session, [(each,) for each in sorted(case_ids)]
    ):
        given = status == "given"
        answer = Answer(id_, purpose, partner_id, bool(any_partner), given, frozenset(as_json(information)))
        found[case_id].append(answer)
    return found
