"""A partner's look at cases that it knows: what agreements and consents let it see of them now, and the note of it.

The partner API calls it; the ledger shows each look.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlmodel import Session

from integrations.sharing.agreements import agreements_in_force
from integrations.sharing.covering import Happening, Shown, cover
from integrations.sharing.fields import Values, case_values
from integrations.sharing.projection import answers_of
from models.sharing import Disclosure
from models.types import BigId
from states.bulk import SetStatement
from states.pathway import Text
from states.pathways.shelf import pathways_of

TELLS_STATES: Final = "case.advanced"
"""Whoever gets this event knows at all times in which state a case is; nobody else is told by a look."""

_LOOK: Final = "look"
_WHAT: Final = "case"

_CASES = SetStatement(
    "SELECT c.id, c.region_pcode, v.name, c.state, c.pathway_version_id FROM {rows} "
    'JOIN "case" AS c ON c.id = r.id JOIN pathway_version AS v ON v.id = c.pathway_version_id ORDER BY c.id',
    id=BigId,
)


class Look(NamedTuple):
    """What a partner may see of a case, and on which grounds. `state` and its title: none unless the pathway shares the
    state and the agreement names `TELLS_STATES`. `details` are the fields that are known."""

    case_id: int
    state: str | None
    title: Text | None
    details: Values
    agreement_id: int
    consent_id: int | None


def look_at(session: Session, partner_id: int, case_ids: Collection[int], *, day: date) -> dict[int, Look]:
    """What the partner may see of these cases on the programme's `day`, by case; those of which it may see nothing are
    left out. A look is no event: an agreement that covers the case allows it, whatever types of event it names.

    The number of statements does not depend on how many cases there are. The consents stay locked until the transaction
    ends, so that whoever takes one back finds the look that leant on it.
    """
    told = agreements_in_force(session, [partner_id], day)
    terms = [replace(each, event_types=frozenset({_LOOK})) for each in told]
    of_states = {each.agreement_id for each in told if TELLS_STATES in each.event_types}
    cases = _CASES.execute(session, [(each,) for each in sorted(set(case_ids))]).all()
    answers = answers_of(session, case_ids)
    verdicts = {
        id_: cover(Happening(_LOOK, region, programme), partner_id, terms, answers[id_])
        for id_, region, programme, _state, _version in cases
    }
    values = case_values(session, [id_ for id_, verdict in verdicts.items() if isinstance(verdict, Shown)])
    pathways = pathways_of(session, {version for *_rest, version in cases})
    found = {}
    for id_, _region, _programme, key, version in cases:
        verdict = verdicts[id_]
        if not isinstance(verdict, Shown) or verdict.agreement_id is None:
            continue
        state = pathways[version].states[key]
        tells = state.shared and verdict.agreement_id in of_states
        found[id_] = Look(
            case_id=id_,
            state=state.key if tells else None,
            title=state.title if tells else None,
            details={name: values[id_][name] for name in verdict.fields if values[id_].get(name) is not None},
            agreement_id=verdict.agreement_id,
            consent_id=verdict.consent_id,
        )
    return found


def note_looks(session: Session, partner_id: int, looks: Collection[Look], *, now: datetime) -> None:
    """The partner saw this."""
    session.add_all(
        Disclosure(
            partner_id=partner_id,
            case_id=each.case_id,
            what=_WHAT,
            fields=list(each.details),
            agreement_id=each.agreement_id,
            consent_id=each.consent_id,
            at=now,
        )
        for each in looks
    )
    session.flush()
