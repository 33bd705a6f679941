"""What differs between two pathway files is found where it was written, and said in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from changing_pathways import NEW, OLD, RENAMED, change_of, side_of
from pydantic import BaseModel
from small_pathway import SMALL

from deployments.demo.proposal import proposal
from states.change.comparison import _GROUPS, TRANSITIONS, Change, ChangeKind, compare, touched_states
from states.change.field_words import FIELD_WORDS, PART_WORDS, WHEN_WORDS
from states.change.report import differences
from states.change.sentences import in_words
from states.pathways.checker import check_pathway, errors_of
from states.pathways.loader import bundled_pathway
from states.pathways.schema import (
    DeadlinePart,
    PathwayFile,
    RecordPart,
    StatePart,
    TaskPart,
    TimerPart,
    TransitionPart,
    WhenPart,
)
from states.pathways.source import read_yaml


def found(before: str, after: str, old: str = SMALL) -> list[Change]:
    """What the replacement changed."""
    assert before in old, before
    return compare(side_of(old).file, side_of(old.replace(before, after)).file, {})


def test_a_file_does_not_differ_from_itself_nor_from_another_number_of_version() -> None:
    assert found("version: 1", "version: 2") == []
    assert found("    announce: [case.held]", "    # a comment\n    announce: [case.held]") == []


@pytest.mark.parametrize(
    ("before", "after", "where", "fr", "en"),
    [
        (
            *("due: P10D", "due: P2W", ("deadlines", "help_given", "due")),
            "Échéance « Aide donnée » – délai : 10 jours → 14 jours.",
            "Deadline “Help given” – time allowed: 10 days → 14 days.",
        ),
        (
            *("reminders: [P3D]", "reminders: [P1D]", ("deadlines", "help_given", "reminders")),
            "Échéance « Aide donnée » – rappels : ajoute 1 jour ; retire 3 jours.",
            "Deadline “Help given” – reminders: adds 1 day; drops 3 days.",
        ),
        (
            *("- {after: P5D, role: chief}", "- {after: P6D, role: worker}", ("deadlines", "help_given", "ladder")),
            "Échéance « Aide donnée » – escalade : ajoute +6 jours agent ; retire +5 jours chef.",
            "Deadline “Help given” – ladder: adds +6 days worker; drops +5 days chief.",
        ),
        (
            *(
                "    owner: worker\n    due: PT24H",
                "    owner: chief\n    due: PT24H",
                ("deadlines", "answered", "owner"),
            ),
            "Échéance « Réponse » – responsable : agent → chef.",
            "Deadline “Answer” – owner: worker → chief.",
        ),
        (
            *("due: P60D", "due: P30D", ("timers", "absent", "due")),
            "Minuterie « Absent » – délai : 60 jours → 30 jours.",
            "Timer “Absent” – time allowed: 60 days → 30 days.",
        ),
        (
            *(
                "    title: {fr: Aide, en: Help}\n    shared: false",
                "    title: {fr: Aide, en: Help}\n    shared: true",
            ),
            ("states", "helped", "shared"),
            "Étape « Aide » – connue des partenaires : non → oui.",
            "State “Help” – known to partners: no → yes.",
        ),
        (
            *("      set: [absent]", "      set: [absent, answered]", ("states", "waiting", "on_entry.set")),
            "Étape « Attente » – échéances fixées à l'entrée : ajoute « Réponse ».",
            "State “Waiting” – deadlines set on entry: adds “Answer”.",
        ),
        (
            *("    roles: [chief, system]", "    roles: [worker, system]", ("transitions", "waiting/end", "roles")),
            "Transition « Finir » à « Attente » – qui : ajoute agent ; retire chef.",
            "Transition “End” in “Waiting” – who: adds worker; drops chief.",
        ),
        (
            *("      - plan_approved", "      - note_given", ("transitions", "waiting/help", "guards")),
            "Transition « Aider » à « Attente » – conditions : ajoute « Une note est nécessaire : dites pourquoi » ; "
            "retire « La dernière version du plan n'est pas approuvée ».",
            "Transition “Help” in “Waiting” – conditions: adds “A note is needed: say why”; "
            "drops “The newest version of the plan is not approved”.",
        ),
        (
            *("{week: 1}", "{week: [1, 2]}", ("transitions", "helped/note", "tasks.open")),
            "Transition « Noter » à « Aide » – tâches ouvertes : ajoute « Écrire » (si données week = 1, 2) ; "
            "retire « Écrire » (si données week = 1).",
            "Transition “Note” in “Help” – tasks opened: adds “Write” (if data week = 1, 2); "
            "drops “Write” (if data week = 1).",
        ),
        (
            *("    reminders: [PT2H]\n", "    reminders: [PT2H]\n    waiver: {extend: P5D}\n"),
            ("deadlines", "answered", "waiver"),
            "Échéance « Réponse » – dérogation : rien → report au plus = 5 jours, peut être levée = non, "
            "nombre de fois = 1.",
            "Deadline “Answer” – waiver: none → more time, at most = 5 days, may be lifted = no, number of times = 1.",
        ),
        (
            *(
                "    roles: [worker]\n    guards:\n      - guard",
                "    details: true\n    roles: [worker]\n    guards:\n      - guard",
            ),
            ("transitions", "helped/note", "details"),
            "Transition « Noter » à « Aide » – écrite avec ce qu'elle représente : non → oui.",
            "Transition “Note” in “Help” – written with what it stands for: no → yes.",
        ),
        (
            *("holidays: ML", "holidays: SN", ("pathway", "calendar", "calendar.holidays")),
            "Parcours – pays des jours fériés : ML → SN.",
            "Pathway – country of the holidays: ML → SN.",
        ),
        (
            *("done: {fr: fini, en: done}", "done: {fr: achevé, en: completed}", ("reasons.close", "done", None)),
            "Motif de clôture « achevé » : « fini » → « achevé ».",
            "Closing reason “completed”: “done” → “completed”.",
        ),
        (
            *("title: {fr: Petit parcours, en: Small pathway}", "title: {fr: Court, en: Short}"),
            ("pathway", "title", "title"),
            "Parcours – nom : « Petit parcours » → « Court ».",
            "Pathway – name: “Small pathway” → “Short”.",
        ),
    ],
)
def test_each_kind_of_change_is_found_and_said(
    before: str, after: str, where: tuple[str, str, str | None], fr: str, en: str
) -> None:
    changes = found(before, after)
    told = in_words(changes, side_of(SMALL).file, side_of(SMALL.replace(before, after)).file)
    place = [(each.part, each.key, each.field) for each in changes].index(where)
    assert (told[place].fr, told[place].en) == (fr, en)
    # The same words elsewhere in the file may have changed too, but nothing of another kind.
    assert {each.kind for each in changes} == {ChangeKind.CHANGED}


def test_waivers_and_care_are_told_field_by_field() -> None:
    care = "care:\n  levels: {k6: {moderate: 2}}\n  flags: {danger: 3}\n  notes: [worker]\ntasks:\n"
    records = "records:\n  plan: {title: {fr: plan, en: plan}, states: {made: {fr: fait, en: made}}}\n"
    item = "  item: {title: {fr: action, en: item}, states: {made: {fr: fait, en: made}}}\n"
    old = SMALL.replace("tasks:\n  greet", f"{records}{item}{care}  greet", 1)
    old = old.replace("    reminders: [PT2H]\n", "    reminders: [PT2H]\n    waiver: {extend: P5D}\n")
    new = old.replace("{moderate: 2}", "{moderate: 3}").replace("danger: 3", "danger: 4")
    new = new.replace("notes: [worker]", "notes: [chief]").replace("{extend: P5D}", "{extend: P9D, lift: true}")
    new = new.replace("  item: {", "  item: {made_with: plan, ")
    before, after = (PathwayFile.model_validate(read_yaml(each, "test").value) for each in (old, new))
    told = in_words(compare(before, after, {}), before, after)
    assert [text.fr for text in told] == [
        "Élément du dossier « action » – fait avec : rien → plan.",
        "Niveau de soin selon un instrument « Échelle de détresse psychologique de Kessler (K6) » : "
        "moderate = 2 → moderate = 3.",
        "Niveau de soin selon une alerte « danger » : 3 → 4.",
        "Parcours – qui lit les notes des séances : ajoute chef ; retire agent.",
        "Échéance « Réponse » – report au plus : 5 jours → 9 jours.",
        "Échéance « Réponse » – peut être levée : non → oui.",
    ]


def _told_fields(part: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The fields by which a change in such a part is told, with their types."""
    for name, field in part.model_fields.items():
        yield f"{prefix}{name}", field.annotation
        for inner in (field.annotation, *get_args(field.annotation)):
            if inner in _GROUPS:
                yield from _told_fields(inner, f"{name}.")


def test_every_part_and_field_of_a_pathway_file_has_a_word() -> None:
    said = {**PART_WORDS, **FIELD_WORDS}
    entries = (StatePart, RecordPart, TaskPart, DeadlinePart, TimerPart, TransitionPart)
    fields = [name for part in entries for name, kind in _told_fields(part) if kind not in _GROUPS]
    top = [name for name, kind in _told_fields(PathwayFile) if name != TRANSITIONS and kind not in _GROUPS]
    wordless = [name for name in (*fields, *top) if name not in said and name.rpartition(".")[2] not in FIELD_WORDS]
    assert set(wordless) <= {"pathway", "version", "calendar", "reasons", "care", "registration", "from_"}
    assert set(WhenPart.model_fields) == set(WHEN_WORDS)


def test_what_came_and_what_went() -> None:
    other = SMALL.replace("  write:\n    title: {fr: Écrire", "  tell:\n    title: {fr: Dire")
    changes = compare(side_of(SMALL).file, side_of(other.replace("task: write", "task: tell")).file, {})
    assert [(each.part, each.key, each.kind) for each in changes] == [
        ("tasks", "write", ChangeKind.REMOVED),
        ("tasks", "tell", ChangeKind.ADDED),
        ("transitions", "helped/note", ChangeKind.CHANGED),
    ]


def test_a_renamed_state_is_one_change_and_everything_in_it_is_compared_under_its_new_name() -> None:
    changes = differences(change_of(OLD, NEW, RENAMED))
    places = [(each.part, each.key, each.kind, each.field) for each in changes]
    assert places[0] == ("states", "assisted", ChangeKind.RENAMED, None)
    assert ("states", "assisted", ChangeKind.CHANGED, "title") in places
    assert ("deadlines", "help_given", ChangeKind.CHANGED, "due") in places
    assert ("deadlines", "help_given", ChangeKind.CHANGED, "state") not in places
    assert ("transitions", "waiting/help", ChangeKind.CHANGED, "guards") in places
    assert ("transitions", "waiting/help", ChangeKind.CHANGED, "to") not in places
    (told, *_) = in_words(changes, side_of(OLD).file, side_of(NEW).file)
    assert told.fr == "L'étape « Appui » (helped) s'appelle désormais assisted."
    assert touched_states(changes, side_of(OLD).file) == {"waiting", "helped"}


def test_without_a_mapping_the_state_went_and_another_came() -> None:
    changes = differences(change_of(OLD, NEW))
    kinds = {(each.part, each.key): each.kind for each in changes if each.part == "states"}
    assert kinds["states", "helped"] is ChangeKind.REMOVED
    assert kinds["states", "assisted"] is ChangeKind.ADDED


def test_two_states_mapped_to_one_are_not_taken_for_the_same() -> None:
    old, new = side_of(OLD).file, side_of(NEW).file
    merged = compare(old, new, {"helped": "assisted", "waiting": "assisted"})
    assert not any(each.kind is ChangeKind.RENAMED for each in merged)


def test_the_proposal_can_be_published_and_differs_where_it_says() -> None:
    assert errors_of(check_pathway(proposal(), "proposal.yaml")) == []
    old, new = side_of(bundled_pathway("mali")), side_of(proposal())
    assert new.pathway.version == old.pathway.version + 1
    changes = compare(old.file, new.file, {"planning": "care_plan"})
    told = in_words(changes, old.file, new.file)
    assert {(each.part, each.key) for each in changes} >= {
        ("states", "care_plan"),
        ("deadlines", "plan_drafted"),
        ("deadlines", "kit_delivered"),
        ("deadlines", "training_half_way"),
        ("transitions", "screening/begin_planning"),
        ("transitions", "training/start_livelihood"),
    }
    assert all(text.fr.endswith(".") and text.en.endswith(".") and text.fr != text.en for text in told)
    assert len(set(told)) == len(told)
