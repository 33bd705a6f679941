"""What the hash of a journal row covers, and which values can be journalled at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from states.chain import GENESIS, note_digest, row_hash, storable


def test_the_hash_is_fixed_for_ever() -> None:
    """Journals are kept for years: another way of hashing would make every one of them look broken."""
    values = (
        *(7, 2, "2024-01-08T08:00:00.000000Z", "confirm_arrival", "registered", "arrived", 3, "case_worker", None),
        *(None, {"é": [1, True, None], "a": {"z": "\u2028", "b": ""}}, 1, "command", "correlation", GENESIS),
    )
    assert row_hash(values) == "08995395236ed3b256e44d463ab341a37ae2cdc354166f3269d299e3d1a75ccd"
    assert note_digest("command", "une note") == "890e59b4883ab2871cf7a6a793e77bc3c474200be04ad73bf40f1e9cae13cb3c"
    assert note_digest("command", None) is None


@pytest.mark.parametrize("value", ["é\u2028😀", 0, -(2**63), True, None, [], {"a": [{"b": "c"}]}, ("x",)])
def test_plain_values_can_be_stored(value: object) -> None:
    assert storable(value)


@pytest.mark.parametrize(
    "value", [0.5, "\0", ["\udcff"], {1: "a"}, {"\0": 1}, 2**63, datetime(2024, 1, 8, tzinfo=UTC), {"a": {"b": 1.0}}]
)
def test_other_values_cannot(value: object) -> None:
    assert not storable(value)
