"""What is said of a recipe: one word for each part of a model."""

from enum import StrEnum


class Verdict(StrEnum):
    """How a part of a model follows from other models, as tables have it."""

    COPY = "copy"
    """Another model has the same weights bit for bit."""
    CAST = "cast"
    """They are another model's, rounded to the dtype."""
    RECOVERED = "recovered"
    """A weighted sum of the parents leaves no more than rounding does."""
    EQUAL = "equal"
    """The parents are the same here, or but for one rounding: any weights give this part."""
    APPROXIMATE = "approximate"
    """A weighted sum comes near and leaves more than rounding: other arithmetic, or more to it."""
    UNDETERMINED = "undetermined"
    """Rounding hides the weights."""
    NONE = "none"
    """No other model, and no sum of them, explains it: a fine-tune, or a parent that is missing."""
    NOT_COMPARED = "not compared"
    """No distances to others are known."""


class Form(StrEnum):
    """What kind of sum a recipe is."""

    CONVEX = "convex"
    """Weights from 0 to 1 that sum to 1: it names the child, as no parent of it has such a form."""
    SIGNED = "signed"
    """They sum to 1, some are negative: an add-difference, whose direction no weights tell."""
    SCALED = "scaled"
    """They do not sum to 1."""
