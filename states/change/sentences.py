"""The differences between two pathway files in words, one sentence each, in French and English.

`states.change.comparison` finds the differences; `segin pathway diff` prints the sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from states.calendar import Span
from states.change.comparison import TRANSITIONS, Change, ChangeKind
from states.change.field_words import FIELD_WORDS, PART_WORDS, VERBS, WHEN_WORDS
from states.guards import GUARDS
from states.guards.binding import bind
from states.pathway import Text
from states.pathways.schema import (
    EndDeadlinePart,
    EndTaskPart,
    EntryPart,
    GuardPart,
    LadderPart,
    PathwayFile,
    RecordStepPart,
    TextPart,
    WaiverPart,
    WhenPart,
)
from states.pathways.words import span_in_words
from states.record_words import PRIORITY_WORDS, record_words

_TITLED = ("states", "tasks", "deadlines", "timers", "triggers", "roles", "fields", "records")
"""The parts whose entries have a title."""


def in_words(changes: Iterable[Change], old: PathwayFile, new: PathwayFile) -> list[Text]:
    """A sentence for each change, in the same order."""
    told = list(changes)
    gone = {change.old for change in told if change.kind is ChangeKind.RENAMED}
    french, english = (_Speaker(old, new, gone, language) for language in ("fr", "en"))
    return [Text(french.sentence(change), english.sentence(change)) for change in told]


class _Speaker:
    """Says changes in one language. What is called differently in the two files has its new name; `gone` are the keys
    that renamed states had."""

    def __init__(self, old: PathwayFile, new: PathwayFile, gone: Collection[str], language: str) -> None:
        self._old, self._new, self._gone, self._language = old, new, gone, language
        self._texts: dict[str, dict[str, str]] = {part: self._titles(part) for part in _TITLED}
        self._reasons = {key: part.text.in_(language) for file in (old, new) for key, part in file.reasons.all.items()}

    def sentence(self, change: Change) -> str:
        part, key, kind, field, old, new = change
        if kind is ChangeKind.RENAMED:
            return self._say(
                f"L'étape « {self._text('states', new)} » ({old}) s'appelle désormais {new}.",
                f"The state “{self._text('states', new)}” ({old}) is now called {new}.",
            )
        what = self._what(part, key)
        if kind is not ChangeKind.CHANGED:
            return f"{VERBS[kind].in_(self._language)}{self._colon}{what}."
        what = what[0].upper() + what[1:]
        named = "" if field is None else f" – {self._field(field)}"
        if isinstance(old, list) and isinstance(new, list):
            return f"{what}{named}{self._colon}{self._lists(field or '', old, new)}."
        arrow = f"{self._value(field or key, old)} → {self._value(field or key, new)}"
        return f"{what}{named}{self._colon}{arrow}."

    @property
    def _french(self) -> bool:
        return self._language == "fr"

    @property
    def _colon(self) -> str:
        return self._say(" : ", ": ")

    def _say(self, fr: str, en: str) -> str:
        return fr if self._french else en

    def _quoted(self, text: str) -> str:
        return self._say(f"« {text} »", f"“{text}”")

    def _titles(self, part: str) -> dict[str, str]:
        """Key to title, in the new file or else in the old one; where two have the same title, with the key."""
        found = {**getattr(self._old, part), **getattr(self._new, part)}
        titles = {
            key: (each if isinstance(each, TextPart) else each.title).text.in_(self._language)
            for key, each in found.items()
        }
        said = Counter(title for key, title in titles.items() if part != "states" or key not in self._gone)
        return {key: title if said[title] <= 1 else f"{title} ({key})" for key, title in titles.items()}

    def _text(self, part: str, key: str) -> str:
        return self._texts[part].get(key, key)

    def _what(self, part: str, key: str) -> str:
        """What the sentence is about: `Étape « Plan de réintégration »`."""
        if part == TRANSITIONS:
            state, _, trigger = key.partition("/")
            title, here = self._text("triggers", trigger), self._text("states", state)
            return self._say(f"transition « {title} » à « {here} »", f"transition “{title}” in “{here}”")
        said = PART_WORDS[part].in_(self._language) if part in PART_WORDS else part
        if part in self._texts:
            return f"{said} {self._quoted(self._text(part, key))}"
        if part.startswith("reasons."):
            return f"{said} {self._quoted(self._reasons.get(key, key))}"
        if part.startswith("care."):
            instrument = record_words()["instrument"].get(key, Text(key, key))
            return f"{said} {self._quoted(instrument.in_(self._language))}"
        return said

    def _field(self, field: str) -> str:
        word = FIELD_WORDS.get(field) or FIELD_WORDS.get(field.rpartition(".")[2])
        return word.in_(self._language) if word else field

    def _lists(self, field: str, old: Sequence[Any], new: Sequence[Any]) -> str:
        """What came and what went; what only changed places is said to have."""
        came = [self._value(field, each) for each in new if each not in old]
        went = [self._value(field, each) for each in old if each not in new]
        said = []
        if came:
            said.append(self._say("ajoute ", "adds ") + ", ".join(came))
        if went:
            said.append(self._say("retire ", "drops ") + ", ".join(went))
        if not said:
            return self._say("ordre changé", "order changed")
        return " ; ".join(said) if self._french else "; ".join(said)

    def _value(self, field: str, value: Any) -> str:
        if value is None or value in ([], {}):
            return self._say("rien", "none")
        if isinstance(value, bool):
            return self._say("oui", "yes") if value else self._say("non", "no")
        if isinstance(value, Span):
            return span_in_words(value, self._language)
        if isinstance(value, TextPart):
            return self._quoted(value.text.in_(self._language))
        if isinstance(value, LadderPart):
            return f"+{span_in_words(value.after, self._language)} {self._text('roles', value.role)}"
        if isinstance(value, GuardPart):
            return self._guard(value)
        if isinstance(value, EndTaskPart):
            return self._quoted(self._text("tasks", value.task)) + self._condition(value.when)
        if isinstance(value, EndDeadlinePart):
            part = "deadlines" if value.deadline in self._texts["deadlines"] else "timers"
            return self._quoted(self._text(part, value.deadline)) + self._condition(value.when)
        if isinstance(value, EntryPart):
            return ", ".join(self._value(field, each) for each in (*value.open, *value.set)) or self._value(field, None)
        if isinstance(value, RecordStepPart):
            return f"{self._text('records', value.kind)} {', '.join(value.from_)} → {value.to}"
        if isinstance(value, WaiverPart):
            terms = {f"waiver.{name}": getattr(value, name) for name in type(value).model_fields}
            return ", ".join(f"{self._field(name)} = {self._value(name, each)}" for name, each in terms.items())
        if isinstance(value, list):
            return ", ".join(self._value(field, each) for each in value)
        if isinstance(value, Mapping):
            return ", ".join(f"{name} = {self._value(name, each)}" for name, each in value.items())
        return self._name(field, str(value))

    def _name(self, field: str, key: str) -> str:
        """A name as people know it, by the field that it stands in."""
        last = field.rpartition(".")[2]
        if last in ("role", "roles", "owner", "notes"):
            return self._text("roles", key)
        if last in ("state", "to", "initial"):
            return self._text("states", key)
        if last == "made_with":
            return self._text("records", key)
        if last == "trigger":
            return self._text("triggers", key)
        if last == "reason":
            return self._reasons.get(key, key)
        if last == "priority":
            return PRIORITY_WORDS[key].in_(self._language) if key in PRIORITY_WORDS else key
        return key

    def _guard(self, part: GuardPart) -> str:
        """What the guard refuses with, in the words of the file that has it."""
        file = self._new if any(part in way.guards for way in self._new.transitions) else self._old
        refusal = bind(GUARDS[part.guard], part.with_, file.words, None).refusal
        said = refusal.text_en if self._language == "en" else refusal.text_fr
        return f"{self._quoted(said.rstrip('.'))}{self._condition(part.when)}"

    def _condition(self, when: WhenPart | None) -> str:
        if when is None:
            return ""
        said = []
        for name in WhenPart.model_fields:
            value = getattr(when, name)
            if value not in (None, {}):
                word = WHEN_WORDS[name].in_(self._language) if name in WHEN_WORDS else name
                said.append(f"{word} {self._value('state' if name == 'need' else name, value)}")
        return f" ({self._say('si', 'if')} {', '.join(said)})"
