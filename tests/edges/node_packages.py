"""Programs in Node with packages of npm, for the tests that look at Segin from there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REQUIRE_NODE = "SEGIN_TEST_REQUIRE_NODE"


def installed(sources: Path, folder: Path) -> Path:
    """A copy of the program in `folder` with its packages. Skips without Node, unless the suite requires it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing = "node and npm are not installed (Debian: apt-get install nodejs npm)"
        if os.environ.get(REQUIRE_NODE) == "1":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    shutil.copytree(sources, folder, ignore=shutil.ignore_patterns("node_modules"))
    result = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return folder
