"""
Measure what plans of datasets of activations take for granted (config/activations/plan.yaml).

`python -m bench.activations.footprints` runs each part in a process of its own and prints what it
took: libraries, forwards on a CPU beside the activations that shapes tell, UMAP, and PNG.
"""

import argparse
import io
import json
from collections.abc import Callable
from typing import Any

from bench.common import measuring

LADDERS = {
    "tiny": ((32, 64), 32, 3),
    "narrow": ((32, 32, 64, 96, 128), 128, 1),
    "middling": ((64, 128, 256, 256), 64, 3),
}
"""Channels of a UNet's levels, its side in pixels and its channels of an image."""
POINTS = ((2000, 64), (2000, 256), (8000, 64), (8000, 256))


def imports() -> dict[str, Any]:
    """Import what a job that draws needs."""
    import h5py
    import PIL.Image
    import pyarrow.parquet
    import torch
    from diffusers import UNet2DModel

    return {
        "of": [each.__name__ for each in (h5py, PIL.Image, pyarrow.parquet, torch, UNet2DModel)]
    }


def _network(name: str, device: str) -> Any:
    import torch
    from diffusers import UNet2DModel

    channels, side, depth = LADDERS[name]
    with torch.device(device):
        network = UNet2DModel(
            sample_size=side,
            in_channels=depth,
            out_channels=depth,
            layers_per_block=4 if len(channels) > 4 else 2,
            block_out_channels=channels,
            down_block_types=_blocks(len(channels), "DownBlock2D"),
            up_block_types=_blocks(len(channels), "UpBlock2D")[::-1],
            attention_head_dim=32,
            norm_num_groups=16,
        )
    return network.eval().requires_grad_(False)


def _blocks(levels: int, kind: str) -> tuple[str, ...]:
    plain = min(2, levels - 1)
    return tuple(f"Attn{kind}" if level >= plain else kind for level in range(levels))


def forward(name: str, batch: int) -> dict[str, Any]:
    """Run forwards of a network of random weights."""
    import time

    import torch

    imports()
    torch.set_num_threads(1)
    network = _network(name, "cpu")
    _, side, depth = LADDERS[name]
    sample = torch.randn(batch, depth, side, side)
    begun = time.perf_counter()
    with torch.inference_mode():
        for _ in range(3):
            network(sample, torch.ones(batch))
    return {"seconds": (time.perf_counter() - begun) / 3}


def shapes(name: str, batch: int) -> dict[str, Any]:
    """Tell weights, activations and MACs of a forward from shapes alone."""
    import torch

    from atlas.architectures import counting, memory

    network = _network(name, "meta")
    _, side, depth = LADDERS[name]
    sample = torch.empty(batch, depth, side, side, device="meta")
    given = {"sample": sample, "timestep": torch.ones(batch, device="meta")}
    live = memory.live_bytes(network, given, pixels=side**2)
    weights = sum(each.numel() * each.element_size() for each in network.parameters())
    macs = counting.count(network, given).total
    return {"weights": weights, "activations": max(live.half), "macs": macs}


def umap(samples: int, features: int) -> dict[str, Any]:
    """Lay out random points; none where both numbers are 0, which tells what libraries take."""
    import numpy as np
    from umap import UMAP

    generator = np.random.default_rng(0)
    few = generator.standard_normal((100, 8), np.float32)
    UMAP(n_neighbors=5, random_state=0, n_jobs=1, n_epochs=2).fit_transform(few)
    if samples:
        points = generator.standard_normal((samples, features), np.float32)
        UMAP(n_neighbors=15, random_state=0, n_jobs=1, n_epochs=20).fit_transform(points)
    return {}


def images() -> dict[str, Any]:
    """Tell bits per pixel of PNG: photographs in colour, and the same in grey as three channels."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_sample_images

    told: dict[str, Any] = {}
    for side in (64, 128, 256, 512):
        for kind, mode in (("colour", "RGB"), ("grey", "L")):
            bits = []
            for photograph in load_sample_images().images:
                whole = Image.fromarray(np.asarray(photograph))
                square = whole.crop((0, 0, whole.height, whole.height)).resize((side, side))
                file = io.BytesIO()
                square.convert(mode).convert("RGB").save(file, format="PNG", compress_level=4)
                bits.append(8 * len(file.getvalue()) / side**2)
            told[f"{kind} {side}"] = round(float(np.mean(bits)), 1)
    return told


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "imports": imports,
    "forward": forward,
    "shapes": shapes,
    "umap": umap,
    "images": images,
}


def _all() -> None:
    def run(*arguments: object) -> measuring.Process:
        return measuring.run("bench.activations.footprints", *arguments)

    print(json.dumps(measuring.machine()))
    libraries = run("imports").peak_bytes
    print(f"libraries to draw: {libraries / 1e6:.0f} MB", flush=True)
    for name in LADDERS:
        for batch in (1, 8):
            told = run("shapes", name, batch).said
            held = run("forward", name, batch)
            rest = held.peak_bytes - libraries - told["weights"]
            print(
                f"{name}, batch {batch}: weights {told['weights'] / 1e6:.0f} MB, activations "
                f"{told['activations'] / 1e6:.0f} MB, took {rest / 1e6:.0f} MB beside libraries "
                f"and weights ({rest / told['activations']:.2f} times), "
                f"{told['macs'] / held.said['seconds'] / 1e9:.1f} GMAC/s",
                flush=True,
            )
    empty = run("umap", 0, 0).peak_bytes
    print(f"libraries to embed: {empty / 1e6:.0f} MB", flush=True)
    for samples, features in POINTS:
        rest = run("umap", samples, features).peak_bytes - empty
        print(f"umap of {samples} x {features}: {rest / samples:.0f} B a sample", flush=True)
    print(f"bits a pixel: {run('images').said}")


def main() -> None:
    """Run all parts, or the one that is named, whose answer is printed as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS)
    parser.add_argument("values", nargs="*")
    given = parser.parse_args()
    if given.part is None:
        _all()
        return
    values = [int(value) if value.isdecimal() else value for value in given.values]
    print(json.dumps(PARTS[given.part](*values)))


if __name__ == "__main__":
    main()
