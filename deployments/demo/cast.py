"""Opens the offices, hires the staff and signs the partners up; then knows who works where.

The demonstration's run calls `settle` once; the simulated staff ask the roster for a colleague.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from itertools import count

from sqlmodel import Session

from deployments.demo.luck import Luck
from deployments.demo.story import Cast, PartnerPart
from integrations.manifests.profile import load_profile
from integrations.sharing.agreement_file import parse_agreement
from integrations.sharing.agreements import record_agreement
from integrations.webhooks.subscriptions import add_partner, add_subscription
from models import Office, Staff
from states.moves import Actor


@dataclass(frozen=True, slots=True)
class Roster:
    """The staff by role and office; none is those who help everywhere."""

    by_place: Mapping[tuple[str, int | None], tuple[Actor, ...]]
    by_id: Mapping[int, Actor]

    def colleague(self, role: str, office_id: int | None, number: int) -> Actor:
        """Somebody of the role in the office (else of those who help everywhere); the same for the same number."""
        people = self.by_place.get((role, office_id)) or self.by_place[role, None]
        return people[number % len(people)]

    def somebody_else(self, actor: Actor) -> Actor:
        """A colleague of the same role: in the same office if there is one, else one who helps everywhere."""
        near = [each for each in self.by_place.get((actor.role, actor.office_id), ()) if each != actor]
        return (near or list(self.by_place[actor.role, None]))[0]


def settle(session: Session, cast: Cast, luck: Luck, now: datetime) -> Roster:
    """Write offices and staff."""
    names = _names(cast, luck)
    people: list[Staff] = []
    for part in cast.offices:
        office = Office(code=part.code, name=part.name, regions=part.regions)
        session.add(office)
        session.flush()
        people += _hire(part.staff, part.code, office.id, names, now)
    people += _hire(cast.everywhere, "MLI", None, names, now)
    session.add_all(people)
    session.flush()
    by_place: dict[tuple[str, int | None], list[Actor]] = defaultdict(list)
    for person in people:
        by_place[person.role, person.office_id].append(Actor(person.role, person.id, person.office_id))
    return Roster(
        {place: tuple(actors) for place, actors in by_place.items()},
        {actor.id: actor for actors in by_place.values() for actor in actors if actor.id is not None},
    )


def sign_up(session: Session, part: PartnerPart, url: str, secret: str, now: datetime) -> int:
    """Add a partner with its agreement and one subscription at an address of this machine, and give its id."""
    add_partner(session, code=part.code, name=part.name, now=now)
    file = resources.files("deployments.demo").joinpath("agreements", f"{part.code}.yaml")
    record_agreement(
        session,
        parse_agreement(file.read_text(encoding="utf-8"), file.name),
        regions=set(load_profile("mali").places.regions.values()),
        actor=Actor("coordinator"),
        now=now,
    )
    return add_subscription(
        session,
        partner=part.code,
        url=url,
        secret=secret,
        now=now,
        event_types=part.event_types,
        regions=part.regions,
        allow_loopback=True,
    ).partner_id


def _hire(
    wanted: Mapping[str, int], code: str, office_id: int | None, names: Iterator[str], now: datetime
) -> list[Staff]:
    hired = []
    for role, number in wanted.items():
        for place in range(1, number + 1):
            login = f"{role}.{code}.{place}".replace("_", "-").lower()
            hired.append(Staff(login=login, name=next(names), role=role, office_id=office_id, created_at=now))
    return hired


def _names(cast: Cast, luck: Luck) -> Iterator[str]:
    """Made-up names, each a draw."""
    for number in count():
        first = luck.pick(cast.first_names, "first name", number)
        yield f"{first} {luck.pick(cast.family_names, 'family name', number)}"
