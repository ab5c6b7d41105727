"""
The kinds of pictures: the one place where each is listed.

A kind is a module of this package that has its name and a `draw(...) -> Figure` of its subject;
what it has to say besides, as a file beside the picture, comes from its
`beside(...) -> {ending: text}`. To add one, write the module and list it here. Nothing is imported,
since rules name their files with it while the workflow is parsed.
"""

from dataclasses import dataclass
from typing import Literal

Subject = Literal["matrix", "pair", "identity"]
"""A matrix of a group's models, a pair's table of tensors, or a group's identity table."""


@dataclass(frozen=True)
class Kind:
    """A kind of picture."""

    name: str
    """Its module."""
    of: Subject
    is_lone: bool = False
    """Its files bear the subject's name alone, not its own too."""

    @property
    def ending(self) -> str:
        """What follows the subject's name in the names of files."""
        return "" if self.is_lone else f".{self.name}"


KINDS = (
    Kind("heatmap", of="matrix"),
    Kind("tree", of="matrix"),
    Kind("map", of="matrix"),
    Kind("spectral", of="matrix"),
    Kind("line", of="matrix"),
    Kind("histograms", of="pair", is_lone=True),
    Kind("sharing", of="identity", is_lone=True),
)


def kinds_of(subject: Subject) -> list[Kind]:
    """Return the kinds of pictures of a subject."""
    return [kind for kind in KINDS if kind.of == subject]


def pictures(stem: str, subject: Subject, form: Literal["svg", "png"]) -> list[str]:
    """
    Return the files of all pictures of a subject that lies at a stem.

    >>> pictures("results/groups/{group}/identity", "identity", "png")
    ['results/groups/{group}/identity.png']
    """
    return [f"{stem}{kind.ending}.{form}" for kind in kinds_of(subject)]
