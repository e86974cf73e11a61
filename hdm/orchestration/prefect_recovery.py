"""Runs whose process died with its worker or its machine: Prefect would call them Running for ever.

Every run of a deployment gives a sign of life each HEARTBEAT seconds. An automation of the server
waits for it and marks a run that is silent for SILENCE seconds as Crashed. A run that was only cut
off from the server ends as it would have, once the server is back. One that a worker took and that
was not heard of again is asked for again by a second automation.
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
    """The automation for runs that have begun."""
    return _when_silent(NAME, {"prefect.flow-run.Running", "prefect.flow-run.heartbeat"}, seconds,
                        ChangeFlowRunState(
        state=StateType.CRASHED, name="Crashed",
        message=f"No sign of life for {seconds} seconds: its worker or its machine is gone. "
                "Nothing is lost; run the line again and it continues where it stood."))


def never_begun(seconds: int = SILENCE) -> Automation:
    """The automation for runs that a worker took and that were not heard of again."""
    return _when_silent(TAKEN, {"prefect.flow-run.Pending"}, seconds, ChangeFlowRunState(
        state=StateType.SCHEDULED, name="AwaitingRetry",
        message="Its worker was not heard of after it took the run; it begins again."))


def automations() -> list[Automation]:
    """All that a server is to have."""
    return [watch(), never_begun()]


def _when_silent(name: str, after: set[str], seconds: int, action: ChangeFlowRunState
                 ) -> Automation:
    return Automation(
        name=name, description=BY,
        trigger=EventTrigger(
            after=after, expect={"prefect.flow-run.*"},
            match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
            match_related=_ours(), for_each={"prefect.resource.id"},
            posture=Posture.Proactive, threshold=1, within=timedelta(seconds=seconds)),
        actions=[action])


def _ours() -> ResourceSpecification:
    return ResourceSpecification({"prefect.resource.role": "flow",
                                  "prefect.resource.name": [RETRAIN, MONITOR]})


def put(automation: Automation) -> None:
    """Make the automation on the server, or replace the one of its name."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        for earlier in client.read_automations_by_name(automation.name):
            client.delete_automation(earlier.id)
    automation.create()
