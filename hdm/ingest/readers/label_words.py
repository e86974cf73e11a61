"""Words with which people say that a part is good, or that it is not."""

import re
from pathlib import PurePosixPath

from hdm.dataset.manifest import GOOD


def words_of(text: str) -> frozenset[str]:
    """The words of a text, which are between its spaces."""
    return frozenset(text.split())


DEFECT = "defect"
"""Defect type of a part of which only is known that it is not good."""

GOOD_WORDS = words_of("""
    good goods ok okay pass passed normal conforming conform conformant accept accepted
    acceptable defectfree faultfree faultless flawless nodefect nodefects nondefective
    nonanomalous noanomaly nofault clean intact healthy undamaged gut gutteil io inordnung
    fehlerfrei bon conforme bueno buono 良品 合格 正常 良""")
BAD_WORDS = words_of("""
    nok ng nio ko bad fail failed failure reject rejected rejection defect defects defective
    anomaly anomalous anomalies abnormal abnormality faulty fault notok notgood nogood
    nonconforming nonconform nonconformant nonconformity unacceptable outlier scrap scrapped
    schlecht schlechtteil ausschuss defekt fehler fehlerhaft nichtinordnung mauvais malo
    不良 不良品 不合格 异常 異常 缺陷
    """)
TRUE_WORDS = frozenset({"1", "true", "yes", "y", "t", "ja", "j", "x", "oui", "si", "wahr"})
FALSE_WORDS = frozenset({"0", "false", "no", "n", "f", "nein", "non", "falsch"})
NOTHING_WORDS = frozenset({"none", "no", "nothing", "nil", "kein", "keine", "keiner", "nein"})
"""Answers to "which defect?" that mean there is none."""
MISSING_WORDS = frozenset({"", "nan", "na", "null", "none", "nat", "unknown", "unlabeled",
                           "unlabelled", "unlabel", "todo", "tbd", "undefined", "unbekannt",
                           "unsure", "uncertain", "skip"})
"""Cells that say that nobody has judged the part yet."""
_KINDS = words_of("""
    scratch scratches crack cracks dent dents stain stains contamination broken chipped rust
    blowhole pinhole kratzer riss risse delle dellen""")


def plain(word: str) -> str:
    """`Not OK`, `not_ok`, `Not-O.K.` -> `notok`."""
    return re.sub(r"[\W_]+", "", word.casefold())


def number(word: str) -> str | None:
    """`1`, `1.0` and `1,0` as `1`; None for what is no number."""
    try:
        value = float(word.strip().replace(",", "."))
    except ValueError:
        return None
    return f"{value:g}" if value == value else None  # NaN is a missing value


def kind_of_word(word: str) -> str:
    """Defect type of what a category is called: GOOD, DEFECT or a name of its own, as written."""
    known = plain(word)
    return GOOD if known in GOOD_WORDS else DEFECT if known in BAD_WORDS else word.strip()


def told_by_path(path: str) -> str:
    """What the folders of an image say: GOOD, DEFECT or '' (nothing).

    The nearest telling folder decides; where none tells, the words of the file's name.
    """
    file = PurePosixPath(path)
    for folder in reversed(file.parts[:-1]):
        if told := _told(folder):
            return told
    words = re.findall(r"[^\W\d_]+", file.stem.casefold())
    return DEFECT if any(word in BAD_WORDS for word in words) else ""


def _told(folder: str) -> str:
    known = plain(folder)
    return GOOD if known in GOOD_WORDS else DEFECT if known in BAD_WORDS | _KINDS else ""
