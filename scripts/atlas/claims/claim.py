"""What is said of a model's making, in one form for all who say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from atlas.names.block_order import in_order
from atlas.names.components import DENOISERS, EMA, part_of

WHOLE = "*"
"""Component of what is said of a whole model; block of what is said of a whole component."""


PARTS = ("denoiser", "text_encoder", "vae")
"""Parts of a model that mergers merge."""


class Kind(StrEnum):
    """How a model is said to come from its parents, as tables have it."""

    WEIGHTED_SUM = "weighted sum"
    ADD_DIFFERENCE = "add difference"
    """Some weights are negative, or do not sum to 1."""
    FINE_TUNE = "fine-tune"
    CAST = "cast"
    COPY = "copy"
    PRUNE = "prune"
    RENAME = "rename"
    COMPONENT_OF = "component of"
    """One component was taken over."""
    LORA = "lora"
    """A LoRA was added to the parents, or the model is one that was trained on a parent."""
    EPOCH = "epoch of run"
    """A state of a training run, whose states have an order."""
    DATE = "date"
    """When it was made, in seconds since 1970."""
    OTHER = "other arithmetic"
    """What no sum of weights tells, or what was said in no form that is known."""


@dataclass(frozen=True)
class Parent:
    """A model that another one is said to be made from."""

    name: str
    """As the claim has it: a file's name, a title, an id, or a hash where it tells no more."""
    weight: float | None = None
    sha256: str = ""
    """Of its file, 64 hexadecimal digits, or fewer where the claim has fewer; "" if not told."""
    legacy_hash: str = ""
    """Of its file, as the old web UIs take it: 8 hexadecimal digits, or ""."""
    model: str = ""
    """Id in the roster, where it was found there."""
    how: str = ""
    """By what it was found: see `matching.How`."""


@dataclass(frozen=True)
class Claim:
    """What one source says of one part of a model."""

    source: str
    kind: Kind
    component: str = WHOLE
    block: str = WHOLE
    parents: tuple[Parent, ...] = ()
    order: float | None = None
    """Of models that one run left: steps, else epochs."""
    detail: str = ""
    """One line of words."""
    inherited: bool = False
    """Whether it seems to be a parent's, taken over with its metadata."""


@dataclass(frozen=True)
class Held:
    """The parts that a model has, by which what is said of parts is laid out."""

    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Component to its blocks, in the network's order."""

    @classmethod
    def of(cls, parts: Mapping[str, set[str]]) -> "Held":
        """Return the same of components and their blocks in any order."""
        return cls({name: tuple(in_order(blocks)) for name, blocks in sorted(parts.items())})

    @property
    def models(self) -> Mapping[str, tuple[str, ...]]:
        """The same of denoiser, text encoders and VAE; those of a usual model if none are known."""
        found = {name: blocks for name, blocks in self.blocks.items() if part_of(name) in PARTS}
        found.pop(EMA, None)
        return found or dict.fromkeys(("unet", "text_encoder", "vae"), (WHOLE,))

    @property
    def denoiser(self) -> str:
        """The component that is run at every step: `unet` where none is known."""
        return next((name for name in DENOISERS if name in self.blocks), DENOISERS[0])

    @property
    def text_encoders(self) -> tuple[str, ...]:
        """The text encoders: one where none is known."""
        found = tuple(name for name in self.blocks if part_of(name) == "text_encoder")
        return found or ("text_encoder",)
