"""Recipes by sketch alone: merges of a library's models, of each dtype, none of them in it."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.library.entries import Entry, read_entry
from atlas.library.gathering import Told, gather
from atlas.library.index import Index
from bench.common.lines import Line, seconds

SHAPES = {
    f"down_blocks.{block}.resnets.{resnet}.conv1.weight": (64, 64, 3, 3)
    for block in range(4)
    for resnet in range(2)
} | {"conv_in.weight": (64, 4, 3, 3), "mid_block.resnets.0.conv1.weight": (64, 64, 3, 3)}
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
SIZES = (0.005, 0.05)
"""By what share of their norm fine-tunes move."""
Weights = dict[str, torch.Tensor]


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make fine-tunes and merges of them up, and find the merges' recipes in the library."""
    tunes, merges = (40, 6) if quick else (160, 24)
    place = folder / "sketched"
    place.mkdir(parents=True, exist_ok=True)
    made = _Made(place)
    library = [made.entry(f"tune{number:03d}", made.tune(number)) for number in range(tunes)]
    index = Index(library)
    names = [entry.model for entry in library]
    draw = np.random.default_rng(16)
    for dtype, kind in DTYPES.items():
        right, errors, surprises, took = 0, [0.0], [], 0.0
        for _ in range(merges):
            count = int(draw.integers(2, 4))
            parents = [str(each) for each in draw.choice(names, count, replace=False)]
            shares = [1 / count + 0.1 * (at - (count - 1) / 2) for at in range(count)]
            truth = dict(zip(parents, shares, strict=True))
            part = made.entry("merge", made.merge(truth, kind)).part("unet")
            assert part is not None
            start = time.perf_counter()
            found = gather(part, index)
            took += time.perf_counter() - start
            if not found or found[0].told is not Told.BY_SKETCH or not found[0].weights:
                continue
            told = dict(zip(found[0].parents, found[0].weights, strict=True))
            if told.keys() != truth.keys():
                continue
            right += 1
            off = {each: abs(told[each] - truth[each]) for each in truth}
            errors.append(max(off.values()))
            known = dict(zip(found[0].parents, found[0].errors or (), strict=True))
            surprises += [off[each] / known[each] for each in truth if known.get(each)]
        what = f"{merges} {dtype} merges of 2 and 3 of {tunes} models"
        spread = np.sqrt(np.mean(np.square(surprises))) if surprises else np.nan
        yield Line(f"{what}: right parents", f"{merges}", f"{right}", right / merges, "≥ 1")
        yield Line(
            f"{what}: largest error of a weight", "0.02", f"{max(errors):.2g}",
            max(errors) / 0.02, "≤ 1",
        )  # fmt: skip
        yield Line(f"{what}: errors by told standard errors", "1", f"{spread:.2g}")
        yield Line(f"{what}: time of one", "", seconds(took / merges))


class _Made:
    """Models as diffusers folders, and their entries."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._generator = torch.Generator().manual_seed(0)
        self._base = self._normal(0.05)
        self._tunes: dict[str, Weights] = {}

    def _normal(self, scale: float) -> Weights:
        return {
            key: scale * torch.randn(shape, generator=self._generator)
            for key, shape in SHAPES.items()
        }

    def tune(self, number: int) -> Weights:
        """Return a fine-tune in float16; every third one of an earlier tune."""
        low, high = np.log(SIZES)
        size = float(np.exp(low + (high - low) * ((number * 7) % 10) / 10))
        of = self._tunes[f"tune{number // 2:03d}"] if number % 3 == 2 else self._base
        change = self._normal(0.05 * size)
        made = {key: (of[key].float() + change[key]).half() for key in SHAPES}
        self._tunes[f"tune{number:03d}"] = made
        return made

    def merge(self, truth: dict[str, float], kind: torch.dtype) -> Weights:
        """Return a weighted sum, rounded once."""
        return {
            key: sum(share * self._tunes[model][key].double() for model, share in truth.items()).to(
                kind
            )  # type: ignore[union-attr]
            for key in SHAPES
        }

    def entry(self, model: str, weights: Weights) -> Entry:
        """Return the entry of a model of these weights."""
        folder = self._place / model
        (folder / "unet").mkdir(parents=True, exist_ok=True)
        save_file(weights, folder / "unet" / "diffusion_pytorch_model.safetensors")
        opened = open_checkpoint(folder)
        file = self._place / f"{model}.parquet"
        sealed.write(fingerprint.table(opened), file, fingerprint.notes(opened))
        found = read_entry(model, model, file)
        assert found is not None
        return found
