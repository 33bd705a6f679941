"""What one version of an instrument is: what it asks for and how its publisher scores it; never its questions.

`states.instruments.catalogue` reads definitions from YAML and has `states.instruments.checks` look at what refers to
what; `states.instruments.scoring` scores with them; `docs/instruments.md` explains the files to their authors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from states.pathway import Text

WHOLE: Final = 1000
"""Weighted instruments give shares of one, in thousandths: whole numbers that every database keeps exactly."""

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Sentence = Annotated[str, Field(min_length=1, max_length=600, pattern=r"\S")]
Item = Annotated[int, Field(ge=1, strict=True)]


def _number(value: object) -> object:
    """A number as the files write it, whole or as text with a point: they know no fractions of their own."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise PydanticCustomError("no_number", "a number is needed, such as 0.25")
    return value


def _share(value: Decimal) -> Decimal:
    if not 0 <= value <= 1:
        raise PydanticCustomError("no_share", "a number from 0 to 1 is needed")
    return value


def _weight(value: Decimal) -> Decimal:
    if not value > 0:
        raise PydanticCustomError("no_weight", "a weight above 0 is needed")
    return value


Share = Annotated[Decimal, BeforeValidator(_number), AfterValidator(_share)]
Weight = Annotated[Decimal, BeforeValidator(_number), AfterValidator(_weight)]


class Part(BaseModel):
    """Every part refuses what it does not know: a misspelt key must not be silently without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TextPart(Part):
    """A text for staff in both languages."""

    fr: Sentence
    en: Sentence

    @property
    def text(self) -> Text:
        return Text(self.fr, self.en)


class AnswerRange(Part):
    """The whole numbers with which one item can be answered, both ends included."""

    lowest: Annotated[int, Field(ge=0, strict=True)]
    highest: Annotated[int, Field(strict=True)]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.highest <= self.lowest:
            raise PydanticCustomError("no_range", "'highest' must be above 'lowest'")
        return self


class Band(Part):
    """A named part of a scale, from this value up to the next band. A band with `flag` raises its subscale's flag."""

    code: Key
    title: TextPart
    start: Annotated[int, Field(alias="from", strict=True)]
    flag: bool = False


class Subscale(Part):
    """The sum of some items, with cut-offs of its own."""

    title: TextPart
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]


class ActAtOnce(Part):
    """When somebody must act now, whatever the rest says: the sum of some items, as they were answered, reaches `from`,
    or the result falls into one of these bands."""

    items: tuple[Item, ...] = ()
    start: int | None = Field(alias="from", default=None, strict=True)
    bands: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if bool(self.items) != (self.start is not None) or not (self.items or self.bands):
            raise PydanticCustomError("no_rule", "a rule needs 'items' with 'from', or 'bands'")
        return self


class ChangeRule(Part):
    """How much the result must move, between two assessments, to be more than chance."""

    of: Literal["score", "percent"] = "score"
    significant: Annotated[int, Field(ge=1, strict=True)]


class Base(Part):
    """What every definition says of itself."""

    instrument: Key
    version: Annotated[int, Field(ge=1, strict=True)]
    title: TextPart
    source: Sentence
    licence: Sentence

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what it says; comments and layout do not count."""
        said = self.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Scored(Base):
    """What every definition says that can be scored. `roles` may apply the instrument and see what it gave."""

    roles: Annotated[tuple[Key, ...], Field(min_length=1)]
    higher: Literal["better", "worse"]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    change: ChangeRule | None = None
    act_at_once: tuple[ActAtOnce, ...] = ()


class Summed(Scored):
    """Items that are added up. Every item has the range `answers`, unless `ranges` gives it another; an item under
    `reverse` counts from the other end of its range. `percent_factor` turns the total into a percentage."""

    kind: Literal["sum"]
    items: Annotated[int, Field(ge=1, le=200, strict=True)]
    answers: AnswerRange
    ranges: dict[int, AnswerRange] = {}
    reverse: tuple[Item, ...] = ()
    percent_factor: Annotated[int, Field(ge=1, strict=True)] | None = None
    subscales: dict[Key, Subscale] = {}

    @property
    def order(self) -> Sequence[str]:
        """The items by the names under which answers are kept: their numbers on the form."""
        return [str(item) for item in range(1, self.items + 1)]

    @property
    def lowest(self) -> int:
        """The least total."""
        return sum(self.range_of(item).lowest for item in range(1, self.items + 1))

    @property
    def highest(self) -> int:
        """The greatest total."""
        return sum(self.range_of(item).highest for item in range(1, self.items + 1))

    def range_of(self, item: int) -> AnswerRange:
        """The answers that this item takes."""
        return self.ranges.get(item, self.answers)

    def allowed(self, item: int) -> Sequence[int]:
        """The answers that this item takes, one by one."""
        span = self.range_of(item)
        return range(span.lowest, span.highest + 1)


class Dimension(Part):
    """A part of a weighted instrument with a score of its own, in thousandths."""

    title: TextPart
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]


class Indicator(Part):
    """One item of a weighted instrument: what each answer is worth (0 to 1), and how much it weighs in its dimension
    and in the composite score."""

    dimension: Key
    points: Annotated[dict[int, Share], Field(min_length=2)]
    weight: Weight
    composite_weight: Weight


class Weighted(Scored):
    """Indicators that weigh differently, such as the Reintegration Sustainability Survey. Scores are thousandths."""

    kind: Literal["weighted"]
    dimensions: Annotated[dict[Key, Dimension], Field(min_length=1)]
    indicators: Annotated[dict[Key, Indicator], Field(min_length=1)]

    @property
    def order(self) -> Sequence[str]:
        """The indicators by name, in the order of the file."""
        return list(self.indicators)

    @property
    def lowest(self) -> int:
        """The least score."""
        return 0

    @property
    def highest(self) -> int:
        """The greatest score."""
        return WHOLE

    def allowed(self, item: int) -> Sequence[int]:
        """The answers that this item (counted from 1) takes."""
        return sorted(self.indicators[self.order[item - 1]].points)


class Awaited(Base):
    """An instrument whose official scoring is not published: refused with `missing` until the programme supplies it."""

    kind: Literal["awaited"]
    missing: TextPart


Scorable = Summed | Weighted
Definition = Scorable | Awaited

KINDS: Final[dict[str, type[Definition]]] = {"sum": Summed, "weighted": Weighted, "awaited": Awaited}
"""What a file may say under `kind`."""
