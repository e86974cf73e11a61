"""What is to be known of a detector beside its network."""

from typing import Any

from hdm.detector.detector import HDM


def facts_of(detector: HDM) -> dict[str, Any]:
    """Threshold, operating point, calibration and input as plain values; pixel is (slope, bias) of
    the anomaly map, ignored the ignore mask as text."""
    calibration, form = detector.calibration, detector.form
    mask = form.ignore_mask
    return {"threshold": detector.threshold, "pixel": list(calibration.pixel),
            "operating_point": detector.operating_point.as_dict(),
            "calibration_images": len(calibration.normal_scores),
            "calibration_parts": len(calibration.part_scores),
            "ignored": form.ignored, "ignored_share": mask.share if mask else 0.0,
            "smallest_rate": calibration.smallest_rate,
            "decidability": None if detector.decidability is None
            else detector.decidability.limits.as_dict(),
            "input": {"height": form.height, "width": form.width, "channels": form.channels,
                      "fit": form.fit, "scale": form.scale}}
