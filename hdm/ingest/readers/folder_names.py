"""What folders and files are called on disks of plants, whatever their case and hyphens."""

import re

from hdm.ingest.readers.label_words import BAD_WORDS, GOOD_WORDS, MISSING_WORDS, plain

_BAD_STEMS = re.compile(r"defect|anomal|fault|reject|fail")
_SPLIT_WORDS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation"})
_MASK_WORDS = re.compile(
    r".*masks?|maske|masken|gts?|groundtruths?|labels?|labell?ed|annots?|annotations?|"
    r"segm?s?(maps?)?|segment(s|ed|ations?)?(maps?)?")
_IMAGE_WORDS = frozenset({"image", "images", "img", "imgs", "rgb", "raw", "pictures", "bilder"})
_SUFFIX = re.compile(
    r"(?P<stem>.+?)[ _.-]*(?<![a-z])(masks?|gt|ground[ _-]?truth|labels?|seg|segmentation|anno|"
    r"annotation)(?P<number>[ _.-]*\d+)?", re.IGNORECASE)
_PREFIX = re.compile(r"(mask|gt|label|seg)[ _.-]+(?P<stem>.+)", re.IGNORECASE)
_SECOND_SUFFIX = re.compile(r"(?P<stem>.+)\.(png|jpe?g|tiff?|bmp)", re.IGNORECASE)


def means_good(name: str) -> bool:
    """Whether a folder of this name holds good parts."""
    return plain(name) in GOOD_WORDS


def sounds_good(name: str) -> bool:
    """Whether a name speaks of good parts, of a split or of unjudged ones, but does not say so
    plainly: `good2`, `OK_new`, `train`, `unlabeled`."""
    words = {word for word in re.split(r"[\W\d_]+", name.casefold()) if word}
    return not means_good(name) and not means_bad(name) and not words & BAD_WORDS and \
        bool(words & (GOOD_WORDS | _SPLIT_WORDS | MISSING_WORDS))


def means_bad(name: str) -> bool:
    """Whether a folder of this name holds defective parts, of whatever kind."""
    word = plain(name).rstrip("0123456789")
    return word in BAD_WORDS or bool(_BAD_STEMS.match(word))


def means_masks(name: str) -> bool:
    """Whether a folder of this name may hold masks; what lies in it has to agree."""
    return bool(_MASK_WORDS.fullmatch(plain(name)))


def means_images(name: str) -> bool:
    """Whether a folder's name says nothing but that there are pictures in it."""
    return plain(name) in _IMAGE_WORDS


def stem_of_image(stem: str) -> str | None:
    """`a_mask`, `a_GT`, `a-label_2`, `mask_a` -> `a`; None for a name that is no mask's."""
    for pattern in (_SUFFIX, _PREFIX):
        if found := pattern.fullmatch(stem):
            return found["stem"]
    return None


def stems_of_image(stem: str) -> tuple[str, ...]:
    """The stems, most likely first, of the image that a file in a folder of masks belongs to."""
    found = [stem]
    if (told := _SUFFIX.fullmatch(stem)) and told["number"]:
        found.append(told["stem"] + told["number"])  # part_mask_1 is of part_1, if there is one
    found.append(stem_of_image(stem) or "")
    if second := _SECOND_SUFFIX.fullmatch(stem):
        found.append(second["stem"])
    return tuple(name.casefold() for name in found if name)
