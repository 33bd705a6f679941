"""A replay laid out for a person to read. `segin pathway replay` prints it."""

from __future__ import annotations

from rich.console import Console

from deployments.cli.output import Output
from states.replay.report import Closings, ReplayReport
from states.replay.tally import CaseDifference


def show_replay(console: Console, out: Output, report: ReplayReport, limit: int) -> None:
    """The whole report: what it comes to, then a table for each question, then the cases that differ most."""
    what = f"{report.name}@{report.version}"
    console.print(
        out.say(
            f"{what} sur le passé, du {out.when(report.since)} au {out.when(report.until)} : "
            f"{report.replayed} dossiers, {report.moves} actions. Rien n'est écrit.",
            f"{what} over the past, from {out.when(report.since)} to {out.when(report.until)}: "
            f"{report.replayed} cases, {report.moves} moves. Nothing is written.",
        ),
        style="bold",
    )
    _closings(console, out, report.closings)
    _refusals(console, out, report, limit)
    _deadlines(console, out, report)
    _tasks(console, out, report)
    _states(console, out, report)
    _cases(console, out, report, limit)


def _closings(console: Console, out: Output, closings: Closings) -> None:
    rows = [
        (out.say("au même moment", "at the same time"), closings.same, None),
        (out.say("plus tôt", "earlier"), closings.earlier, closings.days_earlier),
        (out.say("plus tard", "later"), closings.later, closings.days_later),
        (out.say("clos en réalité, encore ouverts ici", "closed in truth, still open here"), closings.not_closed, None),
        (out.say("ouverts en réalité, clos ici", "open in truth, closed here"), closings.only_new, None),
    ]
    console.print(
        out.table(
            [("Clôture", "Closing"), ("Dossiers", "Cases"), ("Jours (médiane)", "Days (median)")],
            ([label, number, "" if days is None else f"{days:.1f}"] for label, number, days in rows),
            title="\n" + out.say("Clôtures", "Closings"),
        )
    )


def _refusals(console: Console, out: Output, report: ReplayReport, limit: int) -> None:
    title = out.say(
        f"\nRefus : {report.refused_moves} actions de {report.refused_cases} dossiers, dont {report.following_moves} "
        f"parce que le dossier n'est plus là où il était ; {report.later_moves} possibles plus tard",
        f"\nRefusals: {report.refused_moves} moves of {report.refused_cases} cases, of which {report.following_moves} "
        f"because the case is not where it was; {report.later_moves} possible later",
    )
    headers = [
        ("Action", "Move"),
        ("Raison", "Reason"),
        ("Refus", "Refusals"),
        ("Par suite", "Only follow"),
        ("Plus tard", "Later"),
    ]
    rows = [
        [out.say(*line.title), out.say(*line.reason), line.moves, line.follows, line.later]
        for line in report.refusals[:limit]
    ]
    console.print(out.table(headers, rows, title=title))
    if report.unknown:
        console.print(
            out.say(
                f"{report.unknown} actions admises : le passé ne dit pas tout ce que les règles demandent.",
                f"{report.unknown} moves let through: the past does not tell all that the guards ask.",
            )
        )


def _deadlines(console: Console, out: Output, report: ReplayReport) -> None:
    title = out.say(
        f"\nÉchéances manquées : {report.cases_breached} dossiers en ont plus, {report.cases_spared} en ont moins",
        f"\nDeadlines missed: {report.cases_breached} cases have more, {report.cases_spared} have fewer",
    )
    headers = [
        ("Échéance", "Deadline"),
        ("Fixées", "Set"),
        ("ici", "here"),
        ("Tenues", "Kept"),
        ("ici", "here"),
        ("Manquées", "Missed"),
        ("ici", "here"),
    ]
    rows = [
        [
            *(out.say(*line.title), line.set_old, line.set_new, line.kept_old, line.kept_new),
            *(line.breached_old, line.breached_new),
        ]
        for line in report.deadlines
    ]
    console.print(out.table(headers, rows, title=title))


def _tasks(console: Console, out: Output, report: ReplayReport) -> None:
    console.print(
        out.table(
            [("Rôle", "Role"), ("Tâches", "Tasks"), ("ici", "here"), ("Différence", "Difference")],
            ([out.say(*line.title), line.old, line.new, f"{line.more:+}"] for line in report.tasks),
            title="\n" + out.say("Ce que cela coûte en tâches", "What it costs in tasks"),
        )
    )


def _states(console: Console, out: Output, report: ReplayReport) -> None:
    console.print(
        out.table(
            [("Étape", "State"), ("Dossiers", "Cases"), ("ici", "here")],
            ([out.say(*line.title), line.old, line.new] for line in report.states),
            title="\n" + out.say("Où ils en sont à la fin", "Where they are at the end"),
        )
    )


def _cases(console: Console, out: Output, report: ReplayReport, limit: int) -> None:
    if not report.cases:
        console.print(
            "\n" + out.say("Aucun dossier n'aurait suivi un autre chemin.", "No case would have gone another way.")
        )
        return
    title = out.say(
        f"\n{len(report.cases)} dossiers auraient suivi un autre chemin",
        f"\n{len(report.cases)} cases would have gone another way",
    )
    headers = [
        ("Dossier", "Case"),
        ("Étape", "State"),
        ("ici", "here"),
        ("Clos", "Closed"),
        ("ici", "here"),
        ("Refus", "Refusals"),
        ("Échéances manquées", "Deadlines missed"),
    ]
    console.print(out.table(headers, (_line(out, case) for case in report.cases[:limit]), title=title))


def _line(out: Output, case: CaseDifference) -> list[object]:
    missed = [f"+{key}" for key in case.breached] + [f"−{key}" for key in case.spared]
    return [
        *(case.code, case.state_old, case.state_new, out.when(case.closed_old), out.when(case.closed_new)),
        *(len(case.refused), " ".join(missed)),
    ]
