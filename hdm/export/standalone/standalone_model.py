"""The model of this folder: pixels in, decision out, by ONNX Runtime and NumPy alone.

    from standalone_model import Model
    found = Model().judge(pixels)   # a dict: decision, score, p_value, map, regions, ...
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent


class Refused(Exception):
    """What cannot be used, and why, in one sentence."""


class Model:
    """The graph of a folder and what model.json says of it.

    Raises Refused if the folder is incomplete or damaged, or ONNX Runtime is not installed.
    """

    def __init__(self, folder: Path = HERE) -> None:
        try:
            import onnxruntime

            self.facts: dict[str, Any] = json.loads((folder / "model.json").read_text("utf-8"))
            content = (folder / "model.onnx").read_bytes()
            if hashlib.sha256(content).hexdigest() != self.facts["files"]["model.onnx"]:
                raise Refused("model.onnx is not the file that was exported (its SHA-256 is "
                              "another than in model.json); copy the folder again.")
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            self.session = onnxruntime.InferenceSession(content, options,
                                                        providers=["CPUExecutionProvider"])
            inside = json.loads(self.session.get_modelmeta().custom_metadata_map["hdm"])
            if {key: self.facts.get(key) for key in inside} != inside:
                raise Refused("model.json says something else than model.onnx; copy the folder "
                              "again.")
        except ImportError as error:
            raise Refused(f"{error.name} is missing; say "
                          "`python -m pip install -r requirements.txt`.") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(f"the folder {folder} is incomplete or damaged ({error}); copy it "
                          "again.") from None

    def judge(self, pixels: np.ndarray) -> dict[str, Any]:
        """Of (H, W) or (H, W, 3), uint8 or uint16, values as the camera gave them.

        decision: good, defect or undecidable, which is never good; reasons: codes, why; score is
        compared with threshold; p_value: share of good parts expected to score as high; map (H, W)
        in [0, 1]; regions: boxes and outlines of defects in pixels, None without OpenCV.
        Raises Refused for what the graph does not take.
        """
        height, width = pixels.shape[:2]
        if self.facts["size"] and [height, width] != self.facts["size"]:
            return {"decision": "undecidable", "reasons": ["other_size"], "score": None,
                    "threshold": self.facts["threshold"], "p_value": None, "map": None,
                    "regions": None}
        answers = self.session.run(None, {"image": self._native(pixels)[None]})
        names = [output.name for output in self.session.get_outputs()]
        found = {name: values[0] for name, values in zip(names, answers, strict=True)}
        defect = bool(found["defect"])
        decision = "undecidable" if found["undecidable"] else "defect" if defect else "good"
        return {"decision": decision, "reasons": self._reasons(found["figures"], defect),
                "score": float(found["score"]), "threshold": self.facts["threshold"],
                "p_value": float(found["p_value"]), "map": found["anomaly_map"],
                "regions": self._regions(decision, found["anomaly_map"])}

    def _native(self, pixels: np.ndarray) -> np.ndarray:
        if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim not in (2, 3) \
                or not pixels.size or pixels.shape[2:] not in ((), (3,)):
            raise Refused("expected pixels (H, W) or (H, W, 3) of uint8 or uint16, received "
                          f"{pixels.dtype} {pixels.shape}")
        if self.facts["depth"] == 8 and pixels.dtype == np.uint16:
            raise Refused("expected 8 bits a channel, received 16; export with --depth 16")
        if self.facts["depth"] == 16 and pixels.dtype == np.uint8:
            pixels = pixels.astype(np.uint16) * np.uint16(257)  # 255 becomes 65535
        return pixels[..., None] if pixels.ndim == 2 else pixels

    def _reasons(self, figures: np.ndarray, defect: bool) -> list[str]:
        """Codes of all figures beyond what is usual on the line."""
        bound = "bound_of_defects" if defect else "bound"
        return [limit["code"] for limit in self.facts["limits"]
                if (figures[limit["figure"]] - limit[bound]) * (1 if limit["above"] else -1) > 0]

    def _regions(self, decision: str, anomaly_map: np.ndarray) -> list[dict[str, Any]] | None:
        """Where the defects are, as hdm tells them; None where OpenCV is not installed."""
        try:
            from told_regions import RegionRule

            rule = RegionRule.of(self.facts["threshold"], self.facts["pixel"], self.facts["input"])
            ignored = anomaly_map == 0 if self.facts["ignored"] else None
            return [region._asdict() for region in
                    rule.regions(decision, anomaly_map, ignored=ignored).told]
        except ImportError:
            return None
