"""Stage validate: what is written when a line passes, and what is left alone when it stops."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from hdm.dataset.aside import LEFT_ASIDE
from hdm.dataset.file_walk import HIDDEN
from hdm.dataset.images import pixel_hash
from hdm.dataset.manifest import Manifest, Row
from hdm.errors import DataError, HDMError, ValidationFailed
from hdm.files import write_json
from hdm.line import Line
from hdm.pipelines import ProductLine, Source
from hdm.settings import Params
from hdm.stage_run import NoRun

PARAMS = Params.model_validate(
    {"validate": {"minimum_train": 6, "minimum_calibration": 3, "minimum_test": 1}})


class Recorder(NoRun):
    """Keeps what a stage logs."""

    def __init__(self):
        self.metrics, self.tables, self.tags, self.artifacts = {}, {}, {}, []

    def log_metrics(self, metrics, step=None):
        self.metrics |= metrics

    def log_table(self, name, rows):
        self.tables[name] = list(rows)

    def set_tags(self, tags):
        self.tags |= tags

    def log_artifact(self, path, folder=None):
        assert Path(path).exists()
        self.artifacts.append((Path(path).name, folder))


@pytest.fixture
def line(tmp_path):
    """A line of 12 images with its manifest."""
    entry = ProductLine(source=Source(path="source"))
    line = Line("plates", tmp_path / "project", entry, PARAMS)
    rng = np.random.default_rng(3)
    rows = []
    for index in range(12):
        split = "train" if index < 6 else "calibration" if index < 9 else "test"
        pixels = rng.integers(90, 160, (40, 48), dtype=np.uint8)
        path = f"good/{index:02d}.png"
        file = line.source_root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
        rows.append(Row(path, split, 0, "good", None, path, 48, 40, 1, 8, 8, pixel_hash(pixels)))
    Manifest.of(rows, line.source_root).save(line.manifest_file)
    noted(line, {"Thumbs.db": HIDDEN})
    return line


def noted(line, aside):
    """What ingest leaves beside the manifest."""
    write_json(line.stage_folder("ingest") / LEFT_ASIDE, aside)
    write_json(line.stage_folder("ingest") / "split_table.json", {"warnings": ["a <note>."]})


def run_stage(line, recorder=None):
    from hdm.stages.validate import run
    text = io.StringIO()
    run(line, PARAMS, recorder or NoRun(), Console(file=text, width=140))
    return text.getvalue()


def content(folder):
    return {str(file.relative_to(folder)): file.read_bytes()
            for file in sorted(folder.rglob("*")) if file.is_file()}


def test_a_good_line_writes_its_outputs(line):
    printed = run_stage(line)
    folder = line.stage_folder("validate")
    assert set(content(folder)) == {"verdict.json", "statistics.parquet", "docs/index.html",
                                    "docs/expectations.html"}
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["passed"] is True and verdict["images"] == 12
    assert verdict["strictness"] == "standard"
    assert all(expectation["passed"] for expectation in verdict["expectations"])
    statistics = pd.read_parquet(folder / "statistics.parquet")
    assert list(statistics["path"]) == [f"good/{index:02d}.png" for index in range(12)]
    assert "decodable" in printed and "failed" not in printed and "warning" not in printed
    assert not (line.folder / "rejected").exists() or not any(
        (line.folder / "rejected").rglob("*.html"))


def test_the_same_data_give_the_same_bytes(line):
    run_stage(line)
    first = content(line.stage_folder("validate"))
    shutil.rmtree(line.stage_folder("validate"))
    run_stage(line)
    assert content(line.stage_folder("validate")) == first


def test_a_bad_line_stops_and_the_last_good_outputs_stay(line):
    run_stage(line)
    before = content(line.folder / "validate")
    (line.source_root / "good/04.png").write_text("hello")
    with pytest.raises(ValidationFailed) as caught:
        run_stage(line)
    assert content(line.folder / "validate") == before
    message = str(caught.value)
    page = line.folder / "rejected" / "validate" / "docs" / "index.html"
    assert message.startswith("plates: ") and "\n" not in message
    assert "good/04.png" in message and "replace or remove" in message and str(page) in message
    assert caught.value.exit_code != 0
    assert "good/04.png" in page.read_text(encoding="utf-8")
    assert json.loads((page.parents[1] / "verdict.json").read_text())["passed"] is False
    assert not list(line.folder.rglob("*.tmp"))


def test_a_first_bad_run_makes_no_output_folder(line):
    (line.source_root / "good/04.png").unlink()
    with pytest.raises(ValidationFailed, match=r"good/04\.png"):
        run_stage(line)
    assert not line.stage_folder("validate").exists()


def test_once_mended_the_rejection_is_gone(line):
    file = line.source_root / "good/04.png"
    pixels = file.read_bytes()
    file.write_bytes(b"")
    with pytest.raises(ValidationFailed):
        run_stage(line)
    file.write_bytes(pixels)
    run_stage(line)
    assert not (line.folder / "rejected" / "validate").exists()


def test_warnings_are_shown_and_do_not_stop_the_line(line):
    frame = Manifest.load(line.manifest_file, line.source_root)
    rows = [row for row in frame if row.path != "good/11.png"]
    pixels = np.full((40, 48), 120, np.uint8)
    Image.fromarray(pixels).save(line.source_root / "good/11.png")
    rows.append(Row("good/11.png", "test", 0, "good", None, "11", 48, 40, 1, 8, 8,
                    pixel_hash(pixels)))
    Manifest.of(rows, line.source_root).save(line.manifest_file)
    noted(line, {"loose.png": "an image outside good/", "Thumbs.db": HIDDEN})
    printed = run_stage(line)
    for code in ("not_blank", "all_used"):
        assert any(code in text and "warning" in text and " 1 " in text
                   for text in printed.splitlines())
    docs = (line.stage_folder("validate") / "docs/index.html").read_text()
    assert "a &lt;note&gt;." in docs and "loose.png" in docs and "Thumbs.db" not in docs
    assert '<img src="data:image/png;base64,' in docs


def test_good_and_bad_outcomes_are_logged(line):
    good, bad = Recorder(), Recorder()
    run_stage(line, good)
    (line.source_root / "good/04.png").write_text("hello")
    with pytest.raises(ValidationFailed):
        run_stage(line, bad)
    assert good.metrics == {"validate_images": 12, "validate_critical": 0,
                            "validate_warnings": 0}
    assert bad.metrics["validate_critical"] == 1
    assert (good.tags["validation"], bad.tags["validation"]) == ("passed", "failed")
    for recorder in (good, bad):
        assert recorder.artifacts == [("verdict.json", "validate"),
                                      ("statistics.parquet", "validate"),
                                      ("docs", "validate/docs")]
        assert {row["expectation"] for row in recorder.tables["validation"]} > {"decodable"}


def test_a_missing_manifest_is_one_clear_error(line):
    line.manifest_file.unlink()
    with pytest.raises(DataError, match="run the ingest stage"):
        run_stage(line)


def test_nothing_is_half_written_when_writing_fails(line, monkeypatch):
    run_stage(line)
    before = content(line.stage_folder("validate"))

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(HDMError, match="No space left"):
        run_stage(line)
    assert content(line.stage_folder("validate")) == before
    assert not list(line.folder.rglob("*.tmp"))
