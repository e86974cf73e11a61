"""One exported folder for all tests: making it takes half a minute."""

import pytest
from bare_python import FACTS, Exported, Run, bare_python
from small_detector import plates, small_detector

from hdm.export.exporting import FOLDER, export


@pytest.fixture(scope="session")
def bare(tmp_path_factory) -> Run:
    return bare_python(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="session")
def exported_folder(tmp_path_factory, bare) -> Exported:
    detector, folder = small_detector(decidable=True), tmp_path_factory.mktemp("x") / "plate"
    assert export(detector, FACTS, plates(3, seed=9), folder, 16, kind=FOLDER).agrees
    return Exported(detector, folder, bare)
