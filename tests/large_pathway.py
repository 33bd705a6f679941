"""A correct pathway of any size, for what must stay quick: states in a chain with ways ahead, back, out and on hold."""

from __future__ import annotations

HEAD = """\
pathway: large
version: 1
title: {fr: Grand parcours, en: Large pathway}
timezone: Africa/Bamako
calendar: {weekend: [saturday, sunday], holidays: ML}
initial: s0
roles:
  worker: {fr: agent, en: worker}
  chief: {fr: chef, en: chief}
reasons:
  close:
    done: {fr: fini, en: done}
    left: {fr: parti, en: left}
states:
"""
TRIGGERS = """\
triggers:
  go_on: {fr: Avancer, en: Go on}
  jump: {fr: Sauter, en: Jump}
  go_back: {fr: Revenir, en: Go back}
  close: {fr: Clore, en: Close}
"""


def large_pathway(states: int) -> str:
    """As many states, tasks and deadlines, and about three transitions for each state."""
    lines = [HEAD.removesuffix("\n")]
    for at in range(states):
        lines += [
            f"  s{at}:",
            f"    title: {{fr: Étape {at}, en: Step {at}}}",
            "    shared: true",
            f"    on_entry: {{open: [t{at}], set: [d{at}]}}",
        ]
    lines += ["  closed:", "    title: {fr: Clos, en: Closed}", "    kind: final", "    shared: true"]
    lines += [TRIGGERS.removesuffix("\n"), "tasks:"]
    for at in range(states):
        lines.append(f"  t{at}: {{title: {{fr: Tâche {at}, en: Task {at}}}, role: worker, state: s{at}, due: P3D}}")
    lines.append("deadlines:")
    for at in range(states):
        lines += [
            f"  d{at}:",
            f"    title: {{fr: Échéance {at}, en: Deadline {at}}}",
            "    owner: worker",
            f"    state: s{at}",
            "    due: P10D",
            "    reminders: [P3D]",
            "    ladder: [{after: P1D, role: chief}]",
        ]
    lines += ["registration: {announce: [case.registered]}", "transitions:"]
    for at in range(states):
        if at + 1 < states:
            lines += _way("go_on", at, f"s{at + 1}", f"    tasks: {{complete: [t{at}]}}")
        if at + 7 < states:
            lines += _way("jump", at, f"s{at + 7}", "    guards: [note_given]")
        if at % 10 == 9:
            lines += _way("go_back", at, f"s{at - 9}", f"    deadlines: {{meet: [d{at}]}}")
        lines += _way("close", at, "closed", "    guards: [{guard: reason_in, with: {reasons: [done, left]}}]")
    return "\n".join(lines) + "\n"


def _way(trigger: str, at: int, goal: str, more: str) -> list[str]:
    return [
        f"  - trigger: {trigger}",
        f"    from: s{at}",
        f"    to: {goal}",
        "    roles: [worker, chief]",
        more,
        "    announce: [case.advanced]",
    ]
