"""Which physical part a picture shows, read from its name by a rule like `{part}_cam*`."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

PART = "{part}"
_WORDS = {PART: r"([^/]+)", "*": r"[^/]*?", "?": r"[^/]"}
"""`{part}` takes as much as it can, so that `{part}_*` ends at the last underscore."""


def part_reader(rule: str) -> Callable[[str], str | None]:
    """From a picture's path or name to its part; None where the name does not fit the rule.

    rule: the file's name without suffix, with `{part}` where the part's name stands, `*` for any
    text and `?` for one character. With `/` it goes over the folders above, too: `{part}/*` is a
    folder a part. Where `{part}` stands more than once, all of it together names the part. Capital
    and small letters are the same. An empty rule knows no part.
    """
    pieces = re.split(r"(\{part\}|\*|\?)", rule)
    pattern = re.compile("".join(_WORDS.get(piece, re.escape(piece)) for piece in pieces),
                         re.IGNORECASE)
    depth = rule.count("/") + 1

    def read(name: str) -> str | None:
        path = PurePosixPath(name.replace("\\", "/"))
        if not rule or not path.name:
            return None
        found = pattern.fullmatch("/".join([*path.parts[:-1], path.stem][-depth:]))
        return "/".join(found.groups()) if found and found.groups() else None

    return read
