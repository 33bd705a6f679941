"""The figures of the demonstration, `story.yaml` and `cast.yaml`, read and checked."""

from __future__ import annotations

from datetime import date
from importlib import resources
from typing import Annotated, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Period(_Part):
    """Days from the first up to the second, which is not in it."""

    start: date = Field(alias="from")
    end: date = Field(alias="until")

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


class EligibilityReview(Period):
    """A batch of cases from one country of departure is held, at most so many, in these states."""

    country: str
    states: tuple[str, ...]
    most: int


class Story(_Part):
    """What happens: see `story.yaml`."""

    acts_a_day: dict[str, int]
    days: dict[str, tuple[int, int]]
    shares: dict[str, Share]
    happenings: dict[str, Share]
    eligibility_review: EligibilityReview
    partner_fails: Period
    partner_slow: Period


class OfficePart(_Part):
    """An office, the regions that it serves, and how many people of each role work there."""

    code: str
    name: str
    regions: list[str]
    staff: dict[str, int]


class PartnerPart(_Part):
    """A partner and what it subscribes to."""

    code: str
    name: str
    event_types: list[str]
    regions: list[str]


class Partners(_Part):
    """The one that is always well, and the one that has bad days."""

    well: PartnerPart
    unwell: PartnerPart


class Cast(_Part):
    """Who plays: see `cast.yaml`."""

    first_names: list[str]
    family_names: list[str]
    offices: list[OfficePart]
    everywhere: dict[str, int]
    partners: Partners


P = TypeVar("P", bound=_Part)


def read_story() -> Story:
    """The bundled story."""
    return _read("story.yaml", Story)


def read_cast() -> Cast:
    """The bundled cast."""
    return _read("cast.yaml", Cast)


def _read(name: str, kind: type[P]) -> P:
    text = resources.files("deployments.demo").joinpath(name).read_text(encoding="utf-8")
    return kind.model_validate(yaml.safe_load(text))
