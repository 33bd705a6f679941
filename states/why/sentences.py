"""Causes in words: one sentence each, in French and English, with the pathway's own titles. It names staff by login and
partners by name, never a returnee; `states.why.reasoning` says which cause it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from states.facts import Facts
from states.moves import Reason
from states.pathway import Pathway, Text, Transition
from states.record_words import PRIORITY_WORDS
from states.why.cause import Cause, CauseKind, Clock, Situation, Unanswered, Work
from states.why.ways import Way, people

CHASER: Final = "coordinator"
"""The role that is told of a partner's silence, where the pathway has it."""

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


def closed(pathway: Pathway, facts: Facts) -> Cause:
    """Nothing holds a closed case."""
    why = _word(facts.closure_reason, pathway.close_reasons) if facts.closure_reason else None
    on = _day(pathway, facts.entered_state_at)
    fr, en = (f" ({why.fr})", f" ({why.en})") if why else ("", "")
    sentence = Text(f"Le dossier est clos depuis le {on}{fr}.", f"The case has been closed since {on}{en}.")
    return Cause(
        CauseKind.CLOSED, facts.closure_reason or "", Text("Dossier clos", "Closed"), sentence, facts.entered_state_at
    )


def held(pathway: Pathway, situation: Situation, back: Transition | None, now: datetime) -> Cause:
    """The case is on hold."""
    facts = situation.facts
    since = facts.held_at or facts.entered_state_at
    reason = situation.hold_reason
    why = _word(reason, pathway.hold_reasons) if reason else pathway.states[facts.state].title
    long = _long(since, now)
    fr = f"Le dossier est en suspens depuis {long.fr} ({why.fr})"
    en = f"The case has been on hold for {long.en} ({why.en})"
    if back is not None:
        title, roles = pathway.triggers[back.trigger], _roles(pathway, people(pathway, back.roles))
        fr += f" : « {title.fr} » le remet en marche ({roles.fr})"
        en += f": “{title.en}” sets it going again ({roles.en})"
    return Cause(
        kind=CauseKind.HOLD,
        about=reason or facts.state,
        label=Text(f"En suspens : {why.fr}", f"On hold: {why.en}"),
        sentence=Text(f"{fr}.", f"{en}."),
        since=since,
        trigger=back.trigger if back else None,
        role=_first(people(pathway, back.roles)) if back else None,
    )


def silent_partner(pathway: Pathway, referral: Unanswered, due_at: datetime, now: datetime) -> Cause:
    """A partner has not answered a referral in time. What it was asked for is not said: it is sensitive."""
    late, name = _long(due_at, now), referral.partner_name
    priority = PRIORITY_WORDS.get(referral.priority, Text(referral.priority, referral.priority))
    role = CHASER if CHASER in pathway.roles else None
    who = _roles(pathway, [role] if role else [])
    return Cause(
        kind=CauseKind.SILENT_PARTNER,
        about=referral.partner,
        label=Text(f"Sans réponse de : {name}", f"No answer from: {name}"),
        sentence=Text(
            f"« {name} » aurait dû répondre il y a {late.fr} à une orientation (priorité : {priority.fr}) : "
            f"relancez ce partenaire, ou retirez l'orientation {referral.code}{_brackets(who.fr)}.",
            f"“{name}” should have answered a referral (priority: {priority.en}) {late.en} ago: "
            f"chase this partner, or withdraw the referral {referral.code}{_brackets(who.en)}.",
        ),
        since=due_at,
        record=referral.code,
        role=role,
        partner=referral.partner,
    )


def nobody_assigned(pathway: Pathway, task: Work, now: datetime) -> Cause:
    """An overdue task is nobody's."""
    title, role, late = _task(pathway, task), _roles(pathway, [task.role]), _long(task.due_at or now, now)
    return Cause(
        kind=CauseKind.NOBODY_ASSIGNED,
        about=task.key,
        label=Text(f"Confiée à personne : {title.fr}", f"Nobody has: {title.en}"),
        sentence=Text(
            f"La tâche « {title.fr} » est en retard de {late.fr} et n'est confiée à personne : "
            f"donnez-la à quelqu'un ({role.fr}).",
            f"The task “{title.en}” is {late.en} late and nobody has it: give it to somebody ({role.en}).",
        ),
        since=task.due_at or task.opened_at,
        task=task.key,
        record=task.record,
        role=task.role,
    )


def guarded(
    pathway: Pathway, way: Way, reasons: Sequence[Reason], work: Work | None, since: datetime, now: datetime
) -> Cause:
    """The case is late, and something bars its way on."""
    title, first, more = pathway.triggers[way.transition.trigger], reasons[0], len(reasons) - 1
    others = Text(f" (et {more} autre(s) condition(s))", f" (and {more} more)") if more else Text("", "")
    late, roles = _long(since, now), people(pathway, way.transition.roles)
    if work is not None:
        task, whom = _task(pathway, work), _whom(pathway, work)
        action = Text(f"il faut « {task.fr} », {whom.fr}", f"what it needs is “{task.en}”, {whom.en}")
    else:
        who = _roles(pathway, roles)
        action = Text(f"à pourvoir par : {who.fr}", f"to be seen to by: {who.en}")
    return Cause(
        kind=CauseKind.GUARD,
        about=f"{first.code}:{first.missing}" if first.missing else first.code,
        label=Text(_inside(first.text_fr), _inside(first.text_en)),
        sentence=Text(
            f"« {title.fr} » n'est pas possible, avec {late.fr} de retard : "
            f"{_inside(first.text_fr)}{others.fr} ; {action.fr}.",
            f"“{title.en}” is not possible, {late.en} late: {_inside(first.text_en)}{others.en}; {action.en}.",
        ),
        since=since,
        guard=first.code,
        missing=first.missing,
        trigger=None if work is not None else way.transition.trigger,
        task=work.key if work is not None else None,
        record=work.record if work is not None else None,
        role=work.role if work is not None else _first(roles),
        login=work.login if work is not None else None,
    )


def late_task(pathway: Pathway, task: Work, mover: Transition | None, free: Way | None, now: datetime) -> Cause:
    """Somebody's task is overdue: they do it (by the move that completes it), or take the way that is free."""
    title, whom, late = _task(pathway, task), _whom(pathway, task), _long(task.due_at or now, now)
    move = mover or (free.transition if free is not None else None)
    done = (
        Text(f"« {pathway.triggers[move.trigger].fr} »", f"“{pathway.triggers[move.trigger].en}”")
        if move is not None
        else Text("la terminer", "doing it")
    )
    return Cause(
        kind=CauseKind.OVERDUE_PERSON,
        about=task.key,
        label=Text(f"En retard : {title.fr}", f"Late: {title.en}"),
        sentence=Text(
            f"« {title.fr} » est en retard de {late.fr}, {whom.fr} : il suffit de {done.fr}.",
            f"“{title.en}” is {late.en} late, {whom.en}: all it takes is {done.en}.",
        ),
        since=task.due_at or task.opened_at,
        trigger=move.trigger if move is not None else None,
        task=task.key,
        record=task.record,
        role=task.role,
        login=task.login,
    )


def late_clock(pathway: Pathway, clock: Clock, free: Way | None, now: datetime) -> Cause:
    """A deadline is overdue and nothing bars the way."""
    template = pathway.deadlines.get(clock.key)
    title, late = _clock(pathway, clock), _long(clock.due_at, now)
    owner = template.owner if template else None
    who = _roles(pathway, [owner] if owner else [])
    then = Text("", "")
    if free is not None:
        move, roles = pathway.triggers[free.transition.trigger], _roles(pathway, people(pathway, free.transition.roles))
        then = Text(
            f" : « {move.fr} » est possible dès maintenant ({roles.fr})", f": “{move.en}” is possible now ({roles.en})"
        )
    return Cause(
        kind=CauseKind.OVERDUE_PERSON,
        about=clock.key,
        label=Text(f"En retard : {title.fr}", f"Late: {title.en}"),
        sentence=Text(
            f"« {title.fr} » est en retard de {late.fr}{_brackets(who.fr)}{then.fr}.",
            f"“{title.en}” is {late.en} late{_brackets(who.en)}{then.en}.",
        ),
        since=clock.due_at,
        trigger=free.transition.trigger if free else None,
        record=clock.record,
        role=owner,
    )


def forgotten(pathway: Pathway, facts: Facts, way: Way | None, barred: Reason | None, now: datetime) -> Cause:
    """No task and no clock."""
    long, state = _long(facts.entered_state_at, now), pathway.states[facts.state].title
    fr = f"Aucune tâche ni échéance ne rappelle ce dossier à personne depuis {long.fr} (« {state.fr} »)"
    en = f"No task and no deadline has reminded anybody of this case for {long.en} (“{state.en}”)"
    if way is not None:
        move, roles = pathway.triggers[way.transition.trigger], _roles(pathway, people(pathway, way.transition.roles))
        if barred is None:
            fr += f" : « {move.fr} » est possible dès maintenant ({roles.fr})"
            en += f": “{move.en}” is possible now ({roles.en})"
        else:
            fr += f" : pour « {move.fr} » ({roles.fr}), {_inside(barred.text_fr)}"
            en += f": for “{move.en}” ({roles.en}), {_inside(barred.text_en)}"
    return Cause(
        kind=CauseKind.FORGOTTEN,
        about=facts.state,
        label=Text(f"Sans tâche ni échéance : {state.fr}", f"No task and no deadline: {state.en}"),
        sentence=Text(f"{fr}.", f"{en}."),
        since=facts.entered_state_at,
        guard=barred.code if barred else None,
        missing=barred.missing if barred else None,
        trigger=way.transition.trigger if way else None,
        role=_first(people(pathway, way.transition.roles)) if way else None,
    )


def waiting(pathway: Pathway, timer: Clock) -> Cause:
    """Nobody has anything to do before a timer fires."""
    title, on = _clock(pathway, timer), _day(pathway, timer.due_at)
    return Cause(
        kind=CauseKind.WAITING,
        about=timer.key,
        label=Text(f"Attend : {title.fr}", f"Waits for: {title.en}"),
        sentence=Text(
            f"Rien n'est à faire avant le {on} : « {title.fr} » viendra de soi-même.",
            f"There is nothing to do before {on}: “{title.en}” will come by itself.",
        ),
        since=timer.due_at,
    )


def on_time(pathway: Pathway, facts: Facts, next_up: Work | Clock | None, barred: Reason | None) -> Cause:
    """Nothing is overdue; what comes next."""
    fr, en, role, login = "Rien n'est en retard", "Nothing is late", None, None
    if isinstance(next_up, Work):
        title, whom, role, login = _task(pathway, next_up), _whom(pathway, next_up), next_up.role, next_up.login
        until = Text(" d'ici le {}", " by {}") if next_up.due_at else Text("", "")
        on = _day(pathway, next_up.due_at) if next_up.due_at else ""
        fr += f" : « {title.fr} » est attendu{until.fr.format(on)}, {whom.fr}"
        en += f": “{title.en}” is expected{until.en.format(on)}, {whom.en}"
    elif next_up is not None:
        template, title = pathway.deadlines.get(next_up.key), _clock(pathway, next_up)
        role = template.owner if template else None
        who, on = _roles(pathway, [role] if role else []), _day(pathway, next_up.due_at)
        fr += f" : « {title.fr} » est attendu d'ici le {on}{_brackets(who.fr)}"
        en += f": “{title.en}” is expected by {on}{_brackets(who.en)}"
    return Cause(
        kind=CauseKind.ON_TIME,
        about=facts.state,
        label=Text("Rien en retard", "Nothing late"),
        sentence=Text(f"{fr}.", f"{en}."),
        since=facts.entered_state_at,
        guard=barred.code if barred else None,
        missing=barred.missing if barred else None,
        task=next_up.key if isinstance(next_up, Work) else None,
        record=next_up.record if next_up else None,
        role=role,
        login=login,
    )


def _task(pathway: Pathway, task: Work) -> Text:
    template = pathway.tasks.get(task.key)
    if template is None:
        return Text(task.key, task.key)
    kind = pathway.records.get(template.record or "")
    fr, en = template.title
    return Text(f"{fr} ({kind.title.fr})", f"{en} ({kind.title.en})") if kind else template.title


def _clock(pathway: Pathway, clock: Clock) -> Text:
    template = pathway.deadlines.get(clock.key)
    return template.title if template else Text(clock.key, clock.key)


def _whom(pathway: Pathway, task: Work) -> Text:
    """With whom a task is: the login of whoever has it, and the role."""
    role = _roles(pathway, [task.role])
    if task.login is None:
        return Text(f"à confier ({role.fr})", f"to be given to somebody ({role.en})")
    return Text(f"chez {task.login} ({role.fr})", f"with {task.login} ({role.en})")


def _roles(pathway: Pathway, roles: Iterable[str]) -> Text:
    words = [_word(role, pathway.roles) for role in roles]
    return Text(", ".join(word.fr for word in words), ", ".join(word.en for word in words))


def _word(key: str, words: Mapping[str, Text]) -> Text:
    return words.get(key, Text(key, key))


def _first(roles: Sequence[str]) -> str | None:
    return roles[0] if roles else None


def _brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _inside(sentence: str) -> str:
    """A sentence as a part of another one."""
    text = sentence.rstrip(".").replace(". ", " ; ")
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] in (" ", "'") else text


def _day(pathway: Pathway, moment: datetime) -> str:
    return moment.astimezone(pathway.timezone).strftime("%Y-%m-%d")


def _long(since: datetime, now: datetime) -> Text:
    """How long it has been, in whole days, or in hours on the first."""
    passed = max(now - since, timedelta(0))
    number, units = (passed // _DAY, ("jour", "day")) if passed >= _DAY else (passed // _HOUR, ("heure", "hour"))
    return Text(*(f"{number} {unit}{'s' if number > 1 else ''}" for unit in units))
