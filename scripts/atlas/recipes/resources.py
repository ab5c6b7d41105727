"""What fitting the recipes of a group takes, by its number of models."""


def fitting_mb(models: int) -> int:
    """
    Return the memory in MB.

    Of each component at hand, squares of all pairs by block; of the tensors of all models with
    their parents, squares of at most a few dozen numbers.
    """
    return 600 + int(3 * models + 0.0012 * models**2)


def fitting_minutes(models: int) -> int:
    """Return the minutes, beside reading: each target against all pairs of candidates."""
    return 5 + int(models / 60 + models**3 / 4e7)
