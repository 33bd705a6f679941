"""Referrals for the tests of the bridges, all synthetic, and the schemas that what leaves must satisfy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from models.shared_fields import SHARED_FIELDS
from states.record_words import PRIORITY_WORDS, VULNERABILITY_WORDS
from states.referral_words import SERVICE_WORDS

DATA = Path(__file__).with_name("edges") / "bridges"
SAMPLE = (DATA / "referral-made.json").read_bytes()

SCHEMAS = {
    name: Draft202012Validator(
        json.loads((DATA / f"{file}.schema.json").read_text(encoding="utf-8")),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    for name, file in {"primero": "primero-case", "dhis2": "dhis2-tracker"}.items()
}

REGIONS = [f"ML{number:02}" for number in range(1, 11)]
NEEDED = ("region", "family_name", "given_names", "sex", "referral_services")
"""What both bundled mappings cannot do without."""


def changed(**details: Any) -> bytes:
    """The sample event with other details; none takes one out."""
    event = json.loads(SAMPLE)
    event["data"]["details"] |= details
    event["data"]["details"] = {name: value for name, value in event["data"]["details"].items() if value is not None}
    return json.dumps(event, ensure_ascii=False).encode()


def errors_in(system: str, body: bytes) -> list[str]:
    """Where the document does not satisfy the schema; places only, so that no failure shows what it says."""
    return [f"{error.json_path} ({error.validator})" for error in SCHEMAS[system].iter_errors(json.loads(body))]


def leaves(value: Any) -> Iterator[str]:
    """Every text, number and truth value in a document, as text."""
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield str(value)


def _detail(name: str, kind: str) -> st.SearchStrategy[Any]:
    codes = {
        "sex": st.sampled_from(["male", "female"]),
        "birth_precision": st.sampled_from(["exact", "year", "approximate"]),
        "region": st.sampled_from(REGIONS),
        "priority": st.sampled_from([*PRIORITY_WORDS]),
        "referral_priority": st.sampled_from([*PRIORITY_WORDS]),
        "vulnerabilities": st.lists(st.sampled_from([*VULNERABILITY_WORDS]), unique=True),
        "referral_services": st.lists(st.sampled_from([*SERVICE_WORDS]), min_size=1, unique=True),
    }
    if name in codes:
        return codes[name]
    # Each text says whose it is, so that one that leaves where it must not is found.
    text = st.text(st.characters(codec="utf-8"), max_size=12).map(lambda drawn: f"<{name}>{drawn}")
    return {"date": st.dates().map(str), "list": st.lists(text, max_size=3)}.get(kind, text)


def details() -> st.SearchStrategy[dict[str, Any]]:
    """Details with everything that the bundled mappings need, and any of the rest."""
    every = {name: _detail(name, field.kind) for name, field in SHARED_FIELDS.items()}
    return st.fixed_dictionaries(
        {name: every[name] for name in NEEDED},
        optional={name: each for name, each in every.items() if name not in NEEDED},
    )


_codes = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26)


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """Any `referral.made` event that both bundled mappings take."""
    event = json.loads(SAMPLE)
    case = f"c-{draw(_codes)}"
    event |= {"id": f"evt-{draw(_codes)}", "subject": case}
    event["time"] = f"{draw(st.datetimes()).replace(microsecond=0).isoformat()}Z"
    event["data"] = {"case": case, "referral": draw(_codes), "details": draw(details())}
    return json.dumps(event, ensure_ascii=False).encode()
