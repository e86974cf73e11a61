"""Which test images count where a part of every picture is ignored."""

from hdm.dataset.ignore_mask import inspected_only
from hdm.dataset.images import read_mask
from hdm.dataset.manifest import Manifest, Row


def inspected(test: Manifest, ignored: str) -> tuple[Manifest, int]:
    """The split without defective images whose defect, as their mask marks it, lies in ignored
    places alone, and how many these are: nobody wants them found, and good they are not either.

    ignored: the ignore mask as text. Raises DataError if a mask cannot be read.
    """
    if not ignored:
        return test, 0
    counts = [not _hidden(test, row, ignored) for row in test]
    return Manifest(test.frame[counts].reset_index(drop=True), test.root, test.masks), \
        len(counts) - sum(counts)


def _hidden(test: Manifest, row: Row, ignored: str) -> bool:
    file = test.mask_file(row) if row.label else None
    if file is None:
        return False
    mask = read_mask(file)
    return bool(mask.any()) and not inspected_only(ignored, mask).any()
