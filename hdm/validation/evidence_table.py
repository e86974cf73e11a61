"""From manifest and statistics to the table that the expectations are stated about.

Its cells are written to be read by people, since Data Docs show the unexpected ones.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hdm.dataset.manifest import GOOD

OK = "ok"
_DEPTHS = {1: "grey", 3: "colour"}
# Below these a deviation is no fault, however uniform the training images are.
_EXPOSURE_FLOOR = 0.01
_SATURATION_FLOOR = 0.01
_LOG_SHARPNESS_FLOOR = 0.05


def evidence_table(manifest: pd.DataFrame, statistics: pd.DataFrame,
                   aside: Mapping[str, str] | None = None) -> pd.DataFrame:
    """One row an image: what the manifest says, beside what was measured (same order).

    Columns ending in `_deviation` are robust deviations from the good training images. Files that
    are `aside`, with the reason, follow in rows of which nothing else is known.
    """
    reference = statistics[manifest["split"].eq("train") & manifest["label"].eq(0)]
    saturated = statistics["dark_share"] + statistics["bright_share"]
    table = pd.DataFrame({
        "path": manifest["path"],
        "use": OK,
        "split": manifest["split"],
        "label": manifest["label"],
        "decoding": statistics["problem"].where(~statistics["decodable"], OK),
        "content": _content(statistics),
        "shortest_side": statistics[["width", "height"]].min(axis=1).astype("float64"),
        "mode": _mode(statistics),
        "look": _look(manifest, statistics),
        "contrast": statistics["contrast"],
        "exposure_deviation": deviations(
            statistics["mean"], reference["mean"], _EXPOSURE_FLOOR),
        "saturation_deviation": deviations(
            saturated, saturated[reference.index], _SATURATION_FLOOR),
        "sharpness_deviation": deviations(
            np.log(statistics["sharpness"] + 1e-9), np.log(reference["sharpness"] + 1e-9),
            _LOG_SHARPNESS_FLOOR),
        "mask_decoding": _mask_decoding(statistics),
        "mask_size": _mask_size(statistics),
        "mask_area": statistics["mask_area"],
        "mask_present": statistics["mask_present"],
        "labelling": _labelling(manifest),
        "defect_spelling": _spelling(manifest["defect_type"]),
        "splits_of_content": _splits(manifest, "sha256"),
        # Holdout is opened by nobody: a part may have images there and elsewhere.
        "splits_of_group": _splits(manifest[manifest["split"].ne("holdout")], "group")
        .reindex(manifest.index, fill_value=OK),
    })
    if not aside:
        return table
    rest = pd.DataFrame({"path": list(aside), "use": list(aside.values())})
    return pd.concat([table, rest], ignore_index=True)


def deviations(values: pd.Series, reference: pd.Series, floor: float) -> pd.Series:
    """Distance of `values` from the reference's median in units of its robust spread.

    The spread is 1.4826 times the median absolute deviation (the standard deviation of normally
    distributed values), or `floor` if that is larger. Rounded to 2 decimals; NaN where there is no
    value or reference.
    """
    known: NDArray[np.float64] = reference.dropna().to_numpy(dtype=np.float64)
    if not known.size:
        return pd.Series(np.nan, index=values.index)
    centre = float(np.median(known))
    spread = max(1.4826 * float(np.median(np.abs(known - centre))), floor)
    return ((values - centre) / spread).round(2)


def usual_mode(table: pd.DataFrame) -> str | None:
    """The commonest mode of the good training images, of all images if there are none."""
    train = table["mode"][table["split"].eq("train") & table["label"].eq(0)].dropna()
    modes = train if len(train) else table["mode"].dropna()
    return str(modes.mode().iloc[0]) if len(modes) else None


def _content(statistics: pd.DataFrame) -> pd.Series:
    return statistics["unchanged"].map({True: OK, False: "changed since ingest"}).astype("str")


def _mode(statistics: pd.DataFrame) -> pd.Series:
    text = statistics["bit_depth"].astype("str") + "-bit " + statistics["channels"].map(_DEPTHS)
    return text.where(statistics["decodable"]).astype("str")


def _look(manifest: pd.DataFrame, statistics: pd.DataFrame) -> pd.Series:
    """`ok`, or that an image looks as masks do, where good images are photographs."""
    good = statistics["drawn"][manifest["label"].eq(0)].dropna()
    drawn = statistics["drawn"].fillna(False) & (not len(good) or good.mean() < 0.9)
    return drawn.map({True: "drawn in a few flat tones", False: OK}).astype("str")


def _mask_decoding(statistics: pd.DataFrame) -> pd.Series:
    readable = statistics["mask_problem"].fillna(OK)
    return readable.where(statistics["mask_present"]).astype("str")


def _mask_size(statistics: pd.DataFrame) -> pd.Series:
    def size(prefix: str) -> pd.Series:
        return (statistics[f"{prefix}width"].astype("str") + "×"
                + statistics[f"{prefix}height"].astype("str"))

    text = size("mask_") + " for an image of " + size("")
    matches = statistics["mask_matches_size"]
    return text.mask(matches.fillna(False), OK).where(matches.notna()).astype("str")


def _labelling(manifest: pd.DataFrame) -> pd.Series:
    good = manifest["label"].eq(0)
    text = pd.Series(OK, index=manifest.index)
    normal_only = manifest["split"].isin(("train", "calibration"))
    text = text.mask(~good & normal_only, "a defect in " + manifest["split"])
    disagrees = good.ne(manifest["defect_type"].eq(GOOD))
    return text.mask(disagrees, "label " + manifest["label"].astype("str") + ", defect type "
                     + manifest["defect_type"])


def _spelling(defect_type: pd.Series) -> pd.Series:
    """`ok`, or all spellings of a defect type that differ in case, spaces, '-' or '_' alone."""
    plain = defect_type.str.casefold().str.replace(r"[\s_-]+", "", regex=True)
    spellings = defect_type.groupby(plain).transform(lambda types: " / ".join(sorted(set(types))))
    return spellings.mask(spellings.eq(defect_type), OK)


def _splits(manifest: pd.DataFrame, key: str) -> pd.Series:
    """`ok`, or the names of the several splits that share the row's value of `key`."""
    found = pd.Series(OK, index=manifest.index, dtype="str")
    seen = manifest[[key, "split"]].drop_duplicates()
    several = seen[seen[key].duplicated(keep=False)]
    if len(several):
        names = several.groupby(key)["split"].agg(lambda splits: " and ".join(sorted(splits)))
        told = manifest[key].map(names)
        found = found.mask(told.notna(), told)
    return found
