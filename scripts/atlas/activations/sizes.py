"""Bytes as people read them."""

NOTHING = "–"
"""In place of what is not known."""


def size(value: float | None) -> str:
    """
    Return bytes in decimal units, with three digits or more.

    >>> size(393216), size(20129448000), size(None)
    ('393 KB', '20.1 GB', '–')
    """
    if value is None:
        return NOTHING
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if value >= factor:
            number = value / factor
            decimals = 0 if number >= 100 else 1 if number >= 10 else 2
            return f"{number:,.{decimals}f} {unit}"
    return f"{value:.0f} B"
