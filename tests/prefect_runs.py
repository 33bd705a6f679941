"""What the Prefect server knows of runs, asked through its API by the tests of the flows and of the processes."""

from __future__ import annotations

import asyncio
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowFilter,
    FlowFilterName,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.client.schemas.objects import Artifact, FlowRun, TaskRun

PATIENCE_SECONDS = 240


def run_of(flow_run_id: str | None) -> FlowRun:
    """The run with this id."""

    async def read() -> FlowRun:
        async with get_client() as client:
            return await client.read_flow_run(UUID(str(flow_run_id)))

    return asyncio.run(read())


def steps_of(flow_run_id: str | None, number: int) -> list[TaskRun]:
    """The task runs of a run, once `number` have ended: they arrive at the server a moment later."""

    async def read() -> list[TaskRun]:
        own = TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=[UUID(str(flow_run_id))]))
        async with get_client() as client:
            for _ in range(PATIENCE_SECONDS * 10):
                steps = await client.read_task_runs(task_run_filter=own)
                if len([step for step in steps if step.state is not None and step.state.is_final()]) >= number:
                    break
                await asyncio.sleep(0.1)
            return steps

    return asyncio.run(read())


def artifacts_of(flow_run_id: str | None) -> dict[str | None, Artifact]:
    """What the run left to be seen, by key; of each key the last."""

    async def read() -> dict[str | None, Artifact]:
        own = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(str(flow_run_id))]))
        async with get_client() as client:
            return {artifact.key: artifact for artifact in await client.read_artifacts(artifact_filter=own)}

    return asyncio.run(read())


def number_of_runs(flow_name: str) -> int:
    """How many runs of this flow there are."""

    async def read() -> int:
        async with get_client() as client:
            wanted = FlowFilter(name=FlowFilterName(any_=[flow_name]))
            return await client.count_flow_runs(flow_filter=wanted)

    return asyncio.run(read())
