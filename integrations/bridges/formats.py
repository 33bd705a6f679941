"""The format of a subscription: events as they are, or by a mapping that is named and never a path.

`segin partner subscribe` looks whether there is one of that name; the sender has each body put into its form.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from integrations.bridges.bridge import Bridge, bridge
from integrations.bridges.loader import bundled_mappings
from integrations.catalogue.schemas import CONTENT_TYPE
from models.errors import WrongUse
from models.partner import CLOUDEVENTS

TAKEN: Final = "referral.made"
"""The one type of event that mappings take."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")


class Payload(NamedTuple):
    """What is posted, and as what. `already_there` are the answers by which the other system says that it has had it
    before."""

    content_type: str
    body: bytes
    already_there: frozenset[int] = frozenset()


def payload(format_: str, event: bytes, folder: Path | None) -> Payload | None:
    """The bytes of a stored event in the form of a subscription: the same for the same event and mapping. None: the
    mapping does not take events of its type, so that there is nothing to send.

    `folder` holds the programme's own mappings. Raises NotOverTheBridge, which names a field and never a value;
    WrongUse when there is no such mapping, and FileProblems when its file cannot be used.
    """
    if format_ == CLOUDEVENTS:
        return Payload(CONTENT_TYPE, event)
    if orjson.loads(event)["type"] != TAKEN:
        return None
    over = bridge_named(format_, folder)
    return Payload(over.content_type, over.body(event), over.already_there)


def bridge_named(name: str, folder: Path | None) -> Bridge:
    """The bridge of the programme's own mapping of this name (`NAME.yaml` in its folder), else of the bundled one.

    Raises WrongUse when there is neither, FileProblems when the file cannot be used.
    """
    if _NAME.fullmatch(name):
        own = None if folder is None else folder / f"{name}.yaml"
        if own is not None and own.is_file():
            return bridge(str(own))
        if name in bundled_mappings():
            return bridge(name)
    known = ", ".join([CLOUDEVENTS, *bundled_mappings()])
    raise WrongUse(
        "There is no format of that name.",
        "Il n'y a pas de format de ce nom.",
        remedy=f"Use one of {known}, or put your own mapping into SEGIN_BRIDGES_DIR.",
        remedy_fr=f"Utilisez {known}, ou placez votre correspondance dans SEGIN_BRIDGES_DIR.",
    )
