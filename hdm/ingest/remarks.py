"""What ingest tells a person: what it refuses, what it left aside, what cannot be measured."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

import pandas as pd

from hdm.dataset.manifest import GOOD
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.decoding import Facts
from hdm.ingest.readers import Record
from hdm.ingest.readers.image_record import said_of
from hdm.pipelines import Source

_TWO_TONES = 0.9  # share of the good images that are drawn, on a line of two tones


def refuse_unreadable(bad: Mapping[str, str], files: int) -> None:
    """One sentence for all images and masks that cannot be used; raises DataError if there are any.
    """
    if bad:
        named = listing([f"{path} ({why})" for path, why in sorted(bad.items())])
        raise DataError(f"{len(bad)} of {files} files cannot be used: {named}; "
                        "replace or remove them and run the same command again.")


def drawn_images(records: Sequence[Record], facts: Mapping[str, Facts], source: Source, rule: str,
                 ) -> list[str]:
    """Refuse, or note, images that look like masks where good parts are photographs.

    A mask that is learned from as an image is a defect learned as good. Folders that a person has
    named in the source's settings are believed. Raises DataError.
    """
    of_good = [look for record in records if not record.label
               and (look := facts[record.path].drawn) is not None]
    if of_good and of_good.count(True) >= _TWO_TONES * len(of_good):
        return []
    doubtful = [record for record in records if facts[record.path].drawn is not False
                and not said_of(record.path, source.folders).role]
    photographs = {str(PurePosixPath(record.path).with_suffix("")) for record in records
                   if facts[record.path].drawn is False} if doubtful else set()
    drawn = [record.path for record in doubtful
             if facts[record.path].drawn or _belongs(
                 str(PurePosixPath(record.path).with_suffix("")), photographs)]
    if not drawn:
        return []
    text = (f"{len(drawn)} of {len(records)} images are drawn in a few flat tones, as masks are: "
            f"{listing(drawn)}")
    if rule == "warn":
        return [text + "."]
    raise DataError(f"{text}; if they are masks, put them into a folder ground_truth/ or into the "
                    "table's column mask_path, and if they are images, set ingest.drawn_images to "
                    "warn.")


def _belongs(stem: str, photographs: Collection[str]) -> bool:
    """Whether a picture of one value, as an empty mask is, is named after a photograph."""
    return any(stem[:length] in photographs for length in range(len(stem), 0, -1)
               if length == len(stem) or not stem[length].isalnum())


def remark_on_bits(facts: Mapping[str, Facts], bits: int) -> list[str]:
    """What was found in containers of 16 bits."""
    deep = sum(fact.bit_depth == 16 for fact in facts.values())
    return [f"the values of the {deep} images of 16 bits have {bits}: white is {2**bits - 1}."] \
        if deep and bits < 16 else []


def remarks_on(table: pd.DataFrame) -> list[str]:
    """What the split cannot tell later stages."""
    test = table[table["split"] == "test"]
    defects = test[test["defect_type"] != GOOD]
    remarks = []
    if not len(defects):
        remarks.append("test has no defect images: metrics that need defects will be unavailable.")
    elif len(defects) == len(test):
        remarks.append("test has no good images: metrics that compare with good ones will be "
                       "unavailable.")
    bare = int((defects["images"] - defects["masks"]).sum())
    if bare:
        remarks.append(f"{bare} of {int(defects['images'].sum())} defect images in test have no "
                       "mask: pixel metrics leave them out.")
    return remarks
