"""The format of a subscription: the event as it is, or what a named mapping makes of it; never a path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bridge_referrals import SAMPLE, changed

from integrations.bridges.bridge import bridge
from integrations.bridges.errors import NotOverTheBridge
from integrations.bridges.formats import bridge_named, payload
from integrations.bridges.loader import mapping_text
from models.errors import WrongUse
from models.partner import CLOUDEVENTS
from states.pathways.problems import FileProblems


def other(event_type: str) -> bytes:
    return json.dumps(json.loads(SAMPLE) | {"type": event_type}).encode()


def test_cloudevents_are_the_bytes_as_they_are() -> None:
    assert payload(CLOUDEVENTS, SAMPLE, None) == ("application/cloudevents+json", SAMPLE, frozenset())
    odd = other("case.closed") + b" \n"
    assert payload(CLOUDEVENTS, odd, None) == ("application/cloudevents+json", odd, frozenset())


@pytest.mark.parametrize("name", ["primero", "dhis2"])
def test_a_mapping_gives_what_its_bridge_makes_of_the_stored_bytes(name: str) -> None:
    over = bridge(name)
    assert payload(name, SAMPLE, None) == ("application/json", over.body(SAMPLE), over.already_there)
    assert payload(name, SAMPLE, None) == payload(name, SAMPLE, None)


@pytest.mark.parametrize("event_type", ["case.closed", "consent.revoked", "referral.revoked", "case.corrected"])
def test_what_a_mapping_does_not_take_is_nothing_to_send(event_type: str) -> None:
    assert payload("primero", other(event_type), None) is None


def test_a_referral_that_lacks_something_is_refused_by_field_and_not_by_value() -> None:
    with pytest.raises(NotOverTheBridge) as caught:
        payload("primero", changed(sex=None), None)
    assert caught.value.field == "data.sex"


def test_the_programmes_own_mapping_comes_before_the_bundled_one(tmp_path: Path) -> None:
    text, _ = mapping_text("primero")
    (tmp_path / "primero.yaml").write_text(text.replace("segin_intake", "our_intake"), encoding="utf-8")
    own, bundled = payload("primero", SAMPLE, tmp_path), payload("primero", SAMPLE, None)
    assert own is not None
    assert bundled is not None
    assert own.body == bundled.body.replace(b"segin_intake", b"our_intake") != bundled.body


@pytest.mark.parametrize(
    "name", ["", "../primero", "/etc/passwd", "primero.yaml", "Primero", "unknown", "a" * 41, "x\n"]
)
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    (tmp_path.parent / "primero.yaml").write_text("name: x", encoding="utf-8")
    with pytest.raises(WrongUse) as caught:
        bridge_named(name, tmp_path)
    assert "primero" in caught.value.remedy
    assert "primero" in caught.value.remedy_fr


def test_a_mapping_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("name: broken\nsystem: primero\n", encoding="utf-8")
    with pytest.raises(FileProblems):
        payload("broken", SAMPLE, tmp_path)
