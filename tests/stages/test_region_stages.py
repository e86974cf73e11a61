"""A line with a region, and feedback on it: every stage of the training leaves out the same."""

import numpy as np
import pytest
import tiny
from trained import TRAINING, make_line, run_all, tell

from hdm.config import STAGES
from hdm.dataset.line_region import region_of
from hdm.dataset.manifest import Manifest
from hdm.dataset.region_file import write_region
from hdm.detector.detector import HDM
from hdm.files import read_json
from hdm.line import FEEDBACK, REGION, SOURCE, Line
from hdm.pom.discrimination import learning_feedback
from hdm.stages.feedback_inputs import feedback_of
from hdm.stages.inputs import format_of, normals_of
from hdm.stages.runner import run_stage

LEFT = [[0, 0], [0.4, 0], [0.4, 1], [0, 1]]
HIDDEN_BOX = (slice(30, 38), slice(8, 16))


@pytest.fixture(scope="module")
def built(no_tracking, tmp_path_factory):
    """The line, and what `build_detector` was given when it had learned from feedback."""
    given = []

    def spy(*arguments):
        given.append(arguments)
        return build(*arguments)

    build = learning_feedback.build_detector
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning_feedback, "build_detector", spy)
        line = make_line(tmp_path_factory.mktemp("region") / "plant")
        write_region(line.region_file, region_of({"ignore": [{"corners": LEFT}]}, "test"))
        for seed in range(5):
            tell(line, "defect", seed, masked=True, box=(slice(30, 38), slice(20, 40)))
        tell(line, "defect", 7, masked=True, box=HIDDEN_BOX)
        tell(line, "good", 50)
        tell(line, "good", 51)
        run_stage("configure", "plate", line.project)
        run_all(line)
        yield line, given


def test_what_lies_there_whole_is_left_aside_and_the_rest_learned(built) -> None:
    line, _ = built
    detector = HDM.load(line.detector_folder, device="cpu", threads=1)
    assert detector.info["feedback"] == {"defects": 5, "false_alarms": 2}
    said = feedback_of(line, Manifest.load(line.manifest_file, line.source_root),
                       format_of(line).ignored)
    assert said.aside == {"7.png": "its defect lies where nothing is inspected"}


def test_what_was_learned_knows_what_of_each_image_is_ignored(built) -> None:
    line, given = built
    (module, good, _, held, _, decidability, ignored), = given
    form = format_of(line)
    assert form.ignored and module.form == form and decidability is not None
    assert len(ignored) == len(good) == 12 + 2
    expected = form.ignored_at(form.height, form.width).pixels
    assert all(bool((one == expected).all()) for one in ignored)
    assert bool((normals_of(line, line.params, form).ignored == expected).all())
    assert set(held.joins).isdisjoint(held.calibrates)


@pytest.mark.parametrize("seed", range(3))
def test_no_answer_depends_on_what_is_painted_there(built, seed) -> None:
    line, _ = built
    detector = HDM.load(line.detector_folder, device="cpu", threads=1)
    rng = np.random.default_rng(seed)
    image = np.clip(128 + 40 * np.sin(np.arange(64) / 3) + rng.normal(0, 4, (64, 64)), 0, 255
                    ).astype(np.uint8)
    hidden = detector.form.ignored_pixels(64, 64)
    painted = np.where(hidden, rng.integers(0, 256, (64, 64)), image).astype(np.uint8)
    one, two = (detector.predict([each])[0] for each in (image, painted))
    assert (one.score, one.decision, one.reasons) == (two.score, two.decision, two.reasons)
    assert np.array_equal(one.anomaly_map, two.anomaly_map) and not one.anomaly_map[hidden].any()


def test_settings_name_region_feedback_and_source_beside_each_other(tmp_path) -> None:
    project = tiny.write_project(tmp_path, line={
        "source": {"path": "images", "format": "folder", "part_rule": "{part}_cam*"}})
    line = Line.load("plate", project)
    run(line)
    plain = {stage: line.stage_params(stage) for stage in STAGES}
    write_region(line.region_file, region_of({"ignore": [{"corners": LEFT}]}, "test"))
    tell(line, "good", 1)
    run(line)
    assert set(read_json(line.settings_file("dagm_fit"))[REGION]) == {"file", "sha256"}
    assert len(read_json(line.settings_file("ddm_train"))[FEEDBACK]) == 1
    assert read_json(line.settings_file("ingest"))[SOURCE] == {"part_rule": "{part}_cam*"}
    for stage in (*TRAINING, "ingest", "evaluate"):
        found = read_json(line.settings_file(stage))
        assert len({REGION, FEEDBACK, SOURCE} & set(found)) <= 1
        assert line.stage_params(stage) == plain[stage]


def run(line: Line) -> None:
    run_stage("configure", "plate", line.project)
