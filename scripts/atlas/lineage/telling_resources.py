"""What telling and drawing recipes takes, by the number of a group's models."""

LIBRARIES_MB = 450
"""pyarrow and matplotlib."""
MODEL_MB = 2.0
"""A model's fits of five components in thirty blocks, with sentences, proofs and claims."""
TOLD_PER_SECOND = 20
DRAWN_PER_SECOND = 1
"""Pictures of one core; a model has up to five."""
COMPONENTS = 5


def telling_mb(models: int) -> int:
    """Return MB of memory to tell a group's recipes, or to draw them."""
    return round(LIBRARIES_MB + models * MODEL_MB)


def telling_minutes(models: int) -> int:
    """Return the minutes of telling, with room to spare."""
    return 10 + round(2 * models / TOLD_PER_SECOND / 60)


def drawing_minutes(models: int) -> int:
    """Return the minutes of drawing, with room to spare, where every component is a merge."""
    return 10 + round(2 * models * COMPONENTS / DRAWN_PER_SECOND / 60)
