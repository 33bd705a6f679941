"""What of a published schema may not change: anything but its words, and fields that are added and may be missing.

Two things must stay true of a version. Every event that was ever sent in it is valid by the schema as it is today:
its bytes stay as they are, and its `dataschema` leads here. And every event that is sent from now on is valid by the
schema as a partner once copied it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

WORDS = frozenset({"$comment", "title", "description", "examples", "deprecated", "default"})
COMPARED_APART = frozenset({"properties", "required", "items"})


def breaking_changes(old: Any, new: Any, path: str = "event") -> list[str]:
    """One sentence for each change that breaks somebody, with the path of the field; none when there is none."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [] if old == new else [f"{path}: {old!r} became {new!r}"]
    return [*_rules(old, new, path), *_fields(old, new, path)]


def _rules(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[str]:
    for rule in sorted((old.keys() | new.keys()) - WORDS - COMPARED_APART):
        was, is_now = old.get(rule), new.get(rule)
        if rule == "enum" and was is not None and is_now is not None:
            was, is_now = sorted(was, key=repr), sorted(is_now, key=repr)
        if was != is_now:
            yield f"{path}: {rule} was {was!r}, is {is_now!r}"


def _fields(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
    yield from (f"{path}.{name}: removed" for name in before.keys() - after.keys())
    yield from (f"{path}.{name}: added, and required" for name in needed - needed_before - before.keys())
    yield from (f"{path}.{name}: was optional, is required" for name in (needed - needed_before) & before.keys())
    yield from (f"{path}.{name}: was required, is optional" for name in (needed_before - needed) & after.keys())
    for name in before.keys() & after.keys():
        yield from breaking_changes(before[name], after[name], f"{path}.{name}")
    if "items" in old or "items" in new:
        yield from breaking_changes(old.get("items"), new.get("items"), f"{path}[]")
