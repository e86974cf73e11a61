"""Every file of a registered version is the one that was registered, or nothing answers."""

import subprocess

import pytest
from crafted_store import MLMODEL

from hdm.errors import RegistryError
from hdm.registry.detector_files import fingerprint
from hdm.registry.model_versions import FINGERPRINT
from hdm.registry.registered_files import SUMS, SUMS_TAG, checked, file_hashes, write_sums

DETECTOR = "artifacts/detector"


@pytest.fixture
def model(tmp_path):
    """A model's folder and the tags of its version."""
    folder = tmp_path / "model"
    for path, content in (("MLmodel", MLMODEL), (f"{DETECTOR}/detector.json", "{}"),
                          (f"{DETECTOR}/prior/prior.safetensors", "weights"),
                          ("code/hdm/__init__.py", ""), ("requirements.txt", "torch==2.13.0")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder, {FINGERPRINT: fingerprint(folder / DETECTOR),
                    SUMS_TAG: write_sums(folder / SUMS, file_hashes(folder))}


def test_whole_files_give_the_detector(model):
    folder, tags = model
    assert checked(folder, tags, "hdm-plate", "3") == folder / DETECTOR


def test_anybody_can_check_the_list(model):
    assert subprocess.run(["sha256sum", "--check", "--strict", "--quiet", SUMS], cwd=model[0],
                          check=False).returncode == 0


def link(folder):
    (folder / "requirements.txt").rename(folder.parent / "elsewhere")
    (folder / "requirements.txt").symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize(("harm", "said"), [
    (lambda f: (f / DETECTOR / "prior/prior.safetensors").write_text("weightz"),
     "prior/prior.safetensors was changed"),
    (lambda f: (f / "code/hdm/__init__.py").write_text("import os"),
     "code/hdm/__init__.py was changed"),
    (lambda f: (f / DETECTOR / "detector.json").unlink(), "detector/detector.json is missing"),
    (lambda f: (f / "code/hdm/more.py").write_text(""), "code/hdm/more.py was added"),
    (link, "requirements.txt was changed"),
    (lambda f: (f / "code/more").symlink_to("/etc"), "code/more was added"),
    (lambda f: (f / SUMS).unlink(), "SHA256SUMS is missing"),
    (lambda f: write_sums(f / SUMS, file_hashes(f) | {"x": "0"}), "SHA256SUMS is not the file"),
    (lambda f: (f / "MLmodel").write_text(MLMODEL.replace("artifacts/detector", "../../x")),
     "MLmodel was changed"),
], ids=["weights", "code", "missing", "extra", "link", "linked folder", "no list", "another list",
        "MLmodel"])
def test_tampered_files_are_named(model, harm, said):
    folder, tags = model
    harm(folder)
    with pytest.raises(RegistryError, match=f"{said}.*restore them from a backup") as caught:
        checked(folder, tags, "hdm-plate", "3")
    assert "\n" not in str(caught.value) and "hdm rollback plate" in str(caught.value)


@pytest.mark.parametrize(("change", "said"), [
    ({SUMS_TAG: ""}, "the tag hdm.sha256sums is missing"),
    ({SUMS_TAG: "0" * 64}, "SHA256SUMS is not the file"),
    ({FINGERPRINT: ""}, "hdm.fingerprint of hdm-plate version 3 is not that of its detector"),
    ({FINGERPRINT: "0" * 64}, "hdm.fingerprint of hdm-plate version 3 is not that"),
])
def test_removed_and_changed_tags_are_named(model, change, said):
    folder, tags = model
    with pytest.raises(RegistryError, match=said):
        checked(folder, tags | change, "hdm-plate", "3")


def test_what_mlflow_and_python_leave_is_no_tampering(model):
    folder, tags = model
    (folder / "registered_model_meta").write_text("model_name: null")
    (folder / "code/hdm/__pycache__").mkdir()
    (folder / "code/hdm/__pycache__/x.cpython-311.pyc").write_bytes(b"compiled")
    assert checked(folder, tags, "hdm-plate", "3") == folder / DETECTOR
