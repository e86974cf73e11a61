"""COCO's compressed run lengths.

pycocotools decodes them, too, and would be compiled code to install for these few lines; the tests
hold them to its results.
"""


def decode_counts(text: str) -> tuple[int, ...]:
    """The counts that `text` stands for.

    Each is a number of base 32, lowest digit first; a digit is a character from '0' on, in which 32
    says that another follows and 16, in the last one, that the number is negative. From the fourth
    on, a count is the difference from the one before the last. Raises ValueError for other text.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        digit = ord(character) - 48
        if not 0 <= digit < 64:
            raise ValueError(f"no text of run lengths ({character!r})")
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("cut off")
    return tuple(counts)
