"""A pathway in words, as plain lists and mappings: what `segin pathway show` prints and the console will show."""

from __future__ import annotations

from typing import Any

from states.calendar import WEEKDAYS, Span
from states.moves import Effect, EndDeadline, EndTask, HoldClocks, ResumeClocks, SetPriority
from states.pathway import (
    Branch,
    DeadlineTemplate,
    Pathway,
    RecordStep,
    TaskTemplate,
    Text,
    Transition,
    WaiverTerms,
    When,
)
from states.record_words import PRIORITY_WORDS

_UNITS = {
    "working_days": (Text("jour ouvrable", "working day"), Text("jours ouvrables", "working days")),
    "months": (Text("mois", "month"), Text("mois", "months")),
    "days": (Text("jour", "day"), Text("jours", "days")),
    "hours": (Text("heure", "hour"), Text("heures", "hours")),
    "minutes": (Text("minute", "minute"), Text("minutes", "minutes")),
}


def describe(pathway: Pathway, language: str) -> dict[str, Any]:
    """Everything that the pathway says, in `language` (fr or en): states, transitions with all their effects in words,
    tasks, deadlines and timers, roles and reasons."""
    words = _Words(pathway, language)
    calendar = pathway.calendar
    return {
        "name": pathway.name,
        "version": pathway.version,
        "title": pathway.title.in_(language),
        "content_hash": pathway.content_hash,
        "timezone": pathway.timezone.key,
        "weekend": [WEEKDAYS[day] for day in sorted(calendar.weekend)],
        "holidays": calendar.country,
        "roles": {key: text.in_(language) for key, text in pathway.roles.items()},
        "close_reasons": {key: text.in_(language) for key, text in pathway.close_reasons.items()},
        "hold_reasons": {key: text.in_(language) for key, text in pathway.hold_reasons.items()},
        "record_reasons": {key: text.in_(language) for key, text in pathway.record_reasons.items()},
        "waive_reasons": {key: text.in_(language) for key, text in pathway.waive_reasons.items()},
        "states": [
            {"key": key, "title": state.title.in_(language), "kind": str(state.kind), "shared": state.shared}
            for key, state in pathway.states.items()
        ],
        "records": [
            {
                "key": key,
                "title": kind.title.in_(language),
                "states": {status: text.in_(language) for status, text in kind.states.items()},
            }
            for key, kind in pathway.records.items()
        ],
        "vulnerabilities": dict(pathway.vulnerabilities),
        "care": {
            "levels": {instrument: dict(bands) for instrument, bands in pathway.care.levels.items()},
            "flags": dict(pathway.care.flags),
            "notes": sorted(pathway.care.notes),
        },
        "registration": words.effects(pathway.registration),
        "transitions": [words.transition(each) for each in pathway.table.values()],
        "tasks": [words.task(each) for each in pathway.tasks.values()],
        "deadlines": [words.deadline(each) for each in pathway.deadlines.values()],
    }


def span_in_words(span: Span, language: str) -> str:
    """`14 jours ouvrables`, `3 mois et 15 jours`, `24 heures`."""
    hours, seconds = divmod(span.seconds, 3600)
    amounts = {
        "working_days": span.working_days,
        "months": span.months,
        "days": span.days,
        "hours": hours,
        "minutes": seconds // 60,
    }
    parts = [f"{n} {_UNITS[unit][n > 1].in_(language)}" for unit, n in amounts.items() if n]
    return (" and " if language == "en" else " et ").join(parts)


class _Words:
    """The sentences of one pathway in one language."""

    def __init__(self, pathway: Pathway, language: str) -> None:
        self._pathway = pathway
        self._language = language

    def transition(self, transition: Transition) -> dict[str, Any]:
        """One transition; one way back for each state that a case may have come from."""
        pathway, language = self._pathway, self._language
        ways = [{"to": goal, "effects": self.effects(branch)} for goal, branch in transition.branches.items()]
        return {
            "trigger": transition.trigger,
            "title": pathway.triggers[transition.trigger].in_(language),
            "from": transition.state,
            "internal": transition.internal,
            "record": self._step(transition.record),
            "to_previous": transition.to_previous,
            "waives": transition.waives,
            "roles": [key for key in pathway.roles if key in transition.roles],
            "guards": [
                {
                    "name": guard.name,
                    "refusal": guard.refusal.text_en if language == "en" else guard.refusal.text_fr,
                    "when": self._when(guard.when),
                }
                for guard in transition.guards
            ],
            "ways": ways,
        }

    def _step(self, step: RecordStep | None) -> str | None:
        """`Orientation : en cours → acceptée`."""
        if step is None:
            return None
        kind = self._pathway.records[step.kind]
        froms = ", ".join(kind.states[status].in_(self._language) for status in step.sources)
        return f"{kind.title.in_(self._language)} : {froms} → {kind.states[step.to].in_(self._language)}"

    def effects(self, branch: Branch) -> list[str]:
        """What happens on the way, one sentence each, in the order in which it is written."""
        said = [self._fixed(effect) for effect in branch.fixed]
        for rule in branch.ends:
            said.append(f"{self._fixed(rule.effect)}{self._condition(rule.when)}")
            if rule.otherwise is not None:
                said.append(f"{self._fixed(rule.otherwise)} {self._say('sinon', 'otherwise')}")
        for begun in branch.sets:
            keep = self._say(" si ce n'est déjà fait", " unless it runs already") if begun.unless_open else ""
            said.append(f"{self._set(begun.template)}{keep}{self._condition(begun.when)}")
        for opened in branch.opens:
            keep = self._say(" si ce n'est déjà fait", " unless it is open already") if opened.unless_open else ""
            said.append(f"{self._open(opened.template)}{keep}{self._condition(opened.when)}")
        said += [self._say(f"annonce {each.type}", f"announces {each.type}") for each in branch.announces]
        return said

    def task(self, template: TaskTemplate) -> dict[str, Any]:
        return {
            "key": template.key,
            "title": template.title.in_(self._language),
            "role": template.role,
            "state": template.state,
            "priority": template.priority,
            "due": None if template.due is None else self._due(template.due, template.base, None),
        }

    def deadline(self, template: DeadlineTemplate) -> dict[str, Any]:
        return {
            "key": template.key,
            "kind": template.kind,
            "title": template.title.in_(self._language),
            "owner": template.owner,
            "state": template.state,
            "due": self._due(template.due, template.base, template.before),
            "reminders": [self._span(span) for span in template.reminders],
            "ladder": [{"after": self._span(step.after), "role": step.role} for step in template.ladder],
            "urgent": template.urgent,
            "announce": template.announce,
            "waiver": self._waiver(template.waiver),
            "fires": template.trigger,
            "reason": template.reason,
            "data": dict(template.data),
        }

    def _waiver(self, terms: WaiverTerms | None) -> str | None:
        """`report de 30 jours au plus, ou levée ; 2 fois`."""
        if terms is None:
            return None
        said = []
        if terms.extend is not None:
            span = self._span(terms.extend)
            said.append(self._say(f"report de {span} au plus", f"at most {span} more"))
        if terms.lift:
            said.append(self._say("levée", "lifted"))
        times = "" if terms.times == 1 else self._say(f" ; {terms.times} fois", f"; {terms.times} times")
        return self._say(" ou ", " or ").join(said) + times

    def _say(self, fr: str, en: str) -> str:
        return en if self._language == "en" else fr

    def _span(self, span: Span) -> str:
        return span_in_words(span, self._language)

    def _due(self, due: Span, base: str, before: Span | None) -> str:
        text = self._span(due)
        if base == "arrival":
            text += self._say(" après l'arrivée", " after the arrival")
        if before is not None:
            text += self._say(f", moins {self._span(before)}", f", less {self._span(before)}")
        return text

    def _fixed(self, effect: Effect) -> str:
        if isinstance(effect, EndTask):
            title = self._pathway.tasks[effect.key].title.in_(self._language)
            if effect.done:
                return self._say(f"termine la tâche « {title} »", f"completes the task “{title}”")
            return self._say(f"annule la tâche « {title} »", f"cancels the task “{title}”")
        if isinstance(effect, EndDeadline):
            title = self._pathway.deadlines[effect.key].title.in_(self._language)
            if effect.met:
                return self._say(f"tient l'échéance « {title} »", f"meets the deadline “{title}”")
            return self._say(f"annule l'échéance « {title} »", f"cancels the deadline “{title}”")
        if isinstance(effect, HoldClocks):
            return self._say("arrête les échéances et les tâches", "makes deadlines and tasks stand still")
        if isinstance(effect, ResumeClocks):
            return self._say("reprend les échéances et les tâches", "makes deadlines and tasks go on")
        if isinstance(effect, SetPriority):
            priority = PRIORITY_WORDS[effect.priority].in_(self._language)
            return self._say(f"fixe la priorité : {priority}", f"sets the priority: {priority}")
        raise TypeError(f"no fixed effect: {type(effect).__name__}")

    def _set(self, template: DeadlineTemplate) -> str:
        title, due = template.title.in_(self._language), self._due(template.due, template.base, template.before)
        if template.kind == "timer":
            return self._say(f"arme la minuterie « {title} » ({due})", f"starts the timer “{title}” ({due})")
        return self._say(f"fixe l'échéance « {title} » ({due})", f"sets the deadline “{title}” ({due})")

    def _open(self, template: TaskTemplate) -> str:
        title = template.title.in_(self._language)
        role = self._pathway.roles[template.role].in_(self._language)
        due = "" if template.due is None else f", {self._due(template.due, template.base, None)}"
        return self._say(f"ouvre la tâche « {title} » ({role}{due})", f"opens the task “{title}” ({role}{due})")

    def _condition(self, when: When | None) -> str:
        said = self._when(when)
        return f" ({said})" if said else ""

    def _when(self, when: When | None) -> str | None:
        if when is None:
            return None
        pathway, language = self._pathway, self._language
        reasons = {**pathway.waive_reasons, **pathway.record_reasons, **pathway.hold_reasons, **pathway.close_reasons}
        said = []
        if when.priority is not None:
            named = ", ".join(PRIORITY_WORDS[key].in_(language) for key in when.priority)
            said.append(self._say(f"priorité {named}", f"priority {named}"))
        if when.reason is not None:
            named = ", ".join(reasons[key].in_(language) for key in when.reason)
            said.append(self._say(f"motif {named}", f"reason {named}"))
        for name, values in when.data:
            label = pathway.fields[name].in_(language) if name in pathway.fields else name
            said.append(f"{label} = {', '.join(str(value) for value in values)}")
        if when.need is not None:
            state = pathway.states[when.need].title.in_(language)
            said.append(self._say(f"besoin du plan : {state}", f"need of the plan: {state}"))
        if when.without == "grant":
            said.append(self._say("pas d'appui à l'installation en cours", "no grant under way"))
        if when.without == "enrolment":
            said.append(self._say("pas d'inscription en cours", "no enrolment under way"))
        return self._say("si ", "if ") + ", ".join(said)
