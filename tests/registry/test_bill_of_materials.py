"""What a registered model is made of, in a document that scanners understand."""

import json

import numpy as np
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from safetensors.numpy import save_file

from hdm.registry.bill_of_materials import bill_of_materials
from hdm.registry.registered_files import file_hashes

FACTS = {"hdm.fingerprint": "f" * 64, "data_hash": "d" * 64, "git_commit": ""}


@pytest.fixture
def written(tmp_path) -> str:
    (tmp_path / "prior").mkdir()
    save_file({"a": np.zeros(2, np.float32)}, tmp_path / "prior/backbone.safetensors",
              {"licence": "EfficientNet-Lite0 weights: Apache-2.0, trained on ImageNet"})
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    (tmp_path / "detector.json").write_text("{}")
    return bill_of_materials("hdm-plate", tmp_path, file_hashes(tmp_path),
                             ["numpy==2.4.6", "nobody-knows-this==1.0"], FACTS)


def test_it_is_valid_cyclonedx(written) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written) is None


def test_it_names_files_libraries_licences_and_origin(written, tmp_path) -> None:
    content = json.loads(written)
    parts = {part["name"]: part for part in content["components"]}
    for path, digest in file_hashes(tmp_path).items():
        assert parts[path]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    licence = parts["prior/backbone.safetensors"]["licenses"][0]["license"]["name"]
    assert "Apache-2.0" in licence and "ImageNet" in licence
    assert "licenses" not in parts["broken.safetensors"]
    assert parts["numpy"]["purl"] == "pkg:pypi/numpy@2.4.6" and parts["numpy"]["licenses"]
    assert parts["nobody-knows-this"]["version"] == "1.0"
    described = content["metadata"]["component"]
    assert {one["name"]: one["value"] for one in described["properties"]} == {
        "hdm.fingerprint": "f" * 64, "hdm.data_hash": "d" * 64}
