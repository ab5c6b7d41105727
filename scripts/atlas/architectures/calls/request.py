"""What inputs of a denoiser are wanted: sizes that are known to be possible."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from atlas.architectures.architecture import Component


@dataclass(frozen=True)
class Request:
    """Sizes of one forward. Each is a name in the expressions of config/calls."""

    batch: int
    width: int
    """In pixels."""
    height: int
    """In pixels."""
    columns: int
    """Width in latent pixels."""
    rows: int
    """Height in latent pixels."""
    channels: int
    """Of the denoiser's input per latent pixel: the latent's and what is appended to it."""
    patch: int
    """Latent pixels per token along a side."""
    tokens: int
    """Text tokens that the denoiser is given."""
    attended: int
    """Text tokens that are left after the denoiser has dropped the padding."""
    frames: int = 0
    """Of the video; 0 for an image."""
    latent_frames: int = 1
    """Frames of the latent; 1 for an image."""
    rate: int = 0
    """Frames per second; 0 for an image."""
    references: int = 0
    """Reference images whose tokens are appended to the image's."""
    reference_columns: int = 0
    """Width of a reference image in latent pixels."""
    reference_rows: int = 0
    """Height of a reference image in latent pixels."""

    @property
    def image_tokens(self) -> int:
        """Tokens of the image or video itself."""
        return self.latent_frames * (self.columns // self.patch) * (self.rows // self.patch)

    @property
    def reference_tokens(self) -> int:
        """Tokens of one reference image."""
        return (self.reference_columns // self.patch) * (self.reference_rows // self.patch)

    @property
    def visual_tokens(self) -> int:
        """Tokens of the image and of all reference images."""
        return self.image_tokens + self.references * self.reference_tokens

    def symbols(self) -> dict[str, int]:
        """Return all sizes by name."""
        further = ("image_tokens", "reference_tokens", "visual_tokens")
        return asdict(self) | {name: getattr(self, name) for name in further}


class Values(Mapping[str, Any]):
    """
    What names in expressions stand for: sizes, then the configuration, then its class's defaults.

    Parameters
    ----------
    request
        The sizes.
    denoiser
        Its configuration and the name of its class.
    kind
        The class.
    """

    def __init__(self, request: Request, denoiser: Component, kind: type[torch.nn.Module]) -> None:
        parameters = inspect.signature(kind.__init__).parameters.values()
        defaults = {
            p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty
        }
        self._values = {**defaults, **denoiser.config, **request.symbols()}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
