"""Situations in which a guard of a pathway holds or does not: what the tests of guards and of the matrix start from.

`SAMPLES` has both for every guard. A situation is what `Facts` and `Move` are made of, so that several guards can be
satisfied and spoiled in the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from states.facts import (
    AssessmentFact,
    AttemptFact,
    EnrolmentFact,
    Facts,
    GrantFact,
    GrantPlanFact,
    PlanFact,
    RecordFact,
)
from states.moves import Actor, Move

NOW = datetime(2024, 3, 12, 10, 30, tzinfo=UTC)
AUTHOR, APPROVER, ACTOR, PARTNER = 11, 12, 13, 5


@dataclass
class Situation:
    """One case and one request, still open to changes. The actor is nobody's author and nobody's approver."""

    facts: dict[str, Any] = field(default_factory=dict)
    move: dict[str, Any] = field(default_factory=dict)
    role: str = "coordinator"
    partner_id: int | None = None

    def as_facts(self) -> Facts:
        registered = NOW - timedelta(days=40)
        given: dict[str, Any] = {
            "case_id": 1,
            "state": "registered",
            "version": 1,
            "entered_state_at": registered,
            "arrival_date": date(2024, 2, 1),
            "registered_at": registered,
        }
        return Facts(**(given | self.facts))

    def as_move(self, trigger: str = "try") -> Move:
        return Move(
            1, trigger, Actor(self.role, ACTOR, partner_id=self.partner_id), "command", "correlation", **self.move
        )

    def data(self) -> dict[str, Any]:
        """The move's data, to be changed."""
        data: dict[str, Any] = self.move.setdefault("data", {})
        return data

    def change(self, record: str, **changes: Any) -> None:
        """Changes a record, made as it is at its beginning if it was never mentioned; one that was taken away stays
        away."""
        present = self.facts.setdefault(record, BEGINNINGS[record])
        if present is not None:
            self.facts[record] = present._replace(**changes)


A_PLAN = GrantPlanFact("individual", 300_000, 0, AUTHOR, None)
BEGINNINGS = {
    "plan": PlanFact("draft", frozenset({"a_need"}), AUTHOR, None),
    "grant": GrantFact("planned", AUTHOR, None, None),
    "enrolment": EnrolmentFact("enrolled", False),
}


Change = Callable[[Situation, Mapping[str, Any]], None]


class Sample(NamedTuple):
    """How a guard with certain parameters comes to hold in a situation, and not to hold."""

    satisfy: Change
    spoil: Change
    parameters: Mapping[str, Any] = {}


def _assess(situation: Situation, given: Mapping[str, Any]) -> None:
    found = AssessmentFact(given["instruments"][-1], 7, "moderate", frozenset(), NOW)
    situation.facts.setdefault("assessments", {})[found.instrument] = found


def _forget(situation: Situation, given: Mapping[str, Any]) -> None:
    for instrument in given["instruments"]:
        situation.facts.get("assessments", {}).pop(instrument, None)


def _change(record: str, **changes: Any) -> Change:
    def change(situation: Situation, _given: Mapping[str, Any]) -> None:
        situation.change(record, **changes)

    return change


def _without(record: str) -> Change:
    def change(situation: Situation, _given: Mapping[str, Any]) -> None:
        situation.facts[record] = None

    return change


def _need(situation: Situation, given: Mapping[str, Any]) -> None:
    situation.change("plan", needs=frozenset({given["need"], "another"}))


def _no_need(situation: Situation, _given: Mapping[str, Any]) -> None:
    situation.change("plan", needs=frozenset({"another"}))


def _grant_at(situation: Situation, given: Mapping[str, Any]) -> None:
    situation.change("grant", status=given["step"])


def _grant_before(situation: Situation, given: Mapping[str, Any]) -> None:
    """At the step before, or no grant at all before the first."""
    steps = ("planned", "endorsed", "approved", "procured", "delivered", "verified")
    if given["step"] == steps[0]:
        situation.facts["grant"] = None
    else:
        situation.change("grant", status=steps[steps.index(given["step"]) - 1])


def _plan_of_the_grant(**changes: Any) -> Change:
    """Changes the business plan of the grant that the move is about."""

    def change(situation: Situation, _given: Mapping[str, Any]) -> None:
        code = situation.move.setdefault("record", "R")
        plans = situation.facts.setdefault("grants", {})
        plans[code] = plans.get(code, A_PLAN)._replace(**changes)

    return change


def _above_the_ceiling(situation: Situation, given: Mapping[str, Any]) -> None:
    _plan_of_the_grant(kind="community", amount_xof=given["community"] + 1)(situation, given)


def _above_one_signature(situation: Situation, given: Mapping[str, Any]) -> None:
    before = situation.facts.get("grants", {}).get(situation.move.get("record"), A_PLAN).amount_xof
    _plan_of_the_grant(kind="community", amount_xof=max(before, given["up_to"] + 1))(situation, given)


def _another_record(situation: Situation, given: Mapping[str, Any]) -> None:
    kind, status = given["states"][0].split(".")
    situation.facts.setdefault("records", {})["another"] = RecordFact(kind, "another", status, None)


def _no_other_record(situation: Situation, _given: Mapping[str, Any]) -> None:
    situation.facts.get("records", {}).pop("another", None)


def _say(part: str, value: Any) -> Change:
    def change(situation: Situation, _given: Mapping[str, Any]) -> None:
        situation.move[part] = value

    return change


def _waive_what_is_not_asked_for(situation: Situation, _given: Mapping[str, Any]) -> None:
    situation.data()["waived"] = ["no_need_of_the_plan"]


def _set(group: str, name: str) -> Change:
    def change(situation: Situation, given: Mapping[str, Any]) -> None:
        situation.facts[group] = situation.facts.get(group, frozenset()) | {given[name]}

    return change


def _unset(group: str, name: str) -> Change:
    def change(situation: Situation, given: Mapping[str, Any]) -> None:
        situation.facts[group] = situation.facts.get(group, frozenset()) - {given[name]}

    return change


def _receiver(situation: Situation, _given: Mapping[str, Any]) -> None:
    """The actor is the system of the partner that has the referral R."""
    situation.move.setdefault("record", "R")
    records = situation.facts.setdefault("records", {})
    found = records.get("R", RecordFact("referral", "R", "in_progress", None))
    records["R"] = found._replace(partner_id=PARTNER)
    situation.partner_id = PARTNER


def _serving(situation: Situation, _given: Mapping[str, Any]) -> None:
    """The actor is the system of a partner that accepted a referral of the person."""
    accepted = RecordFact("referral", "S", "accepted", None, partner_id=PARTNER)
    situation.facts.setdefault("records", {})["S"] = accepted
    situation.partner_id = PARTNER


def _not_serving(situation: Situation, _given: Mapping[str, Any]) -> None:
    """The actor is the system of a partner that was asked and has not answered."""
    asked = RecordFact("referral", "S", "in_progress", None, partner_id=PARTNER + 1)
    situation.facts.setdefault("records", {})["S"] = asked
    situation.partner_id = PARTNER + 1


def _shares(situation: Situation, _given: Mapping[str, Any]) -> None:
    situation.data()["partner"] = PARTNER
    situation.facts["shares"] = {PARTNER: frozenset(situation.data().get("information", ()))}


def _tried(situation: Situation, given: Mapping[str, Any]) -> None:
    """Just as many tries as are wanted, by just as many channels, over just as many days."""
    last = given["minimum"] - 1
    situation.facts["attempts"] = tuple(
        AttemptFact(
            NOW - timedelta(days=given["days"] if place < last else 0), f"c{place % given['channels']}", "not_reached"
        )
        for place in range(given["minimum"])
    )


def _talked(situation: Situation, _given: Mapping[str, Any]) -> None:
    situation.facts["exit_talks"] = frozenset({situation.move.setdefault("reason", "withdrew")})


def _guarded(situation: Situation, _given: Mapping[str, Any]) -> None:
    """A child who came alone, and somebody who answers for them."""
    situation.facts["vulnerabilities"] = frozenset({"unaccompanied_child"})
    situation.facts.setdefault("records", {})["G"] = RecordFact("guardian", "G", "recorded", None)


def _unguarded(situation: Situation, _given: Mapping[str, Any]) -> None:
    situation.facts["vulnerabilities"] = frozenset({"unaccompanied_child"})
    situation.facts.setdefault("records", {}).pop("G", None)


SAMPLES: dict[str, Sample] = {
    "reason_in": Sample(
        lambda s, given: s.move.update(reason=given["reasons"][0]),
        _say("reason", "no_reason_of_any_list"),
        {"reasons": ("completed", "withdrew")},
    ),
    "note_given": Sample(_say("note", "Parti chez son frère"), _say("note", "  \n")),
    "data_in": Sample(
        lambda s, given: s.data().update({given["field"]: given["values"][-1]}),
        lambda s, given: s.data().pop(given["field"], None),
        {"field": "months", "values": (3, 6, 12)},
    ),
    "actor_in": Sample(
        lambda s, given: setattr(s, "role", given["roles"][0]),
        lambda s, _: setattr(s, "role", "nobody"),
        {"roles": ("coordinator",)},
    ),
    "priority_in": Sample(
        lambda s, given: s.facts.update(priority=given["priorities"][0]),
        lambda s, given: s.facts.update(priority=next(p for p in ("normal", "urgent") if p not in given["priorities"])),
        {"priorities": ("emergency",)},
    ),
    "consent_given": Sample(_set("consents", "purpose"), _unset("consents", "purpose"), {"purpose": "assistance"}),
    "assessed": Sample(_assess, _forget, {"instruments": ("k6", "phq4")}),
    "plan_approved": Sample(_change("plan", status="approved"), _change("plan", status="draft")),
    "plan_approver_differs": Sample(_change("plan", approver_id=APPROVER), _change("plan", approver_id=AUTHOR)),
    "plan_asks_for": Sample(_need, _no_need, {"need": "training"}),
    "waivers_allowed": Sample(
        lambda s, _: s.data().pop("waived", None), _waive_what_is_not_asked_for, {"roles": ("coordinator",)}
    ),
    "sessions_attended": Sample(
        lambda s, given: s.facts.update(sessions_attended=given["minimum"]),
        lambda s, given: s.facts.update(sessions_attended=given["minimum"] - 1),
        {"minimum": 1},
    ),
    "training_certified": Sample(_change("enrolment", certified=True), _change("enrolment", certified=False)),
    "no_record_in": Sample(_no_other_record, _another_record, {"states": ("enrolment.enrolled", "grant.planned")}),
    "livelihood_reached": Sample(_grant_at, _grant_before, {"step": "procured"}),
    "within_ceiling": Sample(
        _plan_of_the_grant(),
        _above_the_ceiling,
        {"individual": 1_000_000, "collective": 5_000_000, "community": 15_000_000},
    ),
    "one_signature_suffices": Sample(_plan_of_the_grant(), _above_one_signature, {"up_to": 2_000_000}),
    "grant_approver_differs": Sample(_plan_of_the_grant(proposed_by=AUTHOR), _plan_of_the_grant(proposed_by=ACTOR)),
    "purchases_recorded": Sample(_plan_of_the_grant(spent_xof=1), _plan_of_the_grant(spent_xof=0)),
    "visit_recorded": Sample(_set("visits", "months"), _unset("visits", "months"), {"months": 12}),
    "awaited": Sample(
        _set("open_deadlines", "deadline"), _unset("open_deadlines", "deadline"), {"deadline": "visit_3"}
    ),
    "consent_names": Sample(
        _shares,
        lambda s, _: s.facts.update(shares={}),
    ),
    "receiver_answers": Sample(_receiver, lambda s, _: setattr(s, "partner_id", PARTNER + 1)),
    "serves_person": Sample(_serving, _not_serving),
    "contact_attempts": Sample(
        _tried, lambda s, _: s.facts.update(attempts=()), {"minimum": 3, "channels": 2, "days": 30}
    ),
    "exit_talked": Sample(_talked, lambda s, _: s.facts.update(exit_talks=frozenset())),
    "guardian_recorded": Sample(_guarded, _unguarded),
    "ran_out": Sample(
        _unset("open_deadlines", "deadline"), _set("open_deadlines", "deadline"), {"deadline": "visit_3_opens"}
    ),
}
"""For every guard, with parameters as a pathway could write them."""
