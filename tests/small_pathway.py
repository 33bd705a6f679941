"""A small pathway, correct as it stands; the tests of the loader spoil it in one place after the other."""

from __future__ import annotations

SMALL = """\
pathway: small
version: 1
title: {fr: Petit parcours, en: Small pathway}
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
    absent: {fr: absent, en: absent}
  hold:
    ill: {fr: malade, en: ill}
states:
  waiting:
    title: {fr: Attente, en: Waiting}
    shared: true
    on_entry:
      open: [greet]
      set: [absent]
  helped:
    title: {fr: Aide, en: Help}
    shared: false
    on_entry:
      set: [help_given]
  paused:
    title: {fr: Pause, en: Pause}
    kind: hold
    shared: false
  ended:
    title: {fr: Fin, en: End}
    kind: final
    shared: true
triggers:
  help: {fr: Aider, en: Help}
  note: {fr: Noter, en: Note}
  pause: {fr: Suspendre, en: Pause}
  go_on: {fr: Reprendre, en: Go on}
  end: {fr: Finir, en: End}
fields:
  week: {fr: semaine, en: week}
tasks:
  greet:
    title: {fr: Accueillir, en: Greet}
    role: worker
    state: waiting
    due: P3D
  write:
    title: {fr: Écrire, en: Write}
    role: worker
deadlines:
  help_given:
    title: {fr: Aide donnée, en: Help given}
    owner: worker
    state: helped
    due: P10D
    reminders: [P3D]
    ladder:
      - {after: P1D, role: chief}
      - {after: P5D, role: chief}
  answered:
    title: {fr: Réponse, en: Answer}
    owner: worker
    due: PT24H
    reminders: [PT2H]
    ladder: [{after: PT1H, role: chief}]
timers:
  absent:
    title: {fr: Absent, en: Absent}
    owner: worker
    state: waiting
    due: P60D
    trigger: end
    reason: absent
registration:
  announce: [case.registered]
transitions:
  - trigger: help
    from: waiting
    to: helped
    roles: [worker]
    guards:
      - plan_approved
    tasks: {complete: [greet]}
    deadlines: {cancel: [absent]}
    announce: [case.advanced]
  - trigger: note
    from: helped
    roles: [worker]
    guards:
      - guard: data_in
        with: {field: week, values: [1, 2]}
    tasks:
      open:
        - {task: write, when: {data: {week: 1}}}
    deadlines:
      set: [answered]
      meet: [help_given]
  - trigger: pause
    from: [waiting, helped]
    to: paused
    roles: [worker]
    announce: [case.held]
  - trigger: go_on
    from: paused
    to: previous
    roles: [worker]
    announce: [case.resumed]
  - trigger: end
    from: [waiting, helped]
    to: ended
    roles: [chief, system]
    guards:
      - {guard: reason_in, with: {reasons: [done, absent]}}
    announce: [case.closed]
"""


def spoiled(before: str, after: str) -> tuple[str, int]:
    """The pathway with the first `before` replaced, and the line on which the replacement stands."""
    assert before in SMALL, before
    line = SMALL[: SMALL.index(before)].count("\n") + 1
    return SMALL.replace(before, after, 1), line
