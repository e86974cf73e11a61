"""`hdm operating-point`: by which rule a line's threshold is chosen."""

from typing import Annotated, Any

import typer

from hdm.commands import run_line
from hdm.commands.json_output import AsJson, print_json
from hdm.commands.line_name import LineName
from hdm.config import load_params
from hdm.errors import ConfigError
from hdm.evaluation.percent import percent
from hdm.line import Line
from hdm.model_settings import ThresholdRule
from hdm.orchestration.pipelines_file import set_key
from hdm.registry.decision_log import note
from hdm.terminal import say

KEYS = ("overrides", "evaluate", "operating_point")
COSTS = ("escape_cost", "false_reject_cost", "defect_rate")


def operating_point(
    line: LineName,
    false_alarms: Annotated[float | None, typer.Option(metavar="RATE", help=(
        "Share of good parts that may be called defective, such as 0.02."))] = None,
    escape_cost: Annotated[float | None, typer.Option(metavar="COST", help=(
        "Of a defective part that is called good; with the two below, in place of a rate."))
    ] = None,
    false_reject_cost: Annotated[float | None, typer.Option(metavar="COST", help=(
        "Of a good part that is called defective."))] = None,
    defect_rate: Annotated[float | None, typer.Option(metavar="RATE", help=(
        "Expected share of defective parts."))] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    run: Annotated[bool, typer.Option("--run", help=(
        "Then make the version that decides so, as `hdm run` does; nothing is trained."))] = False,
    as_json: AsJson = False,
) -> None:
    """Show by which rule a line's threshold is chosen, or set another one with a reason."""
    chosen = Line.load(line)
    costs = dict(zip(COSTS, (escape_cost, false_reject_cost, defect_rate), strict=True))
    stated: dict[str, Any] = {name: value for name, value in costs.items() if value is not None}
    if false_alarms is None and not stated:
        rule = chosen.params.evaluate.operating_point
        if as_json:
            print_json(rule.model_dump(mode="json"))
        else:
            say(f"{line}: {told(rule)}")
        return
    if false_alarms is not None and stated:
        raise ConfigError("expected a rate of false alarms or the three costs, received both.")
    if not why.strip():
        raise ConfigError("expected --why with the reason, for the record.")
    if false_alarms is not None:
        stated = {"false_alarm_rate": false_alarms}
        # Costs that all lines have by params.yaml would go before the rate.
        if load_params(chosen.project).evaluate.operating_point.costs:
            stated |= dict.fromkeys(COSTS)
    set_key(chosen.project, line, KEYS, stated)
    rule = Line.load(line, chosen.project).params.evaluate.operating_point
    note(chosen, "operating point", "", why, rule=rule.model_dump(mode="json"))
    say(f"{line}: {told(rule)}")
    if run:
        run_line.run(line)
    else:
        say(f"the next `hdm run {line}` makes a version that decides so; nothing is trained")


def told(rule: ThresholdRule) -> str:
    """The rule in words."""
    if rule.costs is None:
        return f"the threshold is set for false alarms on {percent(rule.false_alarm_rate)} of " \
               "good parts"
    escape, reject, rate = rule.costs
    return f"the threshold is the cheapest, where an escape costs {escape:g}, a false alarm " \
           f"{reject:g}, and {percent(rate)} of parts are defective"
