"""Invented lives of cases, written by the real engine: what the tests and the benchmark of replays start from.

A small pathway with guards, a hold, deadlines, timers and a record; people who do not exist; each day somebody does
something that is possible, each night the sweep runs. Nobody in here exists.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count

from sqlmodel import Session
from synthetic_cases import person

from models import Assessment, CasePlan, NightlyRun, Partner, Referral, Staff
from states.advance import advance_cases
from states.codes import case_code
from states.decide import Possible, preview
from states.facts import FACT_GROUPS, Facts
from states.gather import gather_facts
from states.moves import Actor, Move, Outcome, OutcomeKind
from states.pathway import Pathway
from states.pathways.shelf import pathways_of, publish
from states.registration import register_cases
from states.sweep import sweep_deadlines

FIRST_DAY = date(2024, 1, 8)
NIGHT_HOUR = 2

PAST = """\
pathway: past
version: 1
title: {fr: Parcours passé, en: Past pathway}
timezone: Africa/Bamako
calendar: {weekend: [saturday, sunday], holidays: ML}
initial: waiting
roles:
  worker: {fr: agent, en: worker}
  chief: {fr: chef, en: chief}
  system: {fr: système, en: system}
reasons:
  close:
    done: {fr: fini, en: done}
    left: {fr: parti, en: left}
    absent: {fr: absent, en: absent}
  hold:
    ill: {fr: malade, en: ill}
  waive:
    far: {fr: loin, en: far}
states:
  waiting:
    title: {fr: Attente, en: Waiting}
    shared: true
    on_entry: {open: [greet], set: [greeted, absent]}
  helped:
    title: {fr: Aide, en: Help}
    shared: true
    on_entry: {open: [write], set: [help_given]}
  followed:
    title: {fr: Suivi, en: Follow-up}
    shared: true
    on_entry: {set: [check_opens, check]}
  paused:
    title: {fr: Pause, en: Pause}
    kind: hold
    shared: false
    on_entry: {set: [pause_reviewed]}
  ended:
    title: {fr: Fin, en: End}
    kind: final
    shared: true
records:
  referral:
    title: {fr: orientation, en: referral}
    states:
      in_progress: {fr: en cours, en: in progress}
      accepted: {fr: acceptée, en: accepted}
      expired: {fr: expirée, en: expired}
triggers:
  help: {fr: Aider, en: Help}
  write: {fr: Écrire, en: Write}
  approve: {fr: Approuver, en: Approve}
  follow: {fr: Suivre, en: Follow}
  open_check: {fr: Ouvrir le contrôle, en: Open the check}
  check: {fr: Contrôler, en: Check}
  press: {fr: Presser, en: Press}
  waive: {fr: Déroger, en: Waive}
  refer: {fr: Orienter, en: Refer}
  accept: {fr: Accepter, en: Accept}
  lapse: {fr: Expirer, en: Lapse}
  pause: {fr: Suspendre, en: Pause}
  go_on: {fr: Reprendre, en: Go on}
  end: {fr: Finir, en: End}
  reopen: {fr: Rouvrir, en: Reopen}
tasks:
  greet: {title: {fr: Accueillir, en: Greet}, role: worker, state: waiting, due: P3D}
  write: {title: {fr: Écrire, en: Write}, role: worker, state: helped, due: P7D}
  approve: {title: {fr: Approuver, en: Approve}, role: chief, due: P5D}
  check: {title: {fr: Contrôler, en: Check}, role: worker, state: followed, due: P7D}
  chase: {title: {fr: Relancer, en: Chase}, role: chief, record: referral}
deadlines:
  greeted:
    title: {fr: Accueil fait, en: Greeted}
    owner: worker
    state: waiting
    base: arrival
    due: 5 working days
    ladder: [{after: P1D, role: chief}]
  help_given:
    title: {fr: Aide donnée, en: Help given}
    owner: worker
    state: helped
    due: P10D
    reminders: [P3D]
    ladder: [{after: P1D, role: chief}]
    waiver: {extend: P5D, lift: true, times: 2}
  approved:
    title: {fr: Décision prise, en: Decided}
    owner: chief
    due: P6D
    ladder: [{after: P1D, role: chief}]
  check:
    title: {fr: Contrôle, en: Check}
    owner: worker
    state: followed
    due: P21D
    ladder: [{after: P1D, role: chief}]
  answer:
    title: {fr: Réponse, en: Answer}
    owner: chief
    record: referral
    due: PT72H
    ladder: [{after: PT2H, role: chief}]
  pause_reviewed:
    title: {fr: Pause revue, en: Pause reviewed}
    owner: chief
    state: paused
    due: P9D
    ladder: [{after: P1D, role: chief}]
timers:
  absent: {title: {fr: Absent, en: Absent}, owner: worker, state: waiting, due: P20D, trigger: end, reason: absent}
  check_opens:
    title: {fr: Ouverture du contrôle, en: Opening of the check}
    owner: worker
    state: followed
    due: P21D
    before: P7D
    trigger: open_check
  lapse: {title: {fr: Fin, en: End}, owner: chief, record: referral, due: P12D, trigger: lapse}
registration:
  announce: [case.registered]
transitions:
  - {trigger: help, from: waiting, to: helped, roles: [worker], guards: [{guard: assessed, with: {instruments: [k6]}}],
     tasks: {complete: [greet]}, deadlines: {meet: [greeted], cancel: [absent]}, announce: [case.advanced]}
  - {trigger: write, from: helped, roles: [worker], guards: [{guard: plan_asks_for, with: {need: followed}}],
     tasks: {open: [{task: approve, unless_open: true}], complete: [write]},
     deadlines: {set: [{deadline: approved, unless_open: true}]}}
  - {trigger: approve, from: helped, roles: [chief], guards: [plan_approver_differs],
     tasks: {complete: [approve, write]}, deadlines: {meet: [approved, help_given]}}
  - {trigger: follow, from: helped, to: followed, roles: [worker, chief], guards: [plan_approved],
     tasks: {complete: [approve]}, deadlines: {meet: [help_given], cancel: [approved]}, announce: [case.advanced]}
  - {trigger: open_check, from: followed, roles: [system], tasks: {open: [check]}}
  - {trigger: check, from: followed, roles: [worker], guards: [{guard: ran_out, with: {deadline: check_opens}}],
     tasks: {complete: [check]}, deadlines: {meet: [check]}}
  - {trigger: press, from: [waiting, helped, followed], roles: [worker, chief], priority: urgent,
     guards: [{guard: priority_in, with: {priorities: [normal]}}]}
  - {trigger: waive, from: helped, waives: true, roles: [chief], guards: [{guard: reason_in, with: {reasons: [far]}}]}
  - {trigger: refer, record: {kind: referral, to: in_progress}, from: [helped, followed], roles: [worker],
     tasks: {open: [chase]}, deadlines: {set: [answer, lapse]}, announce: [referral.made]}
  - {trigger: accept, record: {kind: referral, from: [in_progress], to: accepted}, from: [helped, followed, paused],
     roles: [worker, chief], tasks: {complete: [chase]}, deadlines: {meet: [answer], cancel: [lapse]},
     announce: [referral.answered]}
  - {trigger: lapse, record: {kind: referral, from: [in_progress], to: expired}, from: [helped, followed, paused],
     roles: [system], tasks: {cancel: [chase]}, deadlines: {cancel: [answer]}}
  - {trigger: pause, from: [waiting, helped, followed], to: paused, roles: [worker, chief],
     guards: [{guard: reason_in, with: {reasons: [ill]}}], announce: [case.held]}
  - {trigger: go_on, from: paused, to: previous, roles: [worker, chief],
     deadlines: {meet: [pause_reviewed]}, announce: [case.resumed]}
  - {trigger: end, from: [waiting, helped, followed, paused], to: ended, roles: [chief, system],
     guards: [{guard: reason_in, with: {reasons: [done, left, absent]}}, {guard: note_given, when: {reason: left}}],
     announce: [case.closed]}
  - {trigger: reopen, from: ended, to: previous, roles: [chief], guards: [note_given], announce: [case.reopened]}
"""

RARE = {"end": 8, "reopen": 10, "pause": 6, "press": 5, "waive": 3, "refer": 3}
"""What happens only one time in so many that it is possible."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of the so many-th day."""
    return datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, hour, minute, tzinfo=UTC) + timedelta(days=day)


@dataclass
class Past:
    """Cases on the pathway `past`, and a supply of codes and chances that is the same for the same seed."""

    session: Session
    seed: int
    text: str = PAST
    version_id: int = 0
    pathway: Pathway = field(init=False)
    actors: dict[str, Actor] = field(default_factory=dict)
    partner_id: int = 0
    case_ids: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.numbers = count(1)
        session, now = self.session, at(0, 8)
        version_id = publish(session, self.text, now).id
        assert version_id is not None
        self.version_id, self.pathway = version_id, pathways_of(session, [version_id])[version_id]
        staff = [
            Staff(login=f"{role}-fictif", name="Fictif", role=role, created_at=now) for role in ("worker", "chief")
        ]
        partner = Partner(code="fictif", name="Partenaire fictif", created_at=now)
        session.add_all([*staff, partner])
        session.flush()
        self.actors = {each.role: Actor(each.role, each.id) for each in staff}
        self.partner_id = partner.id or 0

    def register(self, number: int, day: int) -> list[int]:
        """So many people arrive."""
        made = register_cases(
            self.session,
            [person(next(self.numbers), arrival_date=at(day, 8).date()) for _ in range(number)],
            pathway_version_id=self.version_id,
            now=at(day, 8),
            actor=self.actors["worker"],
            correlation_id="past",
            new_code=lambda: case_code(self.chance.randbytes),
        )
        ids = [each.case_id for each in made]
        self.case_ids += ids
        return ids

    def night(self, day: int) -> None:
        """The sweep in the night before the day, and its receipt."""
        night = at(day, NIGHT_HOUR)
        self.session.add(NightlyRun(as_of=night.date(), status="done", started_at=night))
        while sweep_deadlines(self.session, as_of=night, limit=1000).seen:
            pass

    def live(self, day: int, share: float = 0.5) -> None:
        """A day on which this share of the cases has something done that is possible."""
        chosen = [id_ for id_ in self.case_ids if self.chance.random() < share]
        facts = gather_facts(self.session, chosen, FACT_GROUPS)
        now = at(day, 10)
        self._record([facts[id_] for id_ in chosen], now)
        facts = gather_facts(self.session, chosen, FACT_GROUPS)
        moves = [move for id_ in chosen if (move := self._move(facts[id_], now))]
        outcomes = advance_cases(self.session, moves, now=now)
        moved = [move for move, out in zip(moves, outcomes, strict=True) if out.kind is OutcomeKind.MOVED]
        assert len(moved) == len(moves)
        self._refer([move for move in moved if move.trigger == "refer"], now)

    def advance(self, case_id: int, trigger: str, role: str, now: datetime, reason: str | None = None) -> Outcome:
        """One move, whatever comes of it."""
        return self.advance_all([case_id], trigger, role, now, reason)[0]

    def advance_all(
        self, case_ids: Sequence[int], trigger: str, role: str, now: datetime, reason: str | None = None
    ) -> list[Outcome]:
        """The same move on many cases, with the referrals that it makes."""
        moves = [
            Move(
                *(id_, trigger, self.actors[role], f"past-{next(self.numbers)}", "past"),
                reason=reason,
                record=f"R{next(self.numbers)}" if trigger == "refer" else None,
                details=True,
            )
            for id_ in case_ids
        ]
        outcomes = advance_cases(self.session, moves, now=now)
        if trigger == "refer":
            self._refer(moves, now)
        return outcomes

    def assess(self, case_id: int, instrument: str, now: datetime) -> None:
        """A result."""
        self.session.add(
            Assessment(case_id=case_id, seq=1, instrument=instrument, version="1", answers={}, assessed_at=now)
        )
        self.session.flush()

    def plan(self, case_id: int, now: datetime, approved_at: datetime | None = None) -> None:
        """A plan, by the worker; approved by the chief."""
        code = f"P{next(self.numbers)}"
        author = self.actors["worker"].id
        plan = CasePlan(code=code, case_id=case_id, needs=["followed"], author_id=author, drafted_at=now)
        if approved_at is not None:
            plan.status, plan.approved_at, plan.approver_id = "approved", approved_at, self.actors["chief"].id
        self.session.add(plan)
        self.session.flush()

    def _record(self, cases: Sequence[Facts], now: datetime) -> None:
        """Results and plans come as they come."""
        for each in cases:
            if not each.assessments and self._maybe(2):
                self.assess(each.case_id, "k6", now)
            if each.plan is None and each.state == "helped" and self._maybe(2):
                self.plan(each.case_id, now, now if self._maybe(2) else None)

    def _move(self, facts: Facts, now: datetime) -> Move | None:
        ways = list(self._ways(facts, now))
        if not ways:
            return None
        actor, way = self.chance.choice(ways)
        given = {name: self.chance.choice(choices) for name, choices in way.asks.items() if choices}
        note = "note fictive" if "note" in way.asks or given.get("reason") == "left" else None
        record = f"R{next(self.numbers)}" if way.trigger == "refer" else given.get("record")
        command = f"past-{next(self.numbers)}"
        return Move(
            *(facts.case_id, way.trigger, actor, command, "past"),
            reason=given.pop("reason", None),
            note=note,
            record=record,
            data={name: value for name, value in given.items() if name not in ("record", "note")},
            details=True,
        )

    def _ways(self, facts: Facts, now: datetime) -> Iterator[tuple[Actor, Possible]]:
        for actor in self.actors.values():
            for way in preview(self.pathway, facts, actor, now):
                if (way.allowed or way.trigger == "refer") and (facts.state, way.trigger) in self.pathway.table:
                    if way.trigger == "refer" and actor.role != "worker":
                        continue
                    if self._maybe(RARE.get(way.trigger, 1)):
                        yield actor, way

    def _refer(self, moves: Sequence[Move], now: datetime) -> None:
        self.session.add_all(
            Referral(
                case_id=move.case_id,
                partner_id=self.partner_id,
                code=str(move.record),
                made_by=move.actor.id,
                made_at=now,
            )
            for move in moves
        )
        self.session.flush()

    def _maybe(self, times: int) -> bool:
        return self.chance.randrange(times) == 0


def spend(past: Past, days: int, arrivals: Sequence[int], share: float = 0.5) -> None:
    """So many days go by: people arrive on the first ones, each night the sweep runs, each day something is done."""
    for day in range(days):
        if day:
            past.night(day)
        if day < len(arrivals):
            past.register(arrivals[day], day)
        past.live(day, share)
    past.session.commit()
