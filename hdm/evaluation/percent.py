"""Shares as people read them, the same wherever they are shown."""

MISSING = "–"


def fraction(value: float | None) -> str:
    """0.9876 as '0.988'; a value that only rounds to 1 stays below it."""
    if value is None or value != value:
        return MISSING
    return "0.999+" if 0.9995 <= value < 1 else f"{value:.3f}"


def percent(value: float | None) -> str:
    """0.051 as '5.1 %'; a value that only rounds to 100 stays below it."""
    if value is None or value != value:
        return MISSING
    return "99.9+ %" if 0.9995 <= value < 1 else f"{value * 100:.1f}".removesuffix(".0") + " %"
