"""How many bits a line's values have, which cameras put into containers of 16."""

from collections.abc import Iterable, Mapping

from hdm.ingest.decoding import Facts
from hdm.ingest.readers import Record

USUAL = (8, 10, 12, 14, 16)


def value_bits(records: Iterable[Record], facts: Mapping[str, Facts]) -> int:
    """The fewest usual bits that hold every value of the deep images; 16 if there are none."""
    deep = [facts[record.path] for record in records if facts[record.path].bit_depth == 16]
    peaks = [fact.peak for fact in deep]
    return next(bits for bits in USUAL if max(peaks) < 2**bits) if peaks else 16
