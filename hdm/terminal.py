"""Text for a terminal: a file's name, which anybody may choose, may hold commands for it."""

import sys
from typing import IO

TURNING = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that change the direction of reading, and so what a name seems to be."""
_SHOWN = {code: chr(code).encode("unicode_escape").decode()
          for code in (*range(32), *range(127, 160), 0x2028, 0x2029, *map(ord, TURNING))
          if chr(code) not in "\n\t"}


def harmless(text: str) -> str:
    """`text` with control characters shown as escapes such as \\x1b; line feeds and tabs stay."""
    return text.translate(_SHOWN)


def say(text: str, file: IO[str] | None = None) -> None:
    """Print a line that may name what others named."""
    print(harmless(text), file=file or sys.stdout)
