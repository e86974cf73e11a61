"""An exported folder judges as the detector does, where neither torch nor hdm can be imported."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bare_python import FACTS, Exported
from PIL import Image
from small_detector import native, plates, small_detector

from hdm.dataset.ignore_mask import IgnoreMask
from hdm.errors import ConfigError
from hdm.export.exporting import FOLDER, export

pytest.importorskip("onnxruntime")


def pictures(folder: Path, images: list[np.ndarray]) -> list[Path]:
    """PNG where Pillow writes one, else .npy."""
    files = []
    folder.mkdir(exist_ok=True)
    for number, image in enumerate(images):
        deep = image.dtype == np.uint16 and image.ndim == 3
        file = folder / f"{number}.{'npy' if deep else 'png'}"
        np.save(file, image) if deep else Image.fromarray(image).save(file)
        files.append(file)
    return files


def same(made: Exported, images: list[np.ndarray], scratch: Path) -> list[str]:
    """Decisions of judge.py, which are the detector's own."""
    files = pictures(scratch / "pictures", images)
    done = made.run(made.folder / "judge.py", "--json", "--maps", scratch / "maps", *files)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for number, (one, two) in enumerate(zip(made.detector.predict(images), rows, strict=True)):
        assert two["decision"] == one.decision
        assert two["regions"] in ([], None)  # there is no OpenCV
        assert {doubt.code for doubt in one.reasons} <= set(two["reasons"])
        assert two["score"] == pytest.approx(one.score, rel=1e-3, abs=1e-3)
        assert two["p_value"] == pytest.approx(one.p_value, abs=1e-6)
        assert np.abs(np.load(scratch / "maps" / f"{number}.npy") - one.anomaly_map).max() < 1e-3
    return [row["decision"] for row in rows]


def test_neither_torch_nor_hdm_is_there(bare, tmp_path) -> None:
    program = tmp_path / "look.py"
    program.write_text("from importlib.util import find_spec\n"
                       "print([n for n in ('torch', 'hdm', 'cv2', 'numpy') if find_spec(n)])")
    assert bare(program).stdout.strip() == "['numpy']"


def test_it_judges_as_the_detector_does(exported_folder, tmp_path) -> None:
    good = plates(4, seed=9)
    images = [*good, good[0] // 8, np.zeros_like(good[0]), np.full_like(good[0], 255), good[1][:20],
              native(60, 90), native(60, 90, 3, seed=1), native(50, 70, dtype=np.uint16),
              native(50, 70, 3, dtype=np.uint16), np.repeat(good[2][..., None], 3, 2)]
    assert {"undecidable", "good"} <= set(same(exported_folder, images, tmp_path))


def test_it_checks_itself_and_says_what_it_is(exported_folder) -> None:
    done = exported_folder.run(exported_folder.folder / "check.py")
    assert done.returncode == 0 and "judges as the detector does" in done.stdout
    facts = json.loads((exported_folder.folder / "model.json").read_text())
    assert facts["threshold"] == exported_folder.detector.threshold
    assert "held-out good parts" in facts["promise"] and "Apache-2.0" in facts["licence"]
    assert set(facts["files"]) | {"model.json"} == {
        path.relative_to(exported_folder.folder).as_posix()
        for path in exported_folder.folder.rglob("*") if path.is_file()}
    text = (exported_folder.folder / "README.txt").read_text()
    assert facts["promise"].split(",")[0] in " ".join(text.split()) and "judge.py part.png" in text
    for line in (exported_folder.folder / "requirements.txt").read_text().splitlines():
        assert line.count("==") == 1 and ":" not in line


def test_regions_are_those_of_hdm_where_opencv_is(exported_folder, tmp_path) -> None:
    files = pictures(tmp_path / "p", images := [native(60, 90, seed=3), *plates(1, seed=4)])
    done = exported_folder.run(exported_folder.folder / "judge.py", "--json", *files, and_also=(
        "cv2", "opencv_python_headless.libs"))
    for line, found in zip(done.stdout.splitlines(), exported_folder.detector.predict(images),
                           strict=True):
        told = exported_folder.detector.region_rule.regions(found.decision, found.anomaly_map).told
        assert [region["left"] for region in json.loads(line)["regions"]] == \
            [region.left for region in told]
    said = exported_folder.run(exported_folder.folder / "judge.py", files[0]).stdout
    assert said.startswith(f"{files[0]}: ") and "(threshold " in said


def test_what_is_missing_or_no_picture_is_said(exported_folder, tmp_path) -> None:
    picture, = pictures(tmp_path / "p", plates(1))
    (tmp_path / "no.png").write_bytes(b"no picture")
    np.save(tmp_path / "floats.npy", np.zeros((4, 4)))
    done = exported_folder.run(exported_folder.folder / "judge.py", tmp_path / "no.png", picture,
                        tmp_path / "floats.npy")
    assert done.returncode == 1 and done.stdout.startswith(str(picture))
    assert "found none that can be read" in done.stderr and "received float64" in done.stderr
    program = exported_folder.folder / "judge.py"
    done = exported_folder.run(program, picture, without=("PIL", "pillow.libs"))
    assert "PIL is not installed" in done.stderr and "Traceback" not in done.stderr
    done = exported_folder.run(program, picture, without=("onnxruntime",))
    assert done.returncode == 2 and "onnxruntime is missing" in done.stderr


def damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(("damage", "said"), [
    (lambda folder: damaged(folder / "model.onnx"), "is not the file that was exported"),
    (lambda folder: (folder / "model.onnx").unlink(), "incomplete or damaged"),
    (lambda folder: (folder / "model.json").write_text("{"), "incomplete or damaged"),
    (lambda folder: (folder / "model.json").write_text("[]"), "incomplete or damaged"),
    (lambda folder: (folder / "model.json").write_text(
        (folder / "model.json").read_text().replace('"version": "3"', '"version": "4"')),
     "says something else than model.onnx")])
def test_a_damaged_folder_judges_nothing(exported_folder, tmp_path, damage, said) -> None:
    shutil.copytree(exported_folder.folder, tmp_path / "copy")
    damage(tmp_path / "copy")
    picture, = pictures(tmp_path / "p", plates(1))
    for program in (("judge.py", picture), ("check.py",)):
        done = exported_folder.run(tmp_path / "copy" / program[0], *program[1:])
        assert done.returncode == 2 and said in done.stderr and not done.stdout
        assert "Traceback" not in done.stderr


def test_the_check_notices_other_answers_and_other_files(exported_folder, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(exported_folder.folder, copy)
    golden = copy / "golden" / "0.npy"
    np.save(golden, np.load(golden)[::-1])
    done = exported_folder.run(copy / "check.py")
    assert done.returncode == 2 and "golden/0.npy: not as exported" in done.stderr
    facts = json.loads((copy / "model.json").read_text())
    del facts["files"]["golden/0.npy"]
    (copy / "model.json").write_text(json.dumps(facts))
    done = exported_folder.run(copy / "check.py")
    assert done.returncode == 1 and "ANOTHER ANSWER" in done.stdout


def test_what_is_not_an_earlier_export_is_never_replaced(exported_folder, tmp_path) -> None:
    shutil.copytree(exported_folder.folder, tmp_path / "mine")
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "judge.py").write_text("mine")
    for name, said in (("mine", "holds notes.txt"), ("file", "none"), ("other", "none")):
        with pytest.raises(ConfigError, match=said):
            export(exported_folder.detector, FACTS, plates(1), tmp_path / name, 16, kind=FOLDER)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep"


@pytest.mark.slow
@pytest.mark.parametrize("case", ["tiles", "colour", "no backbone", "ignored"])
def test_every_kind_of_line_judges_as_the_detector_does(case, bare, tmp_path) -> None:
    mask = np.zeros((96, 96), bool)
    mask[10:40, 20:60] = True
    over = {"tiles": {"fit": "tile"}, "colour": {"channels": 3}, "no backbone": {"backbone": False},
            "ignored": {"ignored": IgnoreMask.of(mask).text()}}[case]
    detector, folder = small_detector(decidable=True, **over), tmp_path / "made"
    images = plates(5, seed=9, channels=over.get("channels", 1))
    export(detector, FACTS, images[:3], folder, 16, kind=FOLDER)
    more = [images[0] // 8, images[1] // 2 + 100, np.ascontiguousarray(images[2][::-1])]
    if case == "no backbone":
        more.append(images[0].astype(np.uint16) * 257)
    assert "undecidable" in same(Exported(detector, folder, bare), images + more, tmp_path)
    licence = json.loads((folder / "model.json").read_text())["licence"]
    assert ("from scratch" in licence) is (case == "no backbone")
    if case == "tiles":
        other, = pictures(tmp_path / "other", [native(50, 70)])
        assert "undecidable (other_size)" in bare(folder / "judge.py", other).stdout
        assert "of 96 x 96 px alone" in (folder / "README.txt").read_text()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_three_commands_of_its_readme_in_a_fresh_environment(exported_folder, tmp_path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    shutil.copytree(exported_folder.folder, tmp_path / "copy")
    Image.fromarray(plates(1)[0]).save(tmp_path / "copy" / "part.png")
    text = (tmp_path / "copy" / "README.txt").read_text().splitlines()
    commands = [line.split()[1:] for line in text if line.startswith("    python ")]
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run([tmp_path / "venv" / "bin" / "python", *command],
                              cwd=tmp_path / "copy", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("part.png: ")
