"""A pathway in words: complete, in the language that was asked for, and plain enough for JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from small_pathway import SMALL

from states.calendar import Span
from states.pathway import Pathway
from states.pathways.loader import bundled_pathway, load_pathway
from states.pathways.words import describe, span_in_words

MALI = load_pathway(bundled_pathway("mali"), "mali.yaml")


@pytest.mark.parametrize("pathway", [MALI, load_pathway(SMALL, "small.yaml")], ids=lambda pathway: pathway.name)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_everything_is_said_in_either_language(pathway: Pathway, language: str) -> None:
    said = describe(pathway, language)
    assert json.loads(json.dumps(said)) == said
    assert [state["key"] for state in said["states"]] == list(pathway.states)
    assert [(each["from"], each["trigger"]) for each in said["transitions"]] == list(pathway.table)
    assert [task["key"] for task in said["tasks"]] == list(pathway.tasks)
    assert [clock["key"] for clock in said["deadlines"]] == list(pathway.deadlines)
    for each, transition in zip(said["transitions"], pathway.table.values(), strict=True):
        assert [way["to"] for way in each["ways"]] == list(transition.branches)
        assert [guard["name"] for guard in each["guards"]] == [guard.name for guard in transition.guards]
        for way, branch in zip(each["ways"], transition.branches.values(), strict=True):
            otherwise = sum(rule.otherwise is not None for rule in branch.ends)
            rules = (*branch.fixed, *branch.ends, *branch.sets, *branch.opens, *branch.announces)
            assert len(way["effects"]) == len(rules) + otherwise


def transition(language: str, state: str, trigger: str) -> dict[str, Any]:
    said = describe(MALI, language)["transitions"]
    return next(each for each in said if (each["from"], each["trigger"]) == (state, trigger))


def test_effects_are_sentences_of_the_language() -> None:
    french = transition("fr", "registered", "confirm_arrival")
    assert french["title"] == "Confirmer l'arrivée"
    assert french["ways"][0]["effects"] == [
        "termine la tâche « Confirmer l'arrivée »",
        "annule l'échéance « Arrivée jamais confirmée »",
        "annule la tâche « Apporter l'assistance à l'arrivée »",
        "annule l'échéance « Plan approuvé »",
        "fixe l'échéance « Évaluation commencée » (14 jours ouvrables après l'arrivée)",
        "fixe l'échéance « Plan approuvé » (1 mois après l'arrivée)",
        "ouvre la tâche « Entretien : identité et consentement » (accueil, 3 jours)",
        "ouvre la tâche « Apporter l'assistance à l'arrivée » (gestion de cas, 3 jours)",
        "annonce case.arrived",
    ]
    english = transition("en", "screening", "raise_emergency")
    assert "sets the priority: emergency" in english["ways"][0]["effects"]
    assert any(each.endswith("(24 hours) unless it runs already") for each in english["ways"][0]["effects"])
    held = transition("fr", "training", "hold")
    assert "arrête les échéances et les tâches" in held["ways"][0]["effects"]
    assert held["guards"][1]["when"] == "si motif réexamen de l'éligibilité, sécurité"


def test_conditions_are_said() -> None:
    follow_up = transition("en", "training", "start_follow_up")
    assert {guard["when"] for guard in follow_up["guards"]} == {
        *(None, "if need of the plan: Psychosocial care"),
        *("if need of the plan: Training", "if need of the plan: Livelihood"),
    }
    visit = transition("fr", "follow_up", "record_visit")
    assert "termine la tâche « Visite de suivi de 6 mois » (si mois de suivi = 6)" in visit["ways"][0]["effects"]
    closing = transition("fr", "follow_up", "close")["ways"][0]["effects"]
    assert "termine la tâche « Décider de la clôture » (si motif parcours achevé)" in closing
    assert "annule la tâche « Décider de la clôture » sinon" in closing


def test_timers_and_ladders_are_said() -> None:
    clocks = {each["key"]: each for each in describe(MALI, "fr")["deadlines"]}
    assert clocks["visit_3_opens"]["due"] == "3 mois, moins 15 jours"
    assert clocks["visit_3_opens"]["fires"] == "open_visit"
    assert clocks["visit_3_opens"]["data"] == {"months": 3}
    assert clocks["emergency_response"]["ladder"] == [
        {"after": "1 heure", "role": "coordinator"},
        {"after": "12 heures", "role": "medical_focal_point"},
    ]
    assert clocks["screening_begun"]["reminders"] == ["3 jours ouvrables"]


@pytest.mark.parametrize(
    ("text", "fr", "en"),
    [
        ("P3M15D", "3 mois et 15 jours", "3 months and 15 days"),
        ("P1D", "1 jour", "1 day"),
        ("PT1H30M", "1 heure et 30 minutes", "1 hour and 30 minutes"),
        ("1 working day", "1 jour ouvrable", "1 working day"),
    ],
)
def test_spans_are_said_in_words(text: str, fr: str, en: str) -> None:
    assert span_in_words(Span.parse(text), "fr") == fr
    assert span_in_words(Span.parse(text), "en") == en
