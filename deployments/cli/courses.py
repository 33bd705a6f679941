"""`segin course`: courses and their places, who is on them, who waits and why there, and giving a place."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from deployments.cli.acts import Acting, CommandId, new_code, record
from deployments.cli.cases import Code
from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import DONE, IN_PART, AsJson
from models.database import read_session, write_session
from models.referral_list import find_partner
from states.casework.course_end import cancel_course, close_course
from states.casework.course_list import CourseLine, list_courses, list_enrolments
from states.casework.courses import NewCourse, add_course, find_course
from states.casework.training import PlaceWanted, enrol, join_waiting_list
from states.casework.waiting import waiting_list
from states.moves import Outcome, OutcomeKind

course_app = typer.Typer(no_args_is_help=True, help="Courses, their places and their waiting lists.")

CourseCode = Annotated[str, typer.Argument(help="Code of the course.")]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(course_app, name="course")


@course_app.command("add")
def add(
    code: CourseCode,
    title: Annotated[str, typer.Argument(help="What is taught.")],
    capacity: Annotated[int, typer.Option(min=1, help="How many places there are.")],
    place: Annotated[str, typer.Option(help="Where it is held.")],
    starts: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    ends: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day.")],
    partner: Annotated[str | None, typer.Option(help="Code of the partner who holds it.")] = None,
    provider: Annotated[str | None, typer.Option(help="Who holds it, when it is no partner.")] = None,
    region: Annotated[str | None, typer.Option(help="First-level P-code of the place.")] = None,
    login: AsLogin = None,
    role: AsRole = "training_officer",
    as_json: AsJson = False,
) -> None:
    """Open a course."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        partner_id = None if partner is None else find_partner(session, partner).id
        course = NewCourse(
            code=code,
            title=title,
            place=place,
            capacity=capacity,
            starts_on=starts.date(),
            ends_on=ends.date(),
            partner_id=partner_id,
            provider=provider,
            region_pcode=region,
        )
        add_course(session, course, actor=acting(session, login, role), now=work.now())
        session.commit()
        said = work.out.say(f"Formation {code} ouverte : {capacity} places.", f"Course {code} open: {capacity} places.")
        work.out.show({"code": code, "capacity": capacity}, lambda console: console.print(said))


@course_app.command("list")
def list_(
    region: Annotated[str | None, typer.Option(help="Only those of this region (first-level P-code).")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that still enrol.")] = False,
    as_json: AsJson = False,
) -> None:
    """Courses and the places that are left."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        lines = list_courses(session, region=region, open_only=open_only)
        table = work.out.table(
            [
                *(("Code", "Code"), ("Formation", "Course"), ("Organisme", "Provider"), ("Lieu", "Place")),
                *(("Du", "From"), ("Au", "Until"), ("État", "Status"), ("Places", "Places"), ("Libres", "Free")),
                ("En attente", "Waiting"),
            ],
            (
                [
                    *(each.code, each.title, each.provider, each.place, each.starts_on, each.ends_on, each.status),
                    *(each.capacity, each.free, each.waiting),
                ]
                for each in lines
            ),
        )
        work.out.show({"courses": [_document(each) for each in lines]}, lambda console: console.print(table))


@course_app.command("show")
def show(code: CourseCode, as_json: AsJson = False) -> None:
    """A course and everybody on it, by the codes of their cases, with how often they came."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        find_course(session, code)
        (line,) = [each for each in list_courses(session) if each.code == code]
        people = list_enrolments(session, code)
        table = work.out.table(
            [
                *(("Inscription", "Enrolment"), ("Dossier", "Case"), ("Étape", "Step"), ("Demande", "Asked")),
                *(("Jours", "Days"), ("Présent", "Present"), ("%", "%"), ("Certificat", "Certificate")),
                ("Motif", "Reason"),
            ],
            (
                [
                    *(each.code, each.case, each.status, work.out.when(each.asked_at), each.days, each.present),
                    *(each.rate, each.certificate, each.reason),
                ]
                for each in people
            ),
            title=f"{line.code} · {line.title} · {line.taken}/{line.capacity}",
        )
        enrolments = [{**each._asdict(), "rate": each.rate} for each in people]
        work.out.show({**_document(line), "enrolments": enrolments}, lambda console: console.print(table))


@course_app.command("waiting")
def waiting(code: CourseCode, as_json: AsJson = False) -> None:
    """Who waits for a place, in which order and why."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        turns = waiting_list(session, code)
        table = work.out.table(
            [("Rang", "Rank"), ("Dossier", "Case"), ("Inscription", "Enrolment"), ("Pourquoi", "Why")],
            ([turn.rank, turn.waiting.case, turn.waiting.enrolment, turn.why.in_(work.out.language)] for turn in turns),
        )
        document = {
            "course": code,
            "waiting": [
                {
                    "rank": turn.rank,
                    "case": turn.waiting.case,
                    "enrolment": turn.waiting.enrolment,
                    "priority": turn.waiting.priority,
                    "asked_at": turn.waiting.asked_at,
                    "held": turn.waiting.held,
                    "why": turn.why._asdict(),
                }
                for turn in turns
            ],
        }
        work.out.show(document, lambda console: console.print(table))


@course_app.command("enrol")
def enrol_(
    code: Code,
    course: CourseCode,
    wait: Annotated[bool, typer.Option("--wait", help="Put the person on the waiting list instead.")] = False,
    login: AsLogin = None,
    role: AsRole = "training_officer",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Give a place, or a place in the line."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        wanted = PlaceWanted(**here.signed, code=new_code(), course=course)
        (outcome,) = (join_waiting_list if wait else enrol)(here.session, [wanted], now=here.desk.now())
        return outcome, {"enrolment": wanted.code, "course": course}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@course_app.command("close")
def close(code: CourseCode, as_json: AsJson = False) -> None:
    """Enrol nobody more; whoever is on the course goes on."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        close_course(session, code, expected_version=find_course(session, code).version)
        session.commit()
        said = work.out.say(f"Formation {code} fermée aux inscriptions.", f"Course {code} closed to more people.")
        work.out.show({"code": code, "status": "closed"}, lambda console: console.print(said))


@course_app.command("cancel")
def cancel(code: CourseCode, login: AsLogin = None, role: AsRole = "training_officer", as_json: AsJson = False) -> None:
    """Cancel a course, with every place on it and every wait for it."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        outcomes = cancel_course(
            session,
            code,
            actor=acting(session, login, role),
            expected_version=find_course(session, code).version,
            correlation_id=work.correlation_id,
            now=work.now(),
        )
        session.commit()
        ended = sum(outcome.kind is OutcomeKind.MOVED for outcome in outcomes)
        left = len(outcomes) - ended
        said = work.out.say(
            f"Formation {code} annulée : {ended} inscriptions terminées, {left} à revoir.",
            f"Course {code} cancelled: {ended} enrolments ended, {left} to be looked at.",
        )
        document = {"code": code, "status": "cancelled", "ended": ended, "left": left}
        work.out.show(document, lambda console: console.print(said))
    raise typer.Exit(IN_PART if left else DONE)


def _document(line: CourseLine) -> dict[str, Any]:
    return {**line._asdict(), "free": line.free}
