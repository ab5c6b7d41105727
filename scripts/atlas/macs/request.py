"""What is asked for: architectures, sizes, batch, text and guidance; checked before torch is."""

from collections.abc import Sequence
from dataclasses import dataclass

from atlas.architectures import sizes
from atlas.architectures.architecture import Architecture
from atlas.basis.errors import AtlasError

GROWTH = (512, 2048)
"""Sides in pixels between which the growth of a step's cost is told."""

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Request:
    """One profile of any architecture."""

    resolutions: tuple[Size | str, ...]
    """Sizes in pixels, and "native"."""
    batch: int = 1
    """Images per forward."""
    text_length: int | None = None
    """Text tokens; None for each pipeline's own."""

    @classmethod
    def of(
        cls, resolutions: Sequence[Sequence[int] | str], batch: int, text_length: int | None
    ) -> "Request":
        """Make a request of the settings as YAML has them."""
        made = (size if isinstance(size, str) else (size[0], size[1]) for size in resolutions)
        return cls(tuple(made), batch, text_length)

    def sizes(self, architecture: Architecture) -> list[Size]:
        """Return the sizes asked for, "native" told in pixels, each once."""
        native = (architecture.native, architecture.native)
        found = [native if isinstance(size, str) else size for size in self.resolutions]
        return list(dict.fromkeys(found))


def growth_sizes(architecture: Architecture) -> list[Size]:
    """Return the two sizes for the growth, the larger one cut to what the model can make."""
    small, large = GROWTH
    largest = min(large, architecture.largest or large)
    found = [(side, side) for side in (small, largest) if side >= architecture.native // 2]
    return [size for size in found if problem_of(architecture, size) is None]


def problem_of(architecture: Architecture, size: Size) -> str | None:
    """Return what is wrong with a size for this architecture; None if it can be made."""
    try:
        sizes.check_size(architecture, *size)
    except AtlasError as error:
        return str(error)
    return None


def check(architectures: Sequence[Architecture], request: Request) -> None:
    """
    Check a request against all architectures that it is for.

    A size or text length that only some of them can't make is told in their rows.

    Raises
    ------
    AtlasError
        for a batch that is not possible, or a size or text length that none of them can make.
    """
    sizes.check_batch(request.batch)
    texts = [text_fault(entry, request.text_length) for entry in architectures]
    faults = list(filter(None, texts)) if all(texts) else []
    for size in request.resolutions:
        if isinstance(size, tuple):
            problems = [problem_of(entry, size) for entry in architectures]
            if all(problems):
                faults.append(str(problems[0]))
    if faults:
        raise AtlasError("\n".join(dict.fromkeys(faults)))


def text_fault(architecture: Architecture, text_length: int | None) -> str | None:
    """Return what is wrong with a text length; models without text have none to be wrong."""
    if text_length is None or architecture.text is None:
        return None
    try:
        sizes.text_tokens(architecture, text_length)
        for name, encoder in architecture.text_encoders.items():
            sizes.encoder_tokens_for(architecture, name, encoder, text_length)
    except AtlasError as error:
        return str(error)
    return None
