"""
The plots: the one place where each is listed.

A plot is a module of this package that has its name and a `draw(...) -> Figure` of its subject;
what it has to say besides, as a file beside the picture, comes from its
`beside(...) -> {ending: text}`. To add one, write the module and list it here. Nothing is imported,
since rules name their files with it while the workflow is parsed.
"""

from dataclasses import dataclass
from typing import Literal

Subject = Literal["matrix", "blocks", "pair", "identity"]
"""
A matrix of a group's models, how far their blocks moved, a pair's tables of tensors and blocks, or
a group's identity table.
"""


@dataclass(frozen=True)
class Plot:
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


PLOTS = (
    Plot("heatmap", of="matrix"),
    Plot("tree", of="matrix"),
    Plot("map", of="matrix"),
    Plot("spectral", of="matrix"),
    Plot("line", of="matrix"),
    Plot("blocks", of="blocks"),
    Plot("histograms", of="pair", is_lone=True),
    Plot("sharing", of="identity", is_lone=True),
)


def plots_of(subject: Subject) -> list[Plot]:
    """Return the plots of a subject."""
    return [plot for plot in PLOTS if plot.of == subject]


def pictures(stem: str, subject: Subject, form: Literal["svg", "png"]) -> list[str]:
    """
    Return the files of all pictures of a subject that lies at a stem.

    >>> pictures("results/groups/{group}/identity", "identity", "png")
    ['results/groups/{group}/identity.png']
    """
    return [f"{stem}{plot.ending}.{form}" for plot in plots_of(subject)]
