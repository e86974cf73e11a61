"""A version looks at one picture again, for a person who wants to see its anomaly map."""

import threading
from collections import OrderedDict
from typing import Any

from hdm.dataset.images import read_image
from hdm.home.line_pictures import beside_its_map, known_picture
from hdm.line import Line
from hdm.registry.answering import Choice, answering

KEPT = 2
"""Detectors in memory: two versions are compared."""
SEEN = 256
"""Pictures in memory, of some 100 kB each."""


class SecondLook:
    """Detectors are loaded when they are asked for; one picture at a time is judged."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._detectors: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._seen: OrderedDict[tuple[str, str, str], bytes] = OrderedDict()

    def __call__(self, line: Line, version: int, path: str) -> bytes:
        """The test picture with its ground truth, and the version's anomaly map of it, as a JPEG.

        Raises DataError for an unknown picture, RegistryError for a version that does not load.
        """
        manifest, row = known_picture(line, path)
        key = (line.name, str(version), row.sha256)
        with self._lock:
            if key not in self._seen:
                image = read_image(manifest.image_file(row))
                [found] = self._detector(line, str(version)).predict([image])
                self._seen[key] = beside_its_map(image, manifest.mask_file(row), found.anomaly_map,
                                                 found.ignored)
                if len(self._seen) > SEEN:
                    self._seen.popitem(last=False)
            return self._seen[key]

    def _detector(self, line: Line, version: str) -> Any:
        key = (line.name, version)
        if key not in self._detectors:
            import hdm

            compute = line.params.compute
            with answering(line, Choice(version)) as found:
                made = hdm.HDM.load(found.folder, device=compute.device,
                                    precision=compute.precision, threads=compute.threads,
                                    operating_point=found.operating_point)
            self._detectors[key] = made
            if len(self._detectors) > KEPT:
                self._detectors.popitem(last=False)
        self._detectors.move_to_end(key)
        return self._detectors[key]
