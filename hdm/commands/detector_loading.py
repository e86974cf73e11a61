"""The detector that answers for a line, in memory."""

from typing import TYPE_CHECKING

import hdm
from hdm.line import Line
from hdm.registry.answering import Answering

if TYPE_CHECKING:
    from hdm.detector.detector import HDM
    from hdm.evaluation.sent_detector import SentDetector

# Torch comes with `hdm.HDM`, when the user has been told that a detector is loaded.


def load_detector(line: Line, found: Answering) -> "HDM":
    """Computed with as the line's settings say; takes seconds. Raises HDMError."""
    compute = line.params.compute
    return hdm.HDM.load(found.folder, device=compute.device, precision=compute.precision,
                        threads=compute.threads, operating_point=found.operating_point)


def sent(line: Line, found: Answering, loaded: "HDM") -> "SentDetector":
    """The same for the workers of a cluster; `found`'s files are read now."""
    from hdm.evaluation.sent_detector import SentDetector

    return SentDetector.of(found.folder, line.params.compute, loaded.operating_point)
