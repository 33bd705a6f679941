"""Steps that taking back does not undo, because what they moved is not the case's alone, and what to do instead.

`states.correction` asks here before it takes a step back. Money and places that a step gave back may be somebody
else's by now; a proof or a presence is corrected where it was recorded; what followed from another act stands and falls
with it. Pure.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from states.history import PastRow
from states.moves import Reason
from states.pathway import Text


class Kept(NamedTuple):
    """What to do instead of taking a step back. `sources`: only when the record was at one of these before (none:
    wherever it was); `reasons`: only when the step was taken for one of these (none: whatever for)."""

    instead: Text
    sources: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


_CLOSED: Final = Text(
    "Le dossier clos a rendu ce qu'il tenait encore, et d'autres ont pu le recevoir : rouvrez le dossier.",
    "The closed case has given back what it still held, and others may have it by now: reopen the case.",
)
_PLACE: Final = Text(
    "La place est peut-être déjà à quelqu'un d'autre : inscrivez la personne à nouveau, ou sur la liste d'attente.",
    "Somebody else may have the place by now: enrol the person again, or put them on the waiting list.",
)
_PART: Final = Text(
    "La participation au projet a pris fin : si c'est une erreur, inscrivez la personne au projet à nouveau.",
    "The part in the project has ended: if that is a mistake, let the person join the project again.",
)
_VISIT: Final = Text(
    "Une visite sur place reste enregistrée avec ce qui a été constaté.",
    "A visit on site stays on record with what was found.",
)
KEPT: Final = {
    "cancel_grant": Kept(
        Text(
            "L'argent est peut-être déjà engagé ailleurs : présentez un nouveau plan d'affaires.",
            "The money may be committed elsewhere by now: submit a new business plan.",
        )
    ),
    "complete_membership": Kept(_PART),
    "confirm_attendance": Kept(
        Text(
            "La présence se corrige jour par jour : enregistrez le jour à nouveau.",
            "Attendance is corrected day by day: record the day anew.",
        )
    ),
    "drop_out": Kept(_PLACE),
    "lapse_offer": Kept(_PLACE, sources=("offered",)),
    "leave_project": Kept(_PART),
    "leave_waiting_list": Kept(_PLACE, sources=("offered",)),
    "procure_kit": Kept(
        Text(
            "Ce qui restait est revenu au budget et peut être engagé ailleurs : présentez un appui pour ce qui manque.",
            "What was left went back to the budget and may be committed elsewhere: submit a grant for what is missing.",
        )
    ),
    "record_purchase": Kept(
        Text(
            "Un achat reste enregistré avec sa preuve.",
            "A purchase stays on record with its proof.",
        )
    ),
    "revise_business_plan": Kept(
        Text(
            "Révisez le plan d'affaires à nouveau, avec ce qu'il disait.",
            "Revise the business plan again, with what it said.",
        )
    ),
    "revise_plan": Kept(
        Text("Révisez le plan à nouveau, avec ce qu'il disait.", "Revise the plan again, with what it said.")
    ),
    "revoke_consent": Kept(
        Text(
            "La personne a dit non au même destinataire : si elle dit oui, enregistrez un nouveau consentement.",
            "The person said no for the same recipient: if they say yes, record a new consent.",
        ),
        reasons=("consent_refused",),
    ),
    "revoke_referral": Kept(
        Text(
            "L'orientation est révoquée parce que son consentement l'est : si la personne dit oui, enregistrez un "
            "nouveau consentement et faites une nouvelle orientation.",
            "The referral was revoked because its consent was: if the person says yes, record a new consent and make a "
            "new referral.",
        ),
        reasons=("consent_revoked",),
    ),
    "verify_kit": Kept(_VISIT),
    "visit_kit": Kept(_VISIT),
}
"""Every step that is not taken back, by its trigger."""


def kept(row: PastRow) -> Reason | None:
    """Why this row is not taken back and what to do instead; none: nothing of this kind stands against it."""
    found = KEPT.get(row.trigger)
    if found is None:
        return None
    before = row.data.get("record", {}).get("from")
    if (found.sources and before not in found.sources) or (found.reasons and row.reason not in found.reasons):
        return None
    instead = _CLOSED if row.reason == "case_closed" else found.instead
    return Reason("recorded_apart", instead.fr, instead.en, "journal")
