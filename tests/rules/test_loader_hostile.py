"""Hostile YAML gets a clear error with its line, in bounded time, and nothing of it is ever carried out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_pathway import SMALL

from states.pathways.loader import PathwayError, load_pathway
from states.pathways.source import FileProblems, read_yaml

ITEMS = "waiting, " * 100_000
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{', '.join([f'*{chr(97 + level)}'] * 9)}]" for level in range(8)
)

HOSTILE = {
    "a bomb of aliases": (BOMB, 1, "The anchor &a is not read"),
    "an alias": ("a: 1\nb: *a\n", 2, "The alias *a is not read"),
    "a merge of an alias": ("a: {x: 1}\nb:\n  <<: *a\n", 3, "The alias *a is not read"),
    "an anchor": ("a: 1\nb: &b 2\n", 2, "The anchor &b is not read"),
    "an object to be made": ("a: !!python/object/apply:os.system ['true']\n", 1, "The tag"),
    "a tag on text": ("a:\n  b: !secret x\n", 2, "The tag !secret is not read"),
    "a tag on the document": ("--- !!map\na: 1\n", 1, "The tag"),
    "a binary": ("a: !!binary aGVsbG8=\n", 1, "The tag"),
    "a duplicate name": ("a: 1\nb: 2\na: 3\n", 3, "'a' is written twice in the same place; first on line 1"),
    "a duplicate of a mapping": ("a: {x: 1}\nb: 2\na: {y: 1}\n", 3, "'a' is written twice"),
    "a list as a name": ("? [a, b]\n: 1\n", 1, "used as a name"),
    "a mapping as a name": ("{a: 1}: 2\n", 1, "used as a name"),
    "a second document": ("a: 1\n---\nb: 2\n", 2, "A second document"),
    "a list": ("- a\n- b\n", 1, "holds no mapping"),
    "a word": ("hello\n", 1, "holds no mapping"),
    "nothing": ("", 1, "holds no mapping"),
    "a comment only": ("# nothing\n", 1, "holds no mapping"),
    "an unclosed list": ("a: [1, 2\nb: 3\n", 2, "This is not YAML"),
    "a tab as indentation": ("a:\n\tb: 1\n", 2, "This is not YAML"),
    "a NUL": ("a: 1\nb: x\0y\n", 2, "no YAML file may hold"),
    "a bell": ("a: 1\nb: x\ay\n", 2, "no YAML file may hold"),
    "a lone surrogate": ("a: \ud800\n", 1, "is not Unicode"),
    "deep lists": ("a: " + "[" * 100_000 + "\n", 1, "nested more than 24 deep"),
    "deep mappings": ("".join(f"{' ' * depth}a:\n" for depth in range(60)), 25, "nested more than 24 deep"),
    "a large file": ("a: " + "x" * 2_000_000, 1, "2,000,000 are the most"),
    "a large file of small letters": ("é" * 1_100_000, 1, "2,000,000 are the most"),
}


# What is put into the small pathway, in whose place, and what is said of it first.
SWOLLEN = {
    "a list without end": ("    from: waiting\n", f"    from: [{ITEMS}]\n", "A list has more than 5,000 items"),
    "tasks without end": ("open: [greet]", f"open: [{ITEMS}]", "A list has more than 5,000 items"),
    "guards without end": ("      - plan_approved\n", "      - plan_approved\n" * 60, "at most 50 items"),
    "states without end": (
        "states:\n",
        "states:\n" + "".join(f"  s{at}: {{title: {{fr: a, en: b}}, shared: true}}\n" for at in range(40_000)),
        "more than 250,000 parts",
    ),
    "names that are not there, without end": (
        "transitions:\n",
        "transitions:\n" + "".join(f"  - {{trigger: x{at}, from: waitin, roles: y{at}}}\n" for at in range(20_000)),
        "There is no trigger 'x0'",
    ),
    "names written twice without end": ("states:\n", "states:\n" + "  waiting: 1\n" * 50_000, "is written twice"),
    "parts that nobody knows, without end": (
        "version: 1\n",
        "version: 1\n" + "".join(f"x{at}: 1\n" for at in range(50_000)),
        "'x0' is not known here",
    ),
    "a number of digits": ("version: 1", "version: " + "9" * 500_000, "should be a valid integer"),
    "a span of digits": ("due: P3D", f"due: P{'9' * 500_000}D", "tasks.greet.due: 'P999"),
    "a name of letters": (
        "  chief: {fr",
        f"  ? {'k' * 500_000}\n  : {{fr: a, en: b}}\n  chief: {{fr",
        "cannot stand here",
    ),
    "a text of letters": ("en: chief", f"en: {'k' * 500_000}", "at most 400 characters"),
}


@pytest.mark.parametrize("name", SWOLLEN)
def test_what_is_much_too_much_is_refused_soon_and_in_few_words(name: str) -> None:
    before, after, expected = SWOLLEN[name]
    assert before in SMALL
    with pytest.raises(FileProblems) as caught:
        load_pathway(SMALL.replace(before, after, 1), "hostile.yaml")
    assert len(caught.value.problems) <= 1_000
    assert expected in caught.value.message_en
    assert all(len(text) < 100_000 for text in (caught.value.message_en, caught.value.message_fr))


def test_holds_in_a_circle_are_refused_and_not_walked_for_ever() -> None:
    text = SMALL.replace("    to: previous\n", "    to: rest\n").replace(
        "  paused:\n", "  rest: {title: {fr: Repos, en: Rest}, kind: hold, shared: false}\n  paused:\n"
    )
    text += "  - {trigger: go_on, from: rest, to: previous, roles: worker, announce: [case.resumed]}\n"
    text += "  - {trigger: pause, from: rest, to: paused, roles: worker, announce: [case.held]}\n"
    with pytest.raises(PathwayError, match="goes back to where it came from, not on to 'rest'"):
        load_pathway(text, "hostile.yaml")


def test_what_a_file_says_cannot_steer_a_terminal() -> None:
    name = "\\e[31m\\u202e\\u2066\\x07"
    with pytest.raises(PathwayError) as caught:
        load_pathway(SMALL.replace("  chief: {fr", f'  "{name}": {{fr: a, en: b}}\n  chief: {{fr', 1), "hostile.yaml")
    for text in (caught.value.message_en, caught.value.message_fr):
        assert "\\u001b[31m\\u202e\\u2066\\u0007" in text
        assert all(each.isprintable() or each in "\n\N{NO-BREAK SPACE}" for each in text)


def test_a_longer_list_of_problems_than_anybody_reads_ends_with_how_many_more_there_are() -> None:
    text = SMALL.replace("version: 1\n", "version: 1\n" + "".join(f"x{at}: 1\n" for at in range(70)))
    with pytest.raises(PathwayError) as caught:
        load_pathway(text, "hostile.yaml")
    assert len(caught.value.problems) == 70
    assert caught.value.message_en.splitlines()[-1] == "... and 20 more."
    assert caught.value.message_fr.splitlines()[-1] == "... et 20 de plus."


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_line_and_a_remedy(name: str) -> None:
    text, line, expected = HOSTILE[name]
    with pytest.raises(FileProblems) as caught:
        load_pathway(text, "hostile.yaml")
    last = caught.value.problems[-1]
    assert expected in last.what.en
    assert last.line == line
    assert all(last.remedy)
    assert last.what.fr != last.what.en


def test_words_that_yaml_takes_for_something_else_stay_words() -> None:
    source = read_yaml(
        "a: no\nb: on\nc: 2024-01-01\nd: 1_000\ne: 0x10\nf: 010\ng: 1e3\nh: .inf\ni: 12:30\nj: NULL\nk: Yes\n"
        "l: '1'\nm: \"true\"\nn: null\no: ~\np:\nq: true\nr: false\ns: -12\nt: 0\nu: |\n  1\n",
        "words.yaml",
    )
    texts = {key: value for key, value in source.value.items() if isinstance(value, str)}
    words = {"a": "no", "b": "on", "c": "2024-01-01", "d": "1_000", "e": "0x10", "f": "010", "g": "1e3", "h": ".inf"}
    assert texts == words | {"i": "12:30", "j": "NULL", "k": "Yes", "l": "1", "m": "true", "u": "1\n"}
    others = {key: value for key, value in source.value.items() if not isinstance(value, str)}
    assert others == {"n": None, "o": None, "p": None, "q": True, "r": False, "s": -12, "t": 0}


def test_lines_are_those_of_the_names_and_of_the_items() -> None:
    source = read_yaml("a:\n  b: 1\n  c:\n    - x\n    - {d: 2,\n       e: 3}\n", "lines.yaml")
    assert source.value == {"a": {"b": 1, "c": ["x", {"d": 2, "e": 3}]}}
    assert source.line(("a", "b")) == 2
    assert source.line(("a", "c", 0)) == 4
    assert source.line(("a", "c", 1, "e")) == 6
    assert source.line(("a", "c", 7, "nothing")) == 3
    assert source.line(("z",)) == 1


plain = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
trees = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), plain),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain, inner, max_size=4),
    max_leaves=20,
)


@given(value=st.dictionaries(plain, trees, min_size=1, max_size=5))
def test_what_is_plain_comes_through_unchanged(value: dict[str, object]) -> None:
    # JSON is YAML: quoted text stays text, whatever it looks like.
    assert read_yaml(json.dumps(value, ensure_ascii=False), "tree.yaml").value == value


@given(text=st.text(max_size=200))
def test_any_text_is_a_pathway_or_an_error_with_a_line(text: str) -> None:
    with pytest.raises(PathwayError) as caught:
        load_pathway(text, "any.yaml")
    assert all(problem.line >= 1 and all(problem.remedy) for problem in caught.value.problems)
