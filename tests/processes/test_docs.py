"""The documentation says what the code does: every setting is described, with its default, and none is invented."""

from __future__ import annotations

import re
from pathlib import Path

from models.settings import describe_settings

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(SEGIN_\w+)` \| (?:`([^`]*)` )?\| (.+) \|$", re.MULTILINE)


def test_each_setting_is_documented_with_its_default_and_nothing_else_is() -> None:
    documented = ROW.findall((ROOT / "docs" / "settings.md").read_text())
    assert documented == list(describe_settings())
