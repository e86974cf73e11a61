"""What the registered model takes along."""

import re

from hdm.backbone.weights import DISTRIBUTION
from hdm.registry.packing import PACKAGE, copy_package, inference_sources, requirements


def test_a_model_holds_the_room_that_answers_and_nothing_that_teaches():
    files, libraries = inference_sources(PACKAGE)
    names = {file.as_posix() for file in files}
    room = {f"detector/{file.name}" for file in (PACKAGE / "detector").glob("*.py")}
    assert room | {"__init__.py", "errors.py", "dataset/images.py"} <= names
    assert {file.parts[0] for file in files if len(file.parts) > 1} == {
        "backbone", "dataset", "detector", "diffusion"}
    assert not {"dataset/manifest.py", "dataset/tensors.py"} & names
    assert {"torch", "numpy", "PIL"} <= set(libraries)
    assert not set(libraries) & {"prefect", "great_expectations", "dvc", "matplotlib"}


def test_imports_are_followed_through_packages_functions_and_names(tmp_path):
    package = tmp_path / "hdm"
    for name, text in {
        "__init__.py": "", "unused.py": "import matplotlib", "detector/__init__.py": "",
        "detector/pyfunc_model.py": ("from typing import TYPE_CHECKING\nfrom hdm.a import thing\n"
                                     "import mlflow.pyfunc\nif TYPE_CHECKING:\n    import rich"),
        "a/__init__.py": "", "a/thing.py": "def f():\n    import hdm.b\n    import yaml, json",
        "b.py": "from hdm import errors\nimport ruamel.yaml", "errors.py": "import os.path",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    files, libraries = inference_sources(package)
    assert [file.as_posix() for file in files] == [
        "__init__.py", "a/__init__.py", "a/thing.py", "b.py", "detector/__init__.py",
        "detector/pyfunc_model.py", "errors.py"]
    assert libraries == ["mlflow", "ruamel", "yaml"]
    copied = copy_package(tmp_path / "out", package)
    assert {file.relative_to(copied).as_posix() for file in copied.rglob("*.py")} == \
        {file.as_posix() for file in files}


def test_requirements_are_exact_and_installable_anywhere():
    found = requirements(PACKAGE)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line) for line in found), found
    names = {line.split("==")[0] for line in found}
    assert {"mlflow", "openvino", "pandas", "torch", "pillow", "safetensors"} <= names
    assert DISTRIBUTION not in names, "the model carries the encoder's weights"
    assert found == sorted(found)
