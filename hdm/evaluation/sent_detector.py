"""A detector on its way to other processes: its files in memory, loaded where they arrive."""

from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hdm.detector.detector import HDM
from hdm.detector.operating_point import OperatingPoint
from hdm.model_settings import Compute


class SentDetector:
    """Files of a detector's folder by name, and how it is computed with and decides."""

    def __init__(self, files: dict[str, bytes], compute: Compute, point: OperatingPoint) -> None:
        self.files, self.compute, self.point = files, compute, point

    @classmethod
    def of(cls, folder: Path, compute: Compute, point: OperatingPoint) -> "SentDetector":
        """That in `folder`, which nothing that arrives depends on."""
        return cls({str(file.relative_to(folder)): file.read_bytes()
                    for file in sorted(folder.rglob("*")) if file.is_file()}, compute, point)

    @cached_property
    def detector(self) -> HDM:
        """Loaded once; it takes seconds. With one thread, as others like it share the cores."""
        with TemporaryDirectory(prefix="hdm-detector-") as scratch:
            for name, content in self.files.items():
                file = Path(scratch, name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            loaded = HDM.load(scratch, self.compute.device, self.compute.precision, threads=1)
        return loaded.with_operating_point(self.point)

    def __reduce__(self) -> tuple[Any, ...]:
        """The files travel, not what was made of them."""
        return SentDetector, (self.files, self.compute, self.point)
