"""Stage ingest: what it leaves on disk, prints and logs."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from hdm.dataset.frozen_set import write_frozen
from hdm.dataset.manifest import Manifest
from hdm.errors import ConfigError, DataError, HDMError
from hdm.ingest.build_manifest import ingest
from hdm.line import Line
from hdm.pipelines import ProductLine
from hdm.settings import Params
from hdm.stage_run import NoRun
from hdm.stages import configure
from hdm.stages import ingest as stage


class Recorder(NoRun):
    """Keeps what a stage logs."""

    def __init__(self):
        self.metrics, self.tables, self.files, self.tags = {}, {}, [], {}

    def log_metrics(self, metrics, step=None):
        self.metrics |= metrics

    def log_table(self, name, rows):
        self.tables[name] = rows

    def set_tags(self, tags):
        self.tags |= tags

    def log_artifact(self, path, folder=None):
        assert path.is_file()
        self.files.append(f"{folder}/{path.name}")


@pytest.fixture
def line(tmp_path):
    source = tmp_path / "camera"
    rng = np.random.default_rng(0)
    for folder, number in (("good", 20), ("tiny [dent]", 4)):
        (source / folder).mkdir(parents=True)
        for i in range(number):
            Image.fromarray(rng.integers(0, 256, (24, 32), np.uint8)).save(
                source / folder / f"{i}.png")
    entry = ProductLine(source={"path": "camera"})
    return Line("plates", tmp_path, entry, Params())


def run(line, recorder=None):
    output = io.StringIO()
    stage.run(line, line.params, recorder or Recorder(),
              Console(file=output, width=100, color_system=None))
    return output.getvalue()


def outputs(line):
    folder = line.stage_folder("ingest")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_manifest_and_split_table_are_written(line):
    run(line)
    assert list(outputs(line)) == ["left_aside.json", "manifest.parquet", "masks.json",
                                   "split_table.json", "test_set.json"]
    manifest = Manifest.load(line.manifest_file, line.source_root)
    assert len(manifest) == 24
    assert all(manifest.image_file(row).is_file() for row in manifest)
    content = json.loads(outputs(line)["split_table.json"])
    assert sum(row["images"] for row in content["rows"]) == 24
    assert content["warnings"][0].startswith("4 of 4 defect images")
    assert [path.name for path in line.folder.iterdir() if "tmp" in path.name] == []


def test_split_table_is_printed(line):
    lines = [text.rstrip() for text in run(line).splitlines()]
    assert lines[0] == "plates: 24 images"
    assert lines[1].split() == ["split", "defect", "type", "images", "masks", "parts"]
    assert "tiny [dent]" in lines[5] and lines[5].split()[-3:] == ["4", "0", "4"]
    assert any(text.startswith("note 4 of 4 defect images") for text in lines)


def test_everything_is_logged(line):
    recorder = Recorder()
    run(line, recorder)
    assert recorder.metrics["ingest_images"] == 24
    assert sum(recorder.metrics[f"ingest_{split}"] for split in
               ("train", "calibration", "test")) == 24
    assert {row["split"] for row in recorder.tables["split_table"]} == \
        {"train", "calibration", "test"}
    assert recorder.files == ["ingest/manifest.parquet", "ingest/split_table.json",
                              "ingest/test_set.json"]
    assert recorder.tags == {"test_set": json.loads(outputs(line)["test_set.json"])["name"]}


def test_running_again_gives_the_same_bytes(line):
    run(line)
    before = outputs(line)
    run(line)
    assert outputs(line) == before


def test_seed_and_fractions_come_from_the_settings(line):
    run(line)
    before = outputs(line)["manifest.parquet"]
    other = Line(line.name, line.project, line.entry, Params(seed=1))
    run(other)
    assert outputs(line)["manifest.parquet"] != before


def test_bad_input_writes_nothing_and_keeps_what_was_there(line):
    broken = line.source / "good/3.png"
    data = broken.read_bytes()
    broken.write_bytes(b"")
    with pytest.raises(DataError, match=r"good/3\.png \(an empty file\)"):
        run(line)
    assert not line.stage_folder("ingest").exists()
    broken.write_bytes(data)
    run(line)
    before = outputs(line)
    broken.write_bytes(data[:100])
    with pytest.raises(DataError, match="truncated"):
        run(line)
    assert outputs(line) == before


def test_killed_while_writing_keeps_what_was_there_and_the_same_command_finishes(
        line, monkeypatch):
    run(line)
    before = outputs(line)
    with monkeypatch.context() as patch:
        patch.setattr(stage, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(line)
    assert outputs(line) == before
    run(line)
    assert outputs(line) == before


def test_a_full_disk_is_one_sentence(line, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stage, "write_json", full)
    with pytest.raises(HDMError, match="No space left on device"):
        run(line)
    assert not line.stage_folder("ingest").exists()


def test_a_table_as_source(line, tmp_path):
    (line.source / "t.csv").write_text(
        "path\n" + "\n".join(f"good/{i}.png" for i in range(20)) + "\n")
    entry = ProductLine(source={"path": "camera/t.csv", "format": "table"})
    table_line = Line("plates", tmp_path, entry, Params())
    run(table_line)
    manifest = Manifest.load(table_line.manifest_file, table_line.source_root)
    assert len(manifest) == 20 and manifest.root == line.source


def test_progress_appears_only_after_two_seconds(line, monkeypatch):
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=100)
    stage.run(line, line.params, NoRun(), console)
    assert "decoding images" not in output.getvalue()
    monkeypatch.setattr(stage, "_PATIENCE", -1.0)
    stage.run(line, line.params, NoRun(), console)
    assert "decoding images" in output.getvalue()


def test_the_test_set_is_named_and_a_change_of_it_is_said_plainly(line):
    assert "test set test-" in run(line)
    first = json.loads(outputs(line)["test_set.json"])
    assert first["name"].startswith("test-") and first["frozen_as"] is None
    assert first["defect_types"]["tiny [dent]"] == 4 and first["waiting"] == []
    assert "has changed" not in run(line)
    (line.source / "tiny [dent]/3.png").unlink()
    noise = np.random.default_rng(9).integers(0, 256, (24, 32), np.uint8)
    Image.fromarray(noise).save(line.source / "tiny [dent]/new.png")
    printed = " ".join(run(line).split())
    second = json.loads(outputs(line)["test_set.json"])
    assert f"the test set has changed from {first['name']} to {second['name']}: 1 images added, " \
        "1 removed" in printed


def frozen(line):
    """The line with its present test set frozen, as `configure` resolves it."""
    result = ingest(line.source, line.entry.source, line.params.ingest, line.params.seed)
    write_frozen(line.frozen_folder, "spring", result.tested)
    entry = line.entry.model_copy(update={"test_set": "spring"})
    chosen = Line(line.name, line.project, entry, line.params)
    configure.run(chosen, Console(file=io.StringIO()))
    return chosen


def test_frozen_set_is_resolved_by_configure_and_kept_to(line):
    chosen = frozen(line)
    resolved = json.loads(chosen.settings_file("ingest").read_text())["test_set"]
    assert (resolved["name"], resolved["file"]) == ("spring", "test_sets/plates/spring.csv")
    assert chosen.stage_params("ingest") == Params()
    noise = np.random.default_rng(9).integers(0, 256, (24, 32), np.uint8)
    Image.fromarray(noise).save(line.source / "tiny [dent]/new.png")
    printed = " ".join(run(chosen).split())
    assert "frozen as spring: 10 images, 6 of them good" in printed
    assert "1 images (0 good, 1 defective) wait outside" in printed
    content = json.loads(outputs(line)["test_set.json"])
    assert (content["frozen_as"], content["waiting"]) == ("spring", ["tiny [dent]/new.png"])


@pytest.mark.parametrize("told", [
    {"part_rule": "{part}_cam*"}, {"folders": {"aside": "aside"}},
    {"part_rule": "{part}/*", "folders": {"x": "good"}}, {}])
def test_what_a_person_says_of_the_source_reruns_ingest(line, told):
    source = line.entry.source.model_copy(update=told)
    chosen = Line(line.name, line.project, line.entry.model_copy(update={"source": source}),
                  line.params)
    configure.run(chosen, Console(file=io.StringIO()))
    assert json.loads(chosen.settings_file("ingest").read_text()).get("source", {}) == told
    assert chosen.stage_params("ingest") == Params()


def test_frozen_set_that_is_gone_or_was_edited_is_one_sentence(line):
    chosen = frozen(line)
    file = line.frozen_folder / "spring.csv"
    text = file.read_text()
    file.write_text(text.replace("[dent]/3.png", "[dent]/9.png"))
    with pytest.raises(ConfigError, match=r"has changed since .*run `dvc repro ingest@plates`"):
        run(chosen)
    file.unlink()
    with pytest.raises(ConfigError, match="no frozen test set 'spring'"):
        run(chosen)
    with pytest.raises(ConfigError, match="no frozen test set 'spring'"):
        configure.run(chosen, Console(file=io.StringIO()))
    assert not line.stage_folder("ingest").exists()
