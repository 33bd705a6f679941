"""A sender killed at each point of its work, again and again: nothing is lost, nothing overtakes, ids keep their bytes.

The process kills itself as kill -9 would, so that the point is exact.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from signal import SIGKILL

import pytest
from cloudevents.core.formats.json import JSONFormat
from edges.receivers.sink import Request, Sink
from edges.webhook_outbox import Clock, attempts, connect, deliveries, fill
from edges.webhook_sender_process import POINTS
from sqlalchemy import Engine

PROCESS = Path(__file__).with_name("webhook_sender_process.py")
CASES, EVENTS = 6, 5
KILLS = 2
NOTHING_SENT = POINTS[: POINTS.index("before send") + 1]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [1, 3], ids=["first", "third"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_a_sender_loses_and_reorders_nothing(
    engine: Engine, database_url: str, point: str, number: int
) -> None:
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=CASES, events=EVENTS)
        ends = []
        for _ in range(KILLS):
            ends.append(run(database_url, clock, point, number))
            if number == 1 and point in NOTHING_SENT:
                assert sink.requests == []
            clock.forward(minutes=3)  # beyond the lease
        assert run(database_url, clock, "-", 1) == 0
    assert ends[0] == -SIGKILL, "it never came to that point"
    assert set(ends) <= {-SIGKILL, 0}
    assert {row.status for row in deliveries(engine)} == {"delivered"}
    assert len({(row.delivery_id, row.number) for row in attempts(engine)}) == CASES * EVENTS
    assert_whole(sink.requests)


def run(database_url: str, clock: Clock, point: str, number: int) -> int:
    """The exit status of a sender; minus the signal, when one ended it."""
    command = [sys.executable, str(PROCESS), database_url, clock().isoformat(), point, str(number)]
    return subprocess.run(command, cwd=PROCESS.parents[2], timeout=120, check=False).returncode


def assert_whole(requests: list[Request]) -> None:
    """Each event came; once a later one of its case had come, none came again; the same id had the same bytes."""
    came: dict[str, list[int]] = defaultdict(list)
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for request in requests:
        event = JSONFormat().read(None, request.body)
        bodies[request.headers["webhook-id"]].add(request.body)
        assert event.get_id() == request.headers["webhook-id"]
        came[str(event.get_subject())].append(int(event.get_extension("sequence")))
    assert len(bodies) == CASES * EVENTS
    assert {len(each) for each in bodies.values()} == {1}, "the same id with other bytes"
    assert all(each == sorted(each) for each in came.values()), "an event overtook another of its case"
    assert [sorted(set(each)) for each in came.values()] == [list(range(1, EVENTS + 1))] * CASES
