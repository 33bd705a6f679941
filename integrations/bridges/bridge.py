"""The bridges: `bridge("primero").body(event)` is a stored event as another system wants it, by a mapping.

`segin bridge` calls it. Pure: no clock, no network, and the same bytes for the same event and mapping. A mapping file
is read once in a process: one that was edited counts for those that start afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import orjson

from integrations.bridges.dhis2 import tracker_payload
from integrations.bridges.loader import mapping_text, read_mapping
from integrations.bridges.mapping import Mapping, PrimeroMapping
from integrations.bridges.primero import primero_case
from integrations.bridges.referral import read_referral

CONTENT_TYPE: Final = "application/json"


@dataclass(frozen=True)
class Bridge:
    """One mapping, ready to be used."""

    mapping: Mapping

    @property
    def content_type(self) -> str:
        """That of the bodies."""
        return CONTENT_TYPE

    @property
    def already_there(self) -> frozenset[int]:
        """The answers by which the other system says that it has had this referral before."""
        return frozenset(self.mapping.already_there)

    def body(self, event: bytes) -> bytes:
        """The referral in the bytes of a stored `referral.made` event, as the other system wants it.

        Raises NotOverTheBridge, which names a field and never a value.
        """
        referral = read_referral(event, self.mapping)
        if isinstance(self.mapping, PrimeroMapping):
            document = primero_case(self.mapping, referral)
        else:
            document = tracker_payload(self.mapping, referral)
        return orjson.dumps(document)


@lru_cache(maxsize=64)
def bridge(where: str) -> Bridge:
    """The bridge of a bundled mapping by its name, or of a mapping file by its path; read once in a process.

    Raises WrongUse when there is neither, FileProblems when the file cannot be used.
    """
    text, name = mapping_text(where)
    return Bridge(read_mapping(text, name)[0])
