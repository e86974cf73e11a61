"""Rows, tables and accounting of the quality benchmark."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from tiny import input_format

from benchmarks.quality import __main__ as command
from benchmarks.quality import tables
from benchmarks.quality.flop import counted, of_training
from benchmarks.quality.measuring import level_edges, relit
from benchmarks.quality.presets import PRESETS, params_of
from benchmarks.quality.results import add_row, read_rows
from benchmarks.quality.sets import _few, exposure_runs
from hdm.dataset.manifest import Row
from hdm.errors import DataError, HDMError
from hdm.evaluation.false_alarm_law import false_alarms_by_chance
from hdm.files import write_json


def row(method="hdm", name="mtd", seed=0, image=0.9, **over):
    return {"method": method, "set": name, "preset": "fast", "seed": seed, "image_auroc": image,
            "pixel_auroc": None, "aupro": None, "by_type": {"crack": image},
            "interval": {"image_auroc": [image - 0.03, image + 0.03]}, "test_normals": 40,
            "calibration_normals": 60,
            "false_alarm_rates": {"0.05": 0.025}, "lighting": {"gain_0.9": image - 0.02},
            "train_seconds": 60.0, "train_flop": 2e12, "parameters": 1_500_000,
            "ms_per_image": 8.0, "peak_memory_mb": 900.0, "device": "cpu", "threads": 2, **over}


@pytest.fixture
def results(tmp_path):
    rows = [row(seed=0, image=0.9), row(seed=1, image=0.8),
            row("hdm-k2", seed=0, image=0.85), row("hdm-k2", seed=1, image=0.79),
            row("draem", seed=0, image=0.7), row("draem", "grid", seed=0, image=0.9)]
    write_json(tmp_path / "fast.json", rows)
    return tmp_path


def test_tables_say_mean_spread_and_paired_difference(results):
    image = tables.rendered("image-fast", results)
    assert "| hdm | – | 0.850 ± 0.071 | – |" in image  # not on all sets: no mean over sets
    assert "| draem | 0.900 | 0.700 | 0.800 |" in image
    against = tables.rendered("against-fast", results)
    # Two half widths of 3 points: sqrt(3² + 3²) = 4.2, whatever the number of seeds.
    assert "| hdm-k2 | – | -3.0 (-7.2 to +1.2) | – |" in against
    assert "| draem | – | -20.0 (-24.2 to -15.8) | – |" in against
    assert tables.rendered("pixel-fast", results) == "Not measured yet.\n"
    assert tables.rendered("image-max", results) == "Not measured yet.\n"
    assert "-2.0" in tables.rendered("lighting-fast", results)
    assert "| method | crack |" in tables.rendered("types-mtd-fast", results)
    with pytest.raises(HDMError, match="no table"):
        tables.rendered("speed-fast", results)


def test_a_difference_is_judged_on_the_same_resamples(tmp_path):
    always = [0.9, 0.8, None, 0.7]
    write_json(tmp_path / "fast.json", [
        row(resamples=always),
        row("hdm-k2", image=0.85, resamples=[0.85, 0.75, 0.6, 0.65]),  # 5 points less, always
        row("draem", image=0.8, resamples=[0.8, 0.72, 0.6, 0.58])])  # 10, 8 and 12 less
    against = tables.rendered("against-fast", tmp_path)
    assert "| hdm-k2 | -5.0 (-5.0 to -5.0) | -5.0 (-5.0 to -5.0) |" in against
    assert "| draem | -10.0 (-13.9 to -6.1) |" in against  # 1.96 × their deviation of 2


def test_false_alarm_rates_are_held_against_what_exchangeable_images_give(tmp_path):
    few = {"calibration_normals": 10}  # certify no rate below 1/11: their largest is the limit
    write_json(tmp_path / "fast.json", [
        row(false_alarm_rates={"0.05": 0.05}), row(seed=1, false_alarm_rates={"0.05": 0.3}),
        row("draem", false_alarm_rates={"0.05": 0.0}, **few)])
    text = tables.rendered("calibration-fast", tmp_path)
    # The binomial interval of 40 images at 5 % is 0 to 5 alarms.
    enough, little = (false_alarms_by_chance(n, 40, 0.05).cdf(5) for n in (60, 10))
    assert little < 0.9 < enough
    assert f"| hdm | 1 of 2 ({2 * enough:.1f}) |" in text
    assert f"| draem | 1 of 1 ({little:.1f}) |" in text


def test_check_fails_on_a_changed_figure(results, tmp_path, capsys):
    page = tmp_path / "results.md"
    where = ["--page", str(page), "--results", str(results)]
    assert tables.main(where) == 0
    assert tables.main(["--check", *where]) == 0
    text = page.read_text()
    page.write_text("An introduction.\n" + text.replace("0.850 ± 0.071", "0.950 ± 0.071"))
    assert tables.main(["--check", *where]) == 1
    assert "image-fast" in capsys.readouterr().err
    assert tables.main(where) == 0
    assert page.read_text() == "An introduction.\n" + text
    write_json(results / "fast.json", [row(image=0.5)])
    assert tables.main(["--check", *where]) == 1


def test_a_row_replaces_the_one_with_its_key(tmp_path):
    file = tmp_path / "deep" / "fast.json"
    add_row(file, row(image=0.5))
    add_row(file, row(seed=1))
    add_row(file, row(image=0.6))
    assert [(r["seed"], r["image_auroc"]) for r in read_rows(file)] == [(0, 0.6), (1, 0.9)]
    file.write_text('{"rows": []}')
    with pytest.raises(HDMError, match="list of rows"):
        read_rows(file)


def test_jobs_that_cannot_run_are_skipped_with_the_reason(tmp_path, capsys):
    (tmp_path / "data" / "mtd").mkdir(parents=True)
    where = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--preset", "fast"]
    assert command.main(["--methods", "hdm", "--sets", "absent", *where]) == 0
    assert "there is no folder" in capsys.readouterr().out
    assert command.main(["--methods", "draem", "--sets", "mtd", *where]) == 0
    assert "run hdm first" in capsys.readouterr().out
    add_row(tmp_path / "out" / "fast.json", row("draem"))
    assert command.main(["--methods", "draem", "--sets", "mtd", "--budget-seconds", "1",
                         "--skip-existing", *where]) == 0
    assert "its row is there" in capsys.readouterr().out


def test_what_comes_with_a_training_is_kept_if_asked_for(tmp_path, monkeypatch):
    (tmp_path / "data" / "mtd").mkdir(parents=True)
    run = []

    def measured(job, seconds, threads, begun, *, light):
        run.append(job.method)
        return [row("hdm"), row("hdm-no-texture", image=0.8)]

    monkeypatch.setattr(command, "measured", measured)
    where = ["--data", str(tmp_path / "data"), "--out", str(tmp_path), "--sets", "mtd",
             "--skip-existing"]
    for asked, kept in (("hdm", ["hdm"]), ("hdm,hdm-no-texture", ["hdm", "hdm-no-texture"])):
        assert command.main(["--methods", asked, *where]) == 0
        assert [r["method"] for r in read_rows(tmp_path / "fast.json")] == kept
    assert command.main(["--methods", "hdm-no-texture", *where]) == 0
    assert run == ["hdm", "hdm"], "one run for both, none where both rows are there"


def test_what_was_begun_is_gone_on_with_by_the_same_code_alone(tmp_path, monkeypatch):
    job = command.Job("hdm", tmp_path / "mtd", "fast", 1)
    for mark, stays in (("0123abc", True), ("4567def", True), ("0123abc+", False),
                        ("unknown", False)):
        monkeypatch.setattr(command, "commit", lambda mark=mark: mark)
        folder = command.unfinished(job, tmp_path)
        folder.mkdir(parents=True)
        assert command.unfinished(job, tmp_path) == folder
        assert folder.exists() == stays, mark
    assert len(list((tmp_path / "unfinished").iterdir())) == 2


def test_a_baseline_gets_the_time_of_hdm_on_the_same_images(tmp_path):
    rows = [row(train_seconds=77.0), row(seed=1, train_seconds=55.0)]
    job = command.Job("draem", tmp_path / "mtd", "fast", 1)
    assert command.budget(job, rows, 9.0) == 55.0
    assert command.budget(replace(job, seed=2), rows, 9.0) == 9.0
    assert command.budget(command.Job("gabor-padim", tmp_path, "fast", 1), rows, 9.0) is None


def test_operations_are_counted_and_extrapolated():
    a, b = torch.rand(3, 4), torch.rand(4, 5)
    assert counted(lambda: a @ b)[1] == 2 * 3 * 4 * 5

    def run(steps):
        for _ in range(steps + 2):
            a @ b

    assert of_training(run, 100) == 102 * 120


def test_light_is_changed_as_a_camera_would():
    form = input_format()  # values 0.2 to 0.8 are mapped to -1 and 1
    canvas = torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 1, 3)
    torch.testing.assert_close(relit(canvas, form, 1.0, 0.1), canvas + 0.2)
    values = (relit(canvas, form, 1.1, 0.0) + 1) / 2 * 0.6 + 0.2
    torch.testing.assert_close(values.flatten(), torch.tensor([0.22, 0.55, 0.88]))
    brightest = relit(torch.full((1, 1, 1, 1), 1.6), form, 1.1, 0.0)  # the camera saturates at 1
    assert brightest.item() == pytest.approx((1 - 0.2) / 0.6 * 2 - 1)


def test_levels_rank_pixels_as_their_values_do():
    rng = np.random.default_rng(0)
    values = np.exp(3 * rng.normal(size=(2, 20, 20))).astype(np.float32)
    truth = rng.random(values.shape) < 0.3
    edges = level_edges(torch.from_numpy(values))
    levels = np.searchsorted(edges, values, side="right")
    assert roc_auc_score(truth.ravel(), levels.ravel()) == \
        pytest.approx(roc_auc_score(truth.ravel(), values.ravel()))
    assert levels.max() <= 65_535


def test_a_tile_is_a_run_of_rising_exposures():
    captures = [("train/good", 1, 10), ("train/good", 2, 20), ("test/good", 2, 30),
                ("test/good", 3, 31), ("test/good", 1, 40), ("train/good", 5, 25),
                ("test/crack", 1, 15)]
    groups = exposure_runs([(folder, f"exp{e}_num_{n}") for folder, e, n in captures])
    assert groups == ["train/good/10", "train/good/10", "test/good/30", "test/good/30",
                      "test/good/40", "train/good/10", "test/crack/15"]
    with pytest.raises(DataError, match="exp3_num_1855"):
        exposure_runs([("train/good", "tile7")])


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_and_ablation_is_a_legal_configuration(preset):
    from benchmarks.quality.methods import METHODS

    for name in METHODS:
        params = params_of(preset, seed=3, threads=1, over=METHODS[name].over)
        assert params.seed == 3
        assert params.compute.threads == 1
    shares = params_of(preset, seed=0, over=METHODS["hdm-no-sources"].over).dagm_synthesize.sources
    assert {name for name, share in shares.items() if share} == {"procedural", "fill"}


def test_of_few_good_images_the_test_keeps_all_and_each_seed_draws_its_own():
    rows = [Row(f"{split}/good/{n}.png", split, 0, "good", None, str(n), 8, 8, 1, 8, 8, f"{n:064}")
            for split, count in (("train", 30), ("calibration", 10), ("test", 7))
            for n in range(count)]
    drawn = [_few(rows, 20, 0.25, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    for few in drawn:
        assert Counter(row.split for row in few) == {"train": 15, "calibration": 5, "test": 7}
    assert len(_few(rows, 200, 0.25, 0)) == 47
