"""A person's word before a model becomes champion: the run pauses and asks for it."""

import sys

from prefect.context import FlowRunContext
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput

from hdm.errors import HDMError
from hdm.files import read_json
from hdm.line import Line
from hdm.orchestration import child_process
from hdm.registry.history import receipt_file

CODE = "needs_approval"
POLL = 5  # seconds
PATIENCE = 24 * 3600
"""Seconds; later, the model stays held and `hdm promote` approves it."""


class Approval(RunInput):
    """What the person fills in on the run's page."""

    approve: bool = False
    name: str = ""
    why: str = ""


def asked(line: Line) -> bool:
    """Whether the gate left the last word to a person."""
    file = receipt_file(line)
    reasons = read_json(file).get("reasons", ()) if file.is_file() else ()
    return any(reason.get("code") == CODE for reason in reasons)


def deployed() -> bool:
    """Whether this run was asked for through a deployment, so that it has a page to answer on."""
    run = FlowRunContext.get()
    return bool(run and run.flow_run and run.flow_run.deployment_id)


def ask(line: Line) -> bool:
    """Pause this run until a person has answered; promote if the answer is yes.

    Returns whether the model was promoted. Runs outside a deployment do not pause, as nobody would
    see the question; the model then stays held. Raises HDMError if the promotion fails.
    """
    if not deployed():
        return False
    version = str(read_json(receipt_file(line))["version"])
    question = (f"Version {version} of {line.model_name} passed the gate. Shall it become "
                "champion? Its figures are in this run's artifacts.")
    try:
        answer = pause_flow_run(wait_for_input=Approval.with_initial_data(question),
                                timeout=PATIENCE, poll_interval=POLL)
    except FlowPauseTimeout:
        return False
    if not answer.approve:
        return False
    command = [sys.executable, "-m", "hdm", "promote", line.name, version, "--why",
               f"{answer.why or 'approved'} ({answer.name or 'no name given'})"]
    with child_process.running(command, line.project) as process:
        if process.wait():
            raise HDMError(f"version {version} of {line.name} was approved but could not be made "
                           f"champion; `hdm promote {line.name} {version}` tries again.")
    return True
