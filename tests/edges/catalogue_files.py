"""The files that follow from the catalogue: the published schemas, frozen here, and the examples for partners.

COMMAND writes those that are missing or may change: examples, new versions, and versions that only got optional fields.
A version that changed otherwise is left as it was published, for its test to refuse.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edges.schema_changes import breaking_changes

from integrations.catalogue.examples import example
from integrations.catalogue.schemas import published, served_schema
from models.events import CATALOGUE

COMMAND = "PYTHONPATH=tests .venv/bin/python -m edges.catalogue_files"
PUBLIC_URL = "https://segin.example.org"
PUBLISHED = Path(__file__).parent / "published"
EXAMPLES = Path(__file__).parents[2] / "docs" / "partners" / "events"


def schema_file(event_type: str, version: int) -> Path:
    return PUBLISHED / event_type / f"{version}.json"


def example_file(event_type: str) -> Path:
    return EXAMPLES / f"{event_type}.json"


def written(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def write() -> None:
    for event_type, version in published():
        file, schema = schema_file(event_type, version), served_schema(PUBLIC_URL, event_type, version)
        if not file.exists() or not breaking_changes(json.loads(file.read_text()), schema):
            file.parent.mkdir(exist_ok=True)
            file.write_text(written(schema))
    for event_type in CATALOGUE:
        example_file(event_type).write_text(written(example(PUBLIC_URL, event_type)))


if __name__ == "__main__":
    write()
