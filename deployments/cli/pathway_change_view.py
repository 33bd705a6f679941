"""How a person reads what `segin pathway diff` and `migrate` found: lines and tables of the same data as `--json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from deployments.cli.output import Output

Data = Mapping[str, Any]

_SHOWN = 20
"""A terminal shows so many cases."""


def show_diff(console: Console, out: Output, data: Data) -> None:
    """What differs, then what follows."""
    console.print(Text(f"{data['old']} → {data['new']}", style="bold"))
    for change in data["changes"]:
        console.print(Text(f"· {change['text']}"))
    if not data["changes"]:
        console.print(out.say("Rien ne diffère.", "Nothing differs."))
    if data["consequences"] is None:
        console.print(
            out.say(
                f"\n{data['old']} n'est pas publié : aucun dossier ne le suit.",
                f"\n{data['old']} is not published: no case runs on it.",
            )
        )
    else:
        console.print(*consequence_blocks(out, data["consequences"]), sep="\n")


def show_migration(console: Console, out: Output, data: Data) -> None:
    """What the next wave would do, or what waves did."""
    say, planned = out.say, data["dry_run"]
    if planned is not None:
        console.print(Text(say("À blanc : rien n'a été changé.", "Dry run: nothing was changed."), style="bold"))
        console.print(
            say(
                f"La vague {planned['number']} prendrait {planned['cases']} dossiers sur {data['left']}.",
                f"Wave {planned['number']} would take {planned['cases']} of {data['left']} cases.",
            )
        )
        if planned["would_stop"]:
            limits = planned["max_refused"], planned["max_breaches"]
            console.print(
                say(
                    f"Elle s'arrêterait : plus de {limits[0]} de refus ou de {limits[1]} de dépassements.",
                    f"It would stop: more than {limits[0]} refused or {limits[1]} run out.",
                ),
                style="bold",
            )
        console.print(*consequence_blocks(out, planned["consequences"]), sep="\n")
        return
    for wave in data["waves"]:
        console.print(*_wave_blocks(out, wave), sep="\n")
    if not data["waves"]:
        console.print(say("Aucun dossier n'est à déplacer par ces noms.", "No case is left to move by these names."))
    console.print(
        say(
            f"{data['left']} dossiers ouverts restent sur {data['old']}.",
            f"{data['left']} open cases are on {data['old']}.",
        )
    )


def consequence_blocks(out: Output, data: Data) -> Iterator[RenderableType]:
    """Tables of what a change means for the cases; what concerns nobody is left out."""
    say = out.say
    counts = ", ".join(f"{each['title']} {each['cases']}" for each in data["verdicts"].values())
    yield Text(f"\n{say('Dossiers ouverts :', 'Open cases:')} {data['cases']} ({counts})", style="bold")
    yield out.table(
        [("Étape", "State"), ("Nom", "Name"), ("Devient", "Becomes"), ("Dossiers", "Cases"), ("Touchée", "Changed")],
        (
            [each["state"], each["title"], each["goal"], each["cases"], out.yes(each["changed"])]
            for each in data["states"]
        ),
    )
    if data["objections"]:
        yield out.table(
            [("Étape", "State"), ("Dossiers", "Cases"), ("Pourquoi ils ne passent pas", "Why they do not pass")],
            ([each["state"], each["cases"], each["why"]] for each in data["objections"]),
            title=f"\n{say('Non automatiques', 'Not automatic')}",
        )
    if data["deadlines"]:
        yield out.table(
            [
                ("Échéance", "Deadline"),
                ("Déplacées", "Moved"),
                ("Au moins", "Least"),
                ("Milieu", "Middle"),
                ("Au plus", "Most"),
                ("Dépassées d'un coup", "Run out at once"),
                ("Plus en retard", "Not late any more"),
            ],
            (
                [each[name] for name in ("title", "moved", "least", "middle", "most", "run_out", "relieved")]
                for each in data["deadlines"]
            ),
            title=f"\n{say('Échéances en cours', 'Running deadlines')}",
        )
    if data["moves"]:
        words = {"freed": say("possible désormais", "possible from now on"), "refused": say("refusé", "refused")}
        yield out.table(
            [("Étape", "State"), ("Action", "Move"), ("Devient", "Becomes"), ("Dossiers", "Cases"), ("Motif", "Why")],
            (
                [
                    *(each["state"], each["title"], words[each["way"]], each["cases"]),
                    " ; ".join(reason["why"] for reason in each["reasons"]),
                ]
                for each in data["moves"]
            ),
            title=f"\n{say('Actions', 'Moves')}",
        )
    for name, title in (
        ("stuck", say("Sans suite possible :", "No way forward left:")),
        ("cancelled", say("Annulées :", "Cancelled:")),
        ("begun", say("Ouvertes en plus :", "Begun in addition:")),
    ):
        if data[name]:
            counted = ", ".join(f"{each['title']} {each['cases']}" for each in data[name])
            yield Text(f"\n{title} {counted}")


def _wave_blocks(out: Output, wave: Data) -> Iterator[RenderableType]:
    say = out.say
    status = {
        "done": say("faite", "done"),
        "stopped": say("arrêtée par ses limites", "stopped by its limits"),
        "undone": say("défaite", "undone"),
        "undoing": say("en train d'être défaite", "being undone"),
        "running": say("interrompue", "interrupted"),
    }[wave["status"]]
    yield Text(f"{say('Vague', 'Wave')} {wave['number']} · {status}", style="bold")
    words = (
        ("cases", say("dossiers", "cases")),
        ("moved", say("déplacés", "moved")),
        ("refused", say("refusés", "refused")),
        ("left_out", say("laissés", "left out")),
        ("breached", say("dépassements", "run out")),
        ("undone", say("défaits", "undone")),
        ("kept", say("non défaits", "not undone")),
    )
    yield Text("  " + ", ".join(f"{word} {wave[name]}" for name, word in words if wave[name] or name == "moved"))
    if wave["listed"]:
        yield out.table(
            [("Dossier", "Case"), ("Issue", "Outcome"), ("Pourquoi", "Why"), ("Dépassées", "Run out")],
            ([each["case"], each["outcome"], each["why"], each["breaches"]] for each in wave["listed"][:_SHOWN]),
        )
        if len(wave["listed"]) > _SHOWN:
            yield Text(say("… `--json` en nomme davantage.", "… `--json` names more."))
