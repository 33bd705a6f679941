"""Looks into what the stages of `.ci/run` left behind: the test report, the demo's totals, an intake's totals.

Usage: check.py tests REPORT... | demo DEMO.json | intake INTAKE.json JOURNAL.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

# What the bundled manifests hold (EXPECTED.json beside them).
REJECTED = 33
LISTED_AGAIN = 56
REGISTERED_AND_WAITING = 5_723
# 1 January to 31 July 2024.
NIGHTS = 213


def tests(*reports: str) -> str:
    """Fails when nothing was collected, or when PostgreSQL's tests did not run or were skipped."""
    found = [list(ElementTree.parse(report).getroot().iter("testcase")) for report in reports]  # noqa: S314 (our own)
    check(all(found), "a report has no test")
    cases = [case for each in found for case in each]
    on_postgres = [case for case in cases if case.find("./properties/property[@value='postgres']") is not None]
    skipped = [case for case in cases if case.find("./skipped[@type='pytest.skip']") is not None]
    check(len(on_postgres) >= 50, f"only {len(on_postgres)} tests ran on PostgreSQL")
    for case in skipped:
        check(
            "postgres" not in f"{case.get('name')} {case.find('skipped').get('message')}".lower(), "PostgreSQL skipped"
        )
    return f"{len(cases)} tests, {len(on_postgres)} of them on PostgreSQL, {len(skipped)} skipped"


def intake(intake_file: str, journal_file: str) -> str:
    """Fails when the bundled manifests were not read as they must be, or the journal is not whole."""
    totals, journal = load(intake_file), load(journal_file)
    check(totals["rejected"] == REJECTED, f"{totals['rejected']} rows rejected, expected {REJECTED}")
    check(totals["already_known"] == LISTED_AGAIN, f"{totals['already_known']} listed again, expected {LISTED_AGAIN}")
    check(
        totals["registered"] + totals["waiting"] == REGISTERED_AND_WAITING,
        f"{totals['registered']} registered and {totals['waiting']} waiting",
    )
    check(journal["cases"] == totals["registered"], f"{journal['cases']} cases for {totals['registered']} people")
    check(not journal["broken"], f"the journal is broken: {journal['broken']}")
    return (
        f"{totals['registered']} registered, {totals['waiting']} waiting, {totals['rejected']} rejected, journal whole"
    )


def demo(file: str) -> str:
    """Fails when the demonstration missed a row or a night, or counts otherwise from another side."""
    summary = load(file)
    manifests, nights = summary["manifests"], summary["nights"]
    check(manifests["rejected"] == REJECTED, f"{manifests['rejected']} rows rejected, expected {REJECTED}")
    check(manifests["already_known"] == LISTED_AGAIN, f"{manifests['already_known']} listed again")
    check(manifests["registered"] + manifests["waiting"] == REGISTERED_AND_WAITING, "people are missing")
    check(all(summary["reconciled"].values()), f"the counts do not agree: {summary['reconciled']}")
    check(nights["done"] == NIGHTS, f"{nights['done']} nights of {NIGHTS}")
    return f"{summary['returnees']['total']} cases, {nights['done']} nights, {summary['wall_seconds']} s"


def check(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(f"FAILED: {otherwise}")


def load(path: str) -> Any:
    return json.loads(Path(path).read_text())


if __name__ == "__main__":
    kind, *files = sys.argv[1:]
    print({"tests": tests, "demo": demo, "intake": intake}[kind](*files))
