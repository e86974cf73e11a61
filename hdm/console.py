"""Rich's console for text that others may have chosen."""

from typing import Any

from rich import console
from rich.text import Text

from hdm.terminal import harmless


class Console(console.Console):
    """Shows control characters of texts as escapes; Rich's own colours stay."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Every text that is printed, also in tables, comes by here."""
        return super().render_str(harmless(text), **options)
