"""Asks the Prefect server which flows ran and how the runs ended. Imported when Prefect's environment is set."""

from __future__ import annotations

from collections import Counter

from prefect.client.orchestration import get_client

_PAGE = 200


async def count_runs() -> dict[str, dict[str, int]]:
    """Runs of each flow by the name of the state that they are in."""
    counts: dict[str, Counter[str]] = {}
    async with get_client() as client:
        names = {flow.id: flow.name for flow in await client.read_flows()}
        offset = 0
        while runs := await client.read_flow_runs(limit=_PAGE, offset=offset):
            for run in runs:
                counts.setdefault(names[run.flow_id], Counter())[run.state_name or "?"] += 1
            offset += len(runs)
    return {name: dict(states) for name, states in sorted(counts.items())}
