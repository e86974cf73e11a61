"""A row as an MLflow run."""

from typing import Any

from benchmarks.quality.results import KEY, Row

EXPERIMENT = "hdm/quality-benchmark"
WORDS = (*KEY, "device", "threads", "commit", "canvas", "fit", "notes")


def log_row(uri: str, row: Row) -> None:
    """One run: what was done as parameters, figures as metrics, the whole row as a file."""
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=f"{row['method']} {row['set']} {row['seed']}"):
        mlflow.log_params({name: row[name] for name in WORDS if name != "notes"} | row["notes"])
        mlflow.log_metrics(figures({k: v for k, v in row.items() if k not in WORDS}))
        mlflow.log_dict(row, "row.json")


def figures(content: Any, name: str = "") -> dict[str, float]:
    """Every number below `content` by its dotted name; what is None is left out."""
    if isinstance(content, dict):
        nested = [figures(value, f"{name}.{key}" if name else key)
                  for key, value in content.items()]
        return {key: value for part in nested for key, value in part.items()}
    if isinstance(content, list):
        return figures(dict(zip(("low", "high"), content, strict=True)), name)
    return {} if content is None else {name: float(content)}
