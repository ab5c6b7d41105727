"""
Try to call every class of denoiser that diffusers has, on the meta device, by config/calls alone.

`PYTHONPATH=scripts:tests python -m denoiser_classes` says which of them run.
"""

import inspect
from pathlib import Path
from typing import Any

import torch
import yaml

from atlas.architectures import meta
from atlas.architectures.architecture import Component
from atlas.architectures.calls.arguments import arguments
from atlas.architectures.calls.request import Request, Values

SMALL: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "architectures" / "denoiser_classes.yaml").read_text("utf-8")
)
REMEMBERED = meta.RememberedShapes()


def classes() -> dict[str, type[torch.nn.Module]]:
    """Return the models of diffusers' rooms of transformers and UNets, by name."""
    import diffusers

    rooms = ("diffusers.models.transformers.", "diffusers.models.unets.")
    found = {name: getattr(diffusers, name, None) for name in dir(diffusers)}
    return {
        name: kind
        for name, kind in found.items()
        if inspect.isclass(kind)
        and issubclass(kind, diffusers.ModelMixin)
        and kind.__module__.startswith(rooms)
    }


def request(name: str, values: Values) -> Request:
    """Return sizes that suit a class: 256 pixels, 32 tokens, 17 frames where it makes video."""
    small = SMALL.get(name, {})
    channels = values.get("in_channels") or values.get("in_visual_dim") or 4
    patch = values.get("patch_size") or 1
    patch = patch[-1] if isinstance(patch, tuple | list) else patch
    channels, patch = small.get("latent", [channels, patch])
    video = "3D" in name or "Video" in name or "video" in small
    clip = {"frames": 17, "latent_frames": 5, "rate": 16} if video else {}
    tokens = small.get("tokens", 32)
    return Request(1, 256, 256, 32, 32, channels, patch, tokens, tokens, **clip)


def run(name: str, kind: type[torch.nn.Module]) -> None:
    """Build a class and call it; raises what it raises."""
    config = SMALL.get(name, {}).get("config", {})
    denoiser = Component(name, config)
    with torch.device("meta"):
        module = kind.from_config(config)  # type: ignore[attr-defined]
    torch.nn.Module.to(module, device="meta", dtype=torch.float16)
    module.eval()
    meta.prepare(module)
    bare = Values(Request(1, 1, 1, 1, 1, 1, 1, 1, 1), denoiser, kind)
    sizes = request(name, bare)
    given = arguments(denoiser, kind, sizes, torch.float16, own={}, origin=name)
    with torch.no_grad(), REMEMBERED:
        module(**given)


def main() -> None:
    """Say of each class whether it runs."""
    known = classes()
    count = 0
    for name, kind in known.items():
        try:
            run(name, kind)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error)[:150]}", flush=True)
        else:
            count += 1
            print(f"{name}: runs", flush=True)
    print(f"{count} of {len(known)} run")


if __name__ == "__main__":
    main()
