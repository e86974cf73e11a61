"""Runs whose process died with its worker or its machine: Prefect would call them Running for ever.

Every run of a deployment gives a sign of life each HEARTBEAT seconds. An automation of the server
waits for it and marks a run that is silent for SILENCE seconds as Crashed. A run that was only cut
off from the server ends as it would have, once the server is back. One that a worker could not
begin, as the server did not answer it at that moment, is asked for again by two others.
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
AGAIN = "hdm: a run that could not begin is asked for again"
NOT_BEGUN = "Failed to submit flow run to infrastructure: ConnectError"
"""What a worker of Prefect says of a run for which it has started no process."""
BY = "Written by `hdm deployments apply`."
_AGAIN = ChangeFlowRunState(
    state=StateType.SCHEDULED, name="AwaitingRetry",
    message="The server was away when a worker was to begin; it begins again.")
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
    return _when_silent(TAKEN, {"prefect.flow-run.Pending"}, seconds, _AGAIN)


def begin_again() -> Automation:
    """The automation for runs of which a worker said that it could not begin them; nothing was
    started, so nothing runs twice. A server that has just been started may miss what it says."""
    return Automation(
        name=AGAIN, description=BY,
        trigger=EventTrigger(
            expect={"prefect.flow-run.Crashed"},
            match=ResourceSpecification({
                "prefect.resource.id": "prefect.flow-run.*",
                "prefect.state-message": f"{NOT_BEGUN}*"}),
            match_related=_ours(), posture=Posture.Reactive, threshold=1),
        actions=[_AGAIN])


def automations() -> list[Automation]:
    """All that a server is to have."""
    return [watch(), never_begun(), begin_again()]


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
