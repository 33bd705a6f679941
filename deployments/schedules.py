"""The flows as deployments: what a coordinator can start from Prefect's pages, and when the night begins.

The worker registers them each time that it reaches a server, and serves them. Only the nightly flow has a schedule: the
server keeps it, so a night whose hour passed while the worker was away begins when it is back. The dispatch of
transitions and the urgent deadlines are always on in the worker's own loop, where a run costs a tenth of a second;
started from here they run in a process of their own.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.runner import Runner
from prefect.schedules import Cron, Schedule
from prefect.types.entrypoint import EntrypointType

from flows.deadlines import deadlines
from flows.dispatch import dispatch
from flows.intake import intake
from flows.nightly import nightly
from models.settings import Settings

NAME: Final = "segin"
NIGHTLY: Final = f"nightly/{NAME}"
"""The nightly deployment, as Prefect names it."""


async def served_deployments(settings: Settings) -> list[RunnerDeployment]:
    """The deployments, by module path: a file path would put the flow's folder first on `sys.path`."""
    night = Cron(f"0 {settings.nightly_hour} * * *", timezone=str(settings.timezone), slug="night")
    return [
        await _deployment(intake, "Take in one arrival manifest, or a folder of them."),
        await _deployment(dispatch, "Carry out what transitions left behind; the worker does it by itself."),
        await _deployment(deadlines, "Sweep the urgent deadlines; the worker does it by itself."),
        await _deployment(nightly, "The night's work, for every night that is missing.", night),
    ]


async def register(runner: Runner, settings: Settings) -> None:
    """Register the deployments and let the runner serve them. Registering them again changes nothing."""
    for deployment in await served_deployments(settings):
        await runner.aadd_deployment(deployment)


async def _deployment(flow: Flow[Any, Any], description: str, schedule: Schedule | None = None) -> RunnerDeployment:
    deployment = await flow.ato_deployment(
        NAME,
        description=description,
        version=version("segin"),
        entrypoint_type=EntrypointType.MODULE_PATH,
        schedule=schedule,
    )
    # By way of the module that sets up the logging of the new process.
    deployment.entrypoint = f"deployments.served.{flow.name}"
    return deployment
