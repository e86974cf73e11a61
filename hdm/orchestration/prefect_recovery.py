"""Runs whose process died with its worker or its machine: Prefect would call them Running for ever.

Every run of a deployment gives a sign of life each HEARTBEAT seconds. An automation of the server
waits for it and asks for a run that is silent for SILENCE seconds once more, so that a free worker
takes it up where it stood; flows/taken_up.py says how often, flows/line_claim.py what becomes of a
process that was only cut off. A run that a worker took and that was not heard of again is asked
for once more by a second automation.
"""

from datetime import timedelta

from prefect.automations import Automation
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from hdm.orchestration.prefect_yaml import MONITOR, RETRAIN

NAME = "hdm: a run without a sign of life has crashed"
TAKEN = "hdm: a run that was taken and never begun is asked for again"
BY = "Written by `hdm deployments apply`."
SILENCE = 300
"""Longer than a restart of the server takes, and several times HEARTBEAT."""


def watch(seconds: int = SILENCE) -> Automation:
    """The automation for runs that have begun. Prefect only sends a run of a deployment to a
    worker again, so lines of `all` are left to `all`."""
    return _when_silent(NAME, {"prefect.flow-run.Running", "prefect.flow-run.heartbeat"}, seconds,
                        f"No sign of life for {seconds} seconds: its worker or its machine is "
                        "gone. Nothing is lost; a free worker takes it up where it stood.")


def never_begun(seconds: int = SILENCE) -> Automation:
    """The automation for runs that a worker took and that were not heard of again."""
    return _when_silent(TAKEN, {"prefect.flow-run.Pending"}, seconds,
                        "Its worker was not heard of after it took the run; it begins again.")


def automations(seconds: int = SILENCE) -> list[Automation]:
    """All that a server is to have."""
    return [watch(seconds), never_begun(max(seconds, SILENCE))]


def _when_silent(name: str, after: set[str], seconds: int, message: str) -> Automation:
    return Automation(
        name=name, description=BY,
        trigger=EventTrigger(
            after=after, expect={"prefect.flow-run.*"},
            match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
            match_related=[
                ResourceSpecification({"prefect.resource.role": "flow",
                                       "prefect.resource.name": [RETRAIN, MONITOR]}),
                ResourceSpecification({"prefect.resource.role": "deployment"})],
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive, threshold=1, within=timedelta(seconds=seconds)),
        actions=[ChangeFlowRunState(state=StateType.SCHEDULED, name="AwaitingRetry",
                                    message=message)])


def put(automation: Automation) -> None:
    """Make the automation on the server, or replace the one of its name."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        for earlier in client.read_automations_by_name(automation.name):
            client.delete_automation(earlier.id)
    automation.create()
