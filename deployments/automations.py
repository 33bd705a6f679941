"""The rule by which the Prefect server gives up on a run that fell silent: its process was killed, its state was not.

`deployments.worker` makes sure of it each time it reaches a server.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from deployments.environment import HEARTBEAT_SECONDS

NAME: Final = "segin: crash runs that fell silent"
SILENCE: Final = timedelta(seconds=3 * HEARTBEAT_SECONDS)


def silent_runs_crash(silence: timedelta = SILENCE) -> AutomationCore:
    """The automation: a run that says nothing for `silence` (at least 10 seconds) gets the state Crashed.

    A run killed before its first heartbeat counts too, since its start is an event of the server's own. The server
    refuses the change for a run that has ended, so a heartbeat that arrives after the end does no harm.
    """
    return AutomationCore(
        name=NAME,
        description="A run whose process was killed would otherwise stay Running for ever.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            after={"prefect.flow-run.Running", "prefect.flow-run.heartbeat"},
            # Anything that the run says: a heartbeat, or a last state whatever its name.
            expect={"prefect.flow-run.*"},
            threshold=1,
            within=silence,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message="No heartbeat: the process that ran it is gone.")],
    )


async def ensure_automation(client: PrefectClient, wanted: AutomationCore) -> None:
    """Make the server have this automation exactly once, as described; a second time changes nothing."""
    present = await client.read_automations_by_name(wanted.name)
    for superfluous in present[1:]:
        await client.delete_automation(superfluous.id)
    if not present:
        await client.create_automation(wanted)
    elif AutomationCore(**present[0].model_dump(include=set(AutomationCore.model_fields))) != wanted:
        await client.update_automation(present[0].id, wanted)
