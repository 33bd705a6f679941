"""What a diagram of a pathway shows: the ways between states, each drawn once however many triggers or states share it.

`states.pathways.drawing` and `states.pathways.mermaid` draw charts: one of the pathway, one of each kind of records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from states.pathway import Pathway, State, StateKind, Transition
from states.pathways.ways import PREVIOUS

_COMMON: Final = 0.6
"""What is possible in this share of the active states is drawn once for all of them, with its exceptions."""


class Way(NamedTuple):
    """Arrows to one goal (a node's key, `PREVIOUS`), with the titles of all triggers that lead there."""

    goal: str
    titles: tuple[str, ...]


class Node(NamedTuple):
    """One state. `inside` are the titles of what can be asked for without leaving it, `begins` of what makes a record
    in it; the machine itself begins in the `first` one."""

    key: str
    title: str
    kind: StateKind
    ways: tuple[Way, ...]
    inside: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    first: bool = False


class Common(NamedTuple):
    """What nearly every active state has: where it leads (none: nowhere), and the titles of the states without it."""

    goal: str | None
    title: str
    but: tuple[str, ...]


class Chart(NamedTuple):
    """A machine to draw. Nodes come in the order in which cases reach them: active, on hold, final."""

    title: str
    nodes: tuple[Node, ...]
    common: tuple[Common, ...] = ()


def charts_of(pathway: Pathway, language: str) -> list[Chart]:
    """The pathway's own chart, then that of each kind of records."""
    return [_pathway_chart(pathway, language), *(_record_chart(pathway, kind, language) for kind in pathway.records)]


def _pathway_chart(pathway: Pathway, language: str) -> Chart:
    of_state: dict[str, list[Transition]] = {key: [] for key in pathway.states}
    for transition in pathway.table.values():
        if transition.record is None:
            of_state[transition.state].append(transition)
    rank = {trigger: at for at, trigger in enumerate(pathway.triggers)}
    for transitions in of_state.values():
        transitions.sort(key=lambda each: rank[each.trigger])
    active = [key for key, state in pathway.states.items() if state.kind is StateKind.ACTIVE]
    shared = _shared(of_state, active)
    nodes = []
    for key in _in_order(pathway, of_state):
        state = pathway.states[key]
        own = [each for each in of_state[key] if key not in active or (_goal(each), each.trigger) not in shared]
        ways: dict[str, list[str]] = {}
        for each in own:
            if not each.internal:
                ways.setdefault(_goal(each) or "", []).append(pathway.triggers[each.trigger].in_(language))
        inside = tuple(pathway.triggers[each.trigger].in_(language) for each in own if each.internal)
        drawn = tuple(Way(goal, tuple(titles)) for goal, titles in ways.items())
        first = key == pathway.initial
        nodes.append(Node(key, state.title.in_(language), state.kind, drawn, inside, first=first))
    common = []
    for (goal, trigger), states in sorted(shared.items(), key=lambda item: rank[item[0][1]]):
        but = tuple(pathway.states[key].title.in_(language) for key in active if key not in states)
        common.append(Common(goal, pathway.triggers[trigger].in_(language), but))
    title = f"{pathway.title.in_(language)} · {pathway.name} v{pathway.version}"
    return Chart(title, tuple(nodes), tuple(common))


def _shared(
    of_state: Mapping[str, Iterable[Transition]], active: Sequence[str]
) -> dict[tuple[str | None, str], set[str]]:
    """(goal, trigger) that most active states have, with those states; ways only where they leave the active states."""
    states: dict[tuple[str | None, str], set[str]] = {}
    for key in active:
        for each in of_state[key]:
            if each.internal or _goal(each) not in active:
                states.setdefault((_goal(each), each.trigger), set()).add(key)
    least = max(3, _COMMON * len(active))
    return {which: having for which, having in states.items() if len(having) >= least}


def _goal(transition: Transition) -> str | None:
    """The one state that it leads to, `PREVIOUS`, or none."""
    if transition.internal:
        return None
    return PREVIOUS if transition.to_previous or transition.only is None else transition.only.to_state


def _in_order(pathway: Pathway, of_state: Mapping[str, Iterable[Transition]]) -> list[str]:
    """Active states by their distance from the first, then those on hold, then the final ones; else as in the file."""
    far = {pathway.initial: 0}
    left = [pathway.initial]
    for key in left:
        for each in of_state[key]:
            goal = _goal(each)
            if goal in pathway.states and goal not in far and pathway.states[str(goal)].kind is StateKind.ACTIVE:
                far[str(goal)] = far[key] + 1
                left.append(str(goal))
    kinds = list(StateKind)

    def place(state: State) -> tuple[int, int]:
        return kinds.index(state.kind), far.get(state.key, len(far))

    return [state.key for state in sorted(pathway.states.values(), key=place)]


def _record_chart(pathway: Pathway, key: str, language: str) -> Chart:
    kind = pathway.records[key]
    steps: dict[str, dict[str, list[str]]] = {status: {} for status in kind.states}
    begins: dict[str, dict[str, None]] = {}
    for transition in pathway.table.values():
        step = transition.record
        if step is None or step.kind != key:
            continue
        title = pathway.triggers[transition.trigger].in_(language)
        if not step.sources:
            begins.setdefault(step.to, {})[title] = None
        for source in step.sources:
            titles = steps[source].setdefault(step.to, [])
            if title not in titles:
                titles.append(title)
    nodes = []
    for status, goals in steps.items():
        ways = tuple(Way(goal, tuple(titles)) for goal, titles in goals.items() if goal != status)
        made = tuple(begins.get(status, ()))
        state_kind = StateKind.ACTIVE if goals else StateKind.FINAL
        inside = tuple(goals.get(status, ()))
        title = kind.states[status].in_(language)
        nodes.append(Node(status, title, state_kind, ways, inside, made, first=bool(made)))
    title = kind.title.in_(language)
    return Chart(title[:1].upper() + title[1:], tuple(nodes))
