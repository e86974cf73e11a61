"""What a flow run shows in Prefect: the AUROC table, the gate's decision, the POM funnel, links."""

import re
from typing import Any

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from flows.stage import REJECTED, StageFailed
from hdm.line import Line
from hdm.orchestration.line_summary import NOTHING, Summary, report_file
from hdm.registry.mlflow_uris import pages, run_page, version_page

METRICS = ("image_auroc", "pixel_auroc", "recall", "false_alarm_rate", "image_ap", "pixel_ap",
           "aupro", "image_f1", "threshold")


def key(line: str, what: str) -> str:
    """A key that Prefect accepts: lower case, digits and dashes."""
    return re.sub(r"[^a-z0-9-]", "-", f"hdm-{line}-{what}".lower())


def decision(line: Line) -> dict[str, Any]:
    """The gate's decision as the flow returns it; 'completed' where the gate has not spoken."""
    summary = Summary.load(line)
    name = summary.decision or "completed"
    version = f"version {summary.version} " if summary.version else ""
    reasons = f": {' '.join(summary.reasons)}" if summary.reasons else ""
    return {"line": line.name, "decision": name, "version": summary.version,
            "reasons": list(summary.reasons), "metrics": summary.metrics,
            "sentence": f"{line.name}: {version}{name}{reasons}"}


def publish_results(line: Line) -> None:
    """Everything about a run that went through."""
    summary = Summary.load(line)
    create_table_artifact(key=key(line.name, "auroc"), table=metric_rows(summary),
                          description=f"Quality of {line.name}, version "
                                      f"{summary.version or NOTHING}, on its test images")
    create_markdown_artifact(key=key(line.name, "gate"), markdown=gate_text(summary),
                             description=f"Gate decision of {line.name}")
    create_markdown_artifact(key=key(line.name, "funnel"), markdown=funnel_text(summary),
                             description=f"Synthetic defects of {line.name}: what POM kept")
    publish_links(line, summary)


def publish_failure(line: Line, error: StageFailed) -> None:
    """Why a run stopped, with the last lines of output and the MLflow run as far as it got."""
    create_markdown_artifact(key=key(line.name, "failure"), markdown=failure_text(error),
                             description=f"Why the run of {line.name} stopped")
    publish_links(line, Summary.load(line))


def publish_look(line: Line, record: dict[str, Any]) -> None:
    """What a look for drift found: the finding first, then every figure that is watched."""
    create_markdown_artifact(key=key(line.name, "monitor"), markdown=look_text(line, record),
                             description=f"Drift of {line.name}")
    if record["streams"]:
        create_table_artifact(key=key(line.name, "drift"), table=drift_rows(record),
                              description=f"What is watched on {line.name}")


def publish_links(line: Line, summary: Summary) -> None:
    """The MLflow run and model version as links, all addresses on one page."""
    addresses = links(summary)
    for name, address in addresses.items():
        create_link_artifact(key=key(line.name, name.replace(" ", "-")), link=address,
                             link_text=f"{line.name}: {name}")
    rows = [f"- [{name}]({address})" for name, address in addresses.items()]
    if report_file(line).is_file():
        rows.append(f"- report: `{report_file(line)}` (or `hdm report {line.name} --trained`)")
    if rows:
        create_markdown_artifact(key=key(line.name, "links"), markdown="\n".join(rows),
                                 description=f"Links of {line.name}")


def links(summary: Summary) -> dict[str, str]:
    """Addresses of the pages in MLflow that the run is about."""
    found = {}
    if summary.run_id:
        found["mlflow run"] = run_page(summary.experiment, summary.run_id, pages())
    if summary.version:
        found["model version"] = version_page(f"hdm-{summary.line}", summary.version, pages())
    return found


def metric_rows(summary: Summary) -> list[dict[str, str]]:
    """One row a metric: value, interval, and why there is none or what was counted."""
    told = summary.detection
    counts = {"recall": told.defects.counts(), "false_alarm_rate": told.good.counts()} \
        if told else {}
    return [{"metric": name, "value": summary.show(name), "interval": summary.show_interval(name),
             "note": str(summary.undefined.get(name, "") or counts.get(name, ""))}
            for name in METRICS]


def drift_rows(record: dict[str, Any]) -> list[dict[str, str]]:
    """One row a stream of a record of `hdm monitor`; evidence as decimal logarithm."""
    return [{"figure": stream["name"], "now": _figure(stream["level"]),
             "calibration": _figure(stream["expected"]),
             "strongest evidence (log10)": f"{stream['highest']:.2f}",
             "alarm at (log10)": f"{stream['limit']:.2f}",
             "finding": stream["says"] or "no change"} for stream in record["streams"]]


def look_text(line: Line, record: dict[str, Any]) -> str:
    """The finding, how it was come to, and where the page is."""
    watched = f"{record['images']:,} images were looked at. " if record["images"] else ""
    return (f"# {record['state'].capitalize()}\n\n{record['sentence']}\n\n{watched}"
            f"Trends: `{line.monitor_folder / 'index.html'}`\n")


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"


def gate_text(summary: Summary) -> str:
    """The decision and each of its reasons as Markdown."""
    reasons = [f"- {reason}" for reason in summary.reasons] or ["- no reasons were stored"]
    return "\n".join([
        f"# {summary.decision or 'no decision'}", "",
        f"Model `hdm-{summary.line}`, version {summary.version or NOTHING}; image AUROC "
        f"{summary.show('image_auroc')}, pixel AUROC {summary.show('pixel_auroc')}.", "", *reasons])


def funnel_text(summary: Summary) -> str:
    """How many synthetic defects went in, where they were lost, and what is trained on."""
    reasons = summary.funnel.get("reasons") or {}
    rows = [f"| {code} | {entry.get('count', '')} | {entry.get('meaning', '')} |"
            for code, entry in reasons.items() if isinstance(entry, dict)]
    if not rows:
        return "No funnel was stored."
    shares = [f"| {source} | {share:.0%} |"
              for source, share in (summary.funnel.get("shares") or {}).items()]
    heading = ["", "| source | share of training |", "|---|---|"] if shares else []
    return "\n".join([f"# {summary.funnel.get('candidates', '?')} candidates", "",
                      "| reason | samples | meaning |", "|---|---|---|", *rows, *heading, *shares])


def failure_text(error: StageFailed) -> str:
    """The reason first, then what was printed last."""
    what = ("The images were rejected before anything was trained on them; the last good outputs "
            "and the registry are as they were." if error.outcome == REJECTED else
            "The stage did not finish; running the line again continues where it stopped.")
    output = "\n".join(error.tail).replace("```", "'''")
    return (f"# {error.outcome}: {error.stage} of {error.line}\n\n{error.sentence}\n\n{what}\n\n"
            f"Last output:\n\n```\n{output}\n```\n")
