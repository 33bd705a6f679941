"""A policy that somebody proposes: the bundled pathway with some changes, to be compared, tried and moved to.

`python -m deployments.demo.proposal > proposal.yaml` writes it. It is made from the bundled file, so that nothing else
differs. What it proposes is invented, like everybody in the demonstration.
"""

from __future__ import annotations

import re
import sys
from typing import Final

from states.pathways.loader import bundled_pathway

_EDITS: Final = (
    # A state gets another name.
    (r"(?<![Bb]egin )(?<!Return to )\bplanning\b", "care_plan"),
    (r'fr: "Plan de réintégration", en: "Planning"', 'fr: "Plan d\'accompagnement", en: "Care plan"'),
    # Plans are to be there sooner, kits are given more time.
    (r"(?<=  plan_drafted:\n)((?:    .*\n)*?    due: )P3W", r"\1P2W"),
    (r"(?<=  kit_delivered:\n)((?:    .*\n)*?    due: )P60D", r"\1P75D"),
    # Whoever is in training is asked about half-way.
    (r"(set: \[\{deadline: enrolment, when: \{without: enrolment\}\}, training_left)\]", r"\1, training_half_way]"),
    (
        r"\n  training_left:",
        '\n  training_half_way:\n    title: {fr: "Formation : point à mi-parcours", en: "Training: half-way review"}\n'
        "    owner: training_officer\n    state: training\n    due: P3M\n"
        "    ladder: [{after: P2W, role: coordinator}]\n  training_left:",
    ),
    # Planning may begin before the psychosocial instrument; livelihood support asks for a session first.
    (r"\n      - \{guard: assessed, with: \{instruments: \[k6, [^\n]*", ""),
    (
        r"(guards:\n      - plan_approved\n)(      - \{guard: plan_asks_for, with: \{need: livelihood\}\}\n)",
        r"\1\2      - {guard: sessions_attended, with: {minimum: 1}}\n",
    ),
)


def proposal() -> str:
    """The text of the proposed version, one higher than the bundled one. Raises ValueError when an edit finds nothing
    to change: then the bundled pathway has moved on, and the proposal has to follow."""
    text = bundled_pathway("mali")
    for pattern, new in _EDITS:
        text, changed = re.subn(pattern, new, text)
        if not changed:
            raise ValueError(f"nothing in the bundled pathway is like {pattern}")
    return re.sub(r"(?m)^version: (\d+)$", lambda found: f"version: {int(found[1]) + 1}", text, count=1)


if __name__ == "__main__":
    sys.stdout.write(proposal())
