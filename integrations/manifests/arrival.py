"""A person as a manifest announces them: what `rows` makes of a usable row, and what a row that waits is kept as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from integrations.manifests.dates import Precision
from integrations.manifests.names import name_key
from states.registration import Registration

Sex = Literal["male", "female"]


@dataclass(frozen=True, slots=True)
class ArrivalRow:
    """A person as a manifest announces them. Dates are local days; codes are ISO 3166 alpha-3, P-codes and E.164.

    `birth_date` with the precision `year` means the year only. `warnings` are `reason: header` of cells that were not
    understood; their texts stand in `remarks`.
    """

    line: int
    reference: str | None = field(repr=False)
    family_name: str = field(repr=False)
    given_names: str = field(repr=False)
    sex: Sex
    birth_date: date = field(repr=False)
    birth_precision: Precision
    nationality: str | None
    departure_country: str
    departure_place: str | None
    arrival_date: date
    transport: str | None
    region_pcode: str | None
    district_pcode: str | None
    phone: str | None = field(repr=False)
    household_size: int | None
    vulnerabilities: tuple[str, ...] = field(repr=False)
    consent_to_share: bool | None
    remarks: str | None = field(repr=False)
    warnings: tuple[str, ...]

    def registration(self, checksum: str, offices: Mapping[str, int]) -> Registration:
        """What to register for the row of the manifest with this checksum; `offices` are ids by region."""
        return Registration(
            family_name=self.family_name,
            given_names=self.given_names,
            name_key=name_key(self.family_name, self.given_names),
            sex=self.sex,
            birth_date=self.birth_date,
            birth_precision=self.birth_precision,
            arrival_date=self.arrival_date,
            departure_country=self.departure_country,
            nationality=self.nationality,
            reference=self.reference,
            phone=self.phone,
            vulnerabilities=self.vulnerabilities,
            remarks=self.remarks,
            household_size=self.household_size,
            departure_place=self.departure_place,
            region_pcode=self.region_pcode,
            district_pcode=self.district_pcode,
            office_id=offices.get(self.region_pcode or ""),
            manifest_checksum=checksum,
            manifest_line=self.line,
            consent_to_share=self.consent_to_share,
        )

    def to_json(self) -> dict[str, Any]:
        """The row as a JSON document, for one that waits."""
        document: dict[str, Any] = _JSON.dump_python(self, mode="json")
        return document

    @staticmethod
    def from_json(document: dict[str, Any]) -> ArrivalRow:
        """The row that `to_json` wrote."""
        return _JSON.validate_python(document)


_JSON: Final = TypeAdapter(ArrivalRow)
