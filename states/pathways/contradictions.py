"""Looks for what cannot be true at once in one transition: guards that exclude each other, roles, choices and effects
that no move can come by, timers that would always be refused. `states.pathways.checker` runs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from states.facts import OVER
from states.guards import GUARDS
from states.guards.binding import demands_of
from states.guards.demands import Condition, Demands, Patience, Rule, Values, meeting, one_of, possible, start
from states.moves import SYSTEM
from states.pathways.problems import Problem, Step, listed
from states.pathways.schema import GuardPart, PathwayFile, TimerPart, TransitionPart, WhenPart
from states.pathways.source import Path, Source
from states.pathways.ways import Walks

_YES: Final = one_of([True])
_NOTHING_UNDER_WAY: Final = {
    kind: Condition(f"{kind}.status", one_of([None, *statuses])) for kind, statuses in OVER.items()
}


class Contradictions:
    """What one file's transitions ask for that cannot be. `dead` holds the (state, trigger) that nobody can ever fire,
    once `problems` has run."""

    def __init__(self, file: PathwayFile, source: Source, walks: Walks) -> None:
        self._file, self._source, self._walks = file, source, walks
        self.dead: set[tuple[str, str]] = set()
        self._patience = Patience()

    def problems(self) -> list[Problem]:
        """Every contradiction, transition by transition."""
        found: list[Problem] = []
        timers: dict[tuple[str, str], list[str]] = {}
        for key, timer in self._file.timers.items():
            for state in [timer.state] if timer.state else self._file.states:
                timers.setdefault((state, timer.trigger), []).append(key)
        for index, part in enumerate(self._file.transitions):
            fired = {key: self._file.timers[key] for at in part.from_ for key in timers.get((at, part.trigger), ())}
            found += self._transition(("transitions", index), part, fired)
        return found

    def walk(self, part: TransitionPart) -> tuple[Step, ...]:
        """A shortest walk to the transition, and over it."""
        walks = [walk for at in part.from_ if (walk := self._walks.to(at))]
        if not walks:
            return ()
        walk = min(walks, key=len)
        goal = walk[-1].state if part.to is None else part.to
        return (*walk, Step(part.trigger, goal))

    def _transition(self, path: Path, part: TransitionPart, fired: dict[str, TimerPart]) -> Iterator[Problem]:
        if part.roles == [SYSTEM.role] and not fired:
            yield self._problem(path, "nobody_asks", part, trigger=part.trigger, role=SYSTEM.role)
        rules = [Rule(conditions(each.when), demands_of(GUARDS[each.guard], each.with_)) for each in part.guards]
        known = start(part.roles)
        if rules:
            if not self._possible(known, rules):
                last = next(at for at in range(len(rules)) if not self._possible(known, rules[: at + 1]))
                self.dead |= {(state, part.trigger) for state in part.from_}
                yield self._excluded((*path, "guards", last), part, known, rules, last)
                return
            yield from self._conditional(path, part, known, rules)
            yield from self._left_out(path, part, known, rules)
            for key, timer in fired.items():
                if not self._possible({**known, **_said_by(timer, rules)}, rules):
                    yield self._problem(("timers", key), "timer_always_refused", part, key=key, trigger=part.trigger)
        yield from self._effects(path, part, known, rules)

    def _excluded(self, path: Path, part: TransitionPart, known: Demands, rules: Sequence[Rule], last: int) -> Problem:
        """The guard that cannot hold, with the fewest before it that make it so."""
        needed = list(range(last))
        for at in range(last):
            without = [each for each in needed if each != at]
            if not self._possible(known, [rules[each] for each in (*without, last)]):
                needed = without
        guards = [_named(part.guards[at]) for at in needed]
        code = "guards_contradict" if guards else "guard_never_holds"
        values = {"guard": _named(part.guards[last]), "others": listed(guards), "roles": listed(part.roles)}
        return self._problem(path, code, part, trigger=part.trigger, **values)

    def _conditional(
        self, path: Path, part: TransitionPart, known: Demands, rules: Sequence[Rule]
    ) -> Iterator[Problem]:
        for at, rule in enumerate(rules):
            others = [*rules[:at], *rules[at + 1 :]]
            inside = meeting(rule.when, known)
            values = {"guard": _named(part.guards[at]), "trigger": part.trigger}
            if not rule.when:
                continue
            if inside is None or not self._possible(inside, others):
                yield self._problem((*path, "guards", at), "guard_never_asked", part, **values)
            elif not self._possible(inside, rules[: at + 1]):
                yield self._problem((*path, "guards", at), "guard_always_refuses", part, **values)

    def _left_out(self, path: Path, part: TransitionPart, known: Demands, rules: Sequence[Rule]) -> Iterator[Problem]:
        """Roles and choices that are named, but that the guards never let through."""
        asked = {each.field for rule in rules for each in rule.when} | {field for rule in rules for field in rule.then}
        if "role" in asked:
            for role in part.roles:
                if not self._possible({**known, "role": one_of([role])}, rules):
                    yield self._problem((*path, "roles"), "role_never_passes", part, trigger=part.trigger, role=role)
        for at, rule in enumerate(rules):
            if not rule.when and GUARDS[part.guards[at].guard].asks and len(rules) > 1:
                for field, values in rule.then.items():
                    for choice in sorted(values.listed, key=str):
                        if not self._possible({**known, field: one_of([choice])}, rules):
                            where = (*path, "guards", at)
                            said = {"guard": _named(part.guards[at]), "trigger": part.trigger, "choice": choice}
                            yield self._problem(where, "choice_never_passes", part, **said)

    def _effects(self, path: Path, part: TransitionPart, known: Demands, rules: Sequence[Rule]) -> Iterator[Problem]:
        """Effects under a condition that no move can meet; their priority is the one that the move leaves."""
        named: list[tuple[Path, Any]] = []
        for section, effects in (("tasks", part.tasks), ("deadlines", part.deadlines)):
            for how in type(effects).model_fields:
                named += [((*path, section, how, at), each) for at, each in enumerate(getattr(effects, how))]
        for where, each in named:
            if each.when is None:
                continue
            if part.priority and each.when.priority and part.priority not in each.when.priority:
                inside = None
            else:
                when = each.when.model_copy(update={"priority": None}) if part.priority else each.when
                inside = meeting(conditions(when), known)
            if inside is None or not self._possible(inside, rules):
                key = getattr(each, "task", None) or each.deadline
                yield self._problem(where, "effect_never", part, key=key, trigger=part.trigger)

    def _possible(self, known: Demands, rules: Sequence[Rule]) -> bool:
        return possible(known, rules, self._patience)

    def _problem(self, path: Path, code: str, part: TransitionPart, /, **values: Any) -> Problem:
        return self._source.problem(path, code, walk=self.walk(part), **values)


def conditions(when: WhenPart | None) -> tuple[Condition, ...]:
    """The parts of a condition. The plan asking for a need and the move waiving it is one question."""
    if when is None:
        return ()
    found = []
    if when.priority:
        found.append(Condition("priority", one_of(when.priority)))
    if when.reason:
        found.append(Condition("reason", one_of(when.reason)))
    found += [Condition(f"data.{name}", one_of(values)) for name, values in when.data.items()]
    if when.need:
        found.append(Condition(f"asked.{when.need}", _YES, {"plan": _YES, f"plan.needs.{when.need}": _YES}))
    if when.without:
        found.append(_NOTHING_UNDER_WAY[when.without])
    return tuple(found)


def _said_by(timer: TimerPart, rules: Sequence[Rule]) -> dict[str, Values]:
    """What a timer's move says of each field that the rules look at."""
    said: dict[str, Any] = {"role": SYSTEM.role, "reason": timer.reason, "note": False}
    fields = {each.field for rule in rules for each in rule.when} | {field for rule in rules for field in rule.then}
    for field in fields:
        if field.startswith("data."):
            said[field] = timer.data.get(field.removeprefix("data."))
    return {field: one_of([value]) for field, value in said.items()}


def _named(part: GuardPart) -> str:
    """`reason_in (completed, withdrew)`."""
    values = [str(each) for given in part.with_.values() for each in (given if isinstance(given, list) else [given])]
    return f"{part.guard} ({listed(values, 4)})" if values else part.guard
