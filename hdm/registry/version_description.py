"""What a model version's page in MLflow says: what it is, how good, why it was promoted or not,
from which data and code it comes, and how to get it."""

from collections.abc import Iterable

from hdm.registry.decision_record import TITLES, DecisionRecord
from hdm.registry.mlflow_uris import TEXT_LENGTH, model_uri, run_page
from hdm.registry.registered_files import BILL, SUMS

SPACE = "&emsp;"  # MLflow draws tables without any between their columns
VERDICTS = {"promote": "Promoted", "hold": "Held", "refuse": "Refused"}


def describe(record: DecisionRecord, version: str, experiment_id: str, run_id: str) -> str:
    """Markdown that fits MLflow's limit. What did not decide goes first where it is too long."""
    deciding = record.decision.deciding
    by_worth = (*deciding, *(r for r in record.decision.reasons if r not in deciding))
    for kept in range(len(by_worth), -1, -1):
        reasons = [r.sentence for r in record.decision.reasons if r in by_worth[:kept]]
        text = "\n".join([*_head(record), *_list(reasons), "",
                          *_figures(record), "", *_origin(record, experiment_id, run_id), "",
                          *_use(record, version)])
        if len(text) <= TEXT_LENGTH:
            break
    return text[:TEXT_LENGTH]


def _head(record: DecisionRecord) -> list[str]:
    line = record.line
    what = f" · {line.entry.description}" if line.entry.description else ""
    title = VERDICTS.get(record.decision.outcome, record.decision.outcome)
    return [f"**{title}** · anomaly detector of the product line `{line.name}`{what}", ""]


def _list(sentences: Iterable[str]) -> list[str]:
    return [f"- {sentence}" for sentence in sentences]


def _figures(record: DecisionRecord) -> list[str]:
    settings, champion = record.settings, record.champion
    required = {"image_auroc": settings.minimum_image_auroc,
                "pixel_auroc": settings.minimum_pixel_auroc,
                "recall": settings.minimum_recall,
                "false_alarm_rate": settings.maximum_false_alarms}
    before = f"champion before (v{champion.version})" if champion else "champion before"
    rows = [f"| {title} | {_number(record.metrics.get(name))} | "
            f"{_number((record.champion_metrics or {}).get(name))} | "
            f"{_number(required.get(name))} |" for name, title in TITLES.items()]
    widest = max(TITLES.values(), key=len)
    return [f"| on the test split | this model{SPACE} | {before}{SPACE} | required |",
            "|---|---|---|---|", *(row.replace(widest, widest + SPACE) for row in rows)]


def _origin(record: DecisionRecord, experiment_id: str, run_id: str) -> list[str]:
    learned = f", {record.training.images:,} images learned from" if record.training else ""
    return [f"**From** data `{record.data_hash[:12]}`{learned} · test set "
            f"`{record.test_set or 'unnamed'}` · code `{record.commit[:12] or 'unknown'}` · "
            f"threshold {_number(record.metrics.get('threshold'))} · detector "
            f"`{record.fingerprint[:12]}`. Its [retrain run]({run_page(experiment_id, run_id)}) "
            "has the data sets, every picture's result, curves, report and `dvc.lock`; every file "
            f"of the model is in its `{SUMS}`, licences and libraries in `{BILL}`."]


def _use(record: DecisionRecord, version: str) -> list[str]:
    name, address = record.line.name, model_uri(record.line.model_name, version)
    return ["**Use it**, or make it again and compare:", "", "```sh",
            f"hdm predict {name} FOLDER --version {version}",
            f"hdm report {name} --version {version}",
            f"hdm reproduce {address}", "```", "", "```python",
            f'mlflow.pyfunc.load_model("{address}")', "```"]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
