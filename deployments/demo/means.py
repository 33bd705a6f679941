"""What the offices have to give: courses month by month, a budget each, and two community projects. All are made up.

The demonstration's run calls `provide` once, before the first day.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from deployments.demo.cast import Roster
from deployments.demo.luck import Luck
from deployments.demo.story import Cast, OfficePart
from models import Office
from states.casework.budgets import NewBudget, add_budget
from states.casework.courses import NewCourse, add_course
from states.casework.projects import NewProject, add_milestone, add_project, set_status

COURSES: Final = {
    "COU": "couture",
    "MEC": "mécanique moto",
    "SOU": "soudure",
    "MAR": "maraîchage",
    "MAC": "maçonnerie",
    "ELE": "électricité",
    "COI": "coiffure",
}
MONTHS: Final = range(1, 8)
WEEKS_OF_A_COURSE: Final = 26
PLACES_BY_OFFICER: Final = (2, 5)
"""Places of one course for each training officer of the office, from and to."""
BUDGET_BY_OFFICER_XOF: Final = 45_000_000
PROJECTS: Final = {
    "KAY": ("MARAICHAGE-KAY", "Jardin maraîcher du village (fictif)", "Kayes"),
    "SIK": ("PISCICULTURE-SIK", "Étang de pisciculture (fictif)", "Sikasso"),
}


def provide(session: Session, cast: Cast, roster: Roster, luck: Luck, now: datetime) -> None:
    """Write courses, budgets and projects of every office that has somebody to run them."""
    ids = dict(session.execute(select(col(Office.code), col(Office.id))).tuples().all())
    for office in cast.offices:
        coordinator = roster.colleague("coordinator", ids[office.code], 0)
        for month in MONTHS:
            for short, title in COURSES.items():
                if luck.happens(0.6, "course", office.code, short, month):
                    add_course(session, _course(office, short, title, month, luck), actor=coordinator, now=now)
        budget = NewBudget(
            code=f"APPUIS-{office.code}",
            title=f"Appuis à l'installation, {office.name}",
            amount_xof=BUDGET_BY_OFFICER_XOF * office.staff.get("livelihood_officer", 1),
            starts_on=date(2024, 1, 1),
            ends_on=date(2024, 12, 31),
            office_id=ids[office.code],
        )
        add_budget(session, budget, actor=coordinator, now=now)
        if office.code in PROJECTS:
            code, title, place = PROJECTS[office.code]
            project = NewProject(
                code=code, title=title, region_pcode=office.regions[0], place=place, starts_on=date(2024, 2, 1)
            )
            add_project(session, project, actor=coordinator, now=now)
            for name, due_on in (("Terrain clôturé", date(2024, 4, 30)), ("Première récolte", date(2024, 9, 30))):
                add_milestone(session, code, name, due_on, actor=coordinator, now=now)
            version = 3  # made, and two milestones added
            set_status(session, code, "active", expected_version=version, actor=coordinator, now=now)


def _course(office: OfficePart, short: str, title: str, month: int, luck: Luck) -> NewCourse:
    starts_on = date(2024, month, 1)
    places = luck.between(PLACES_BY_OFFICER, "places", office.code, short, month)
    return NewCourse(
        code=f"{short}-{office.code}-{month:02}",
        title=title,
        place=office.name,
        region_pcode=office.regions[0],
        capacity=places * max(1, office.staff.get("training_officer", 1)),
        starts_on=starts_on,
        ends_on=starts_on + timedelta(weeks=WEEKS_OF_A_COURSE),
        provider="Centre de formation (fictif)",
    )
