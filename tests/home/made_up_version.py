"""Files of a version as an evaluation leaves them, small and made up."""

import pandas as pd

from hdm.detector.operating_point import OperatingPoint
from hdm.evaluation.stopped_parts import count_stopped
from hdm.files import write_json
from hdm.home.version_files import VersionFiles
from hdm.registry.history import VersionRecord

ROWS = (  # path, type, part, score
    ("good/a.png", "good", "a", 0.1), ("good/b.png", "good", "b", 0.4),
    ("good/c.png", "good", "c", 0.9), ("dent/d.png", "dent", "d", 0.25),
    ("dent/e.png", "dent", "e", 0.8), ("dent/e2.png", "dent", "e", 0.2),
    ("spot/f.png", "spot", "f", 2.0))
CURVE = ((0.05, 0.75, 0.0), (0.35, 0.5, 0.25), (0.85, 0.25, 0.5))


def evaluated(folder, version=1, threshold=0.35, rows=ROWS, unsure=(), test_set="test-1",
              aliases=()):
    """A version whose threshold is given; unsure: paths that it called undecidable."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame([
        {"path": path, "label": int(kind != "good"), "defect_type": kind, "group": part,
         "score": score, "p_value": 0.5, "probability": 0.5,
         "decision": "undecidable" if path in unsure else
         "defect" if score > threshold else "good",
         "reasons": "too_dark" if path in unsure else ""} for path, kind, part, score in rows])
    frame.to_parquet(folder / "scores.parquet")
    pd.DataFrame(CURVE, columns=["threshold", "false_alarm_rate", "escape_rate"]).assign(
        cost=float("nan")).to_csv(folder / "operating_curve.csv", index=False)
    detection = count_stopped(frame.to_dict("records"), 0.95)
    write_json(folder / "detection.json", detection.as_dict())
    write_json(folder / "metrics.json", {"image_auroc": 0.75})
    write_json(folder / "intervals.json", {"image_auroc": {"low": 0.5, "high": 1.0}})
    write_json(folder / "test_set.json", {"name": test_set})
    OperatingPoint(threshold, 0.5, True, "rate", 0.25, None, 3, 0.5, 0.7, 0.5).save(
        folder / "operating_point.json")
    record = VersionRecord(version, "promote", (), aliases, 0, "run", {}, detection)
    return VersionFiles(record, folder)
