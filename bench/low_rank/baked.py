"""Look for LoRAs in pairs of UNets' blocks, beside reading them; and what is right of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

import adapters
from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.fingerprints.elements.files import OpenFiles
from atlas.low_rank.differences import Models, matrices
from atlas.low_rank.tables import of_pair
from atlas.low_rank.verdicts import Verdict
from bench.common.lines import Line, seconds
from bench.low_rank import pretended

WIDTHS = (320, 320, 640, 640, 1280, 1280)
"""Of the transformer blocks: of each width of Stable Diffusion 1.5 some."""
TEXT = 768


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make a base, a LoRA on it and a full tune; then made-up models of all kinds."""
    place = folder / "low-rank"
    place.mkdir(parents=True, exist_ok=True)
    try:
        yield from _times(place, WIDTHS[: 2 if quick else None])
    finally:
        shutil.rmtree(place)
    models = 20 if quick else 200
    yield from _verdicts(models)
    widths = (320, 640) if quick else (320, 640, 1280, 2560)
    cases = [
        (rank, dtype, width) for rank in (8, 32) for dtype in ("f16", "bf16") for width in widths
    ]
    exact = sum(pretended.wide(*case) for case in cases)
    what = f"ranks 8 and 32, {widths[0]} to {widths[-1]} wide, float16 and bfloat16: exact"
    yield Line(what, f"{len(cases)}", f"{exact}", exact / len(cases), "≥ 1")


def _times(place: Path, widths: tuple[int, ...]) -> Iterator[Line]:
    shapes = dict(_shapes(widths))
    generator = np.random.default_rng(0)
    base = {name: adapters.weights(generator, *shape) for name, shape in shapes.items()}
    tuned = {
        "lora": lambda *shape: adapters.lora(generator, *shape, 32),
        "full": lambda *shape: adapters.unit(generator.standard_normal(shape)),
    }
    prints = {"base": _stored(place / "base.safetensors", base)}
    for name, make in tuned.items():
        changed = {
            key: held + 0.03 * np.linalg.norm(held) * make(*held.shape)
            for key, held in base.items()
        }
        prints[name] = _stored(place / f"{name}.safetensors", changed)
    homes = dict.fromkeys(prints, place)
    megabytes = 2 * sum(held.size for held in base.values()) * 2 / 1e6
    for name, verdict in (("lora", Verdict.LORA), ("full", Verdict.FULL)):
        models = Models({each: prints[each] for each in ("base", name)}, homes, None)
        files, start = OpenFiles(), time.perf_counter()
        for difference in models.differences("base", name):
            matrices(files, difference)
        read = time.perf_counter() - start
        start = time.perf_counter()
        found = of_pair(models, "base", name)
        took = time.perf_counter() - start
        assert set(found["verdict"]) == {verdict}, found
        what = f"{name}: a pair of {len(base)} tensors, {megabytes:,.0f} MB, beside reading them"
        yield Line(what, seconds(read), seconds(took), took / read)


def _verdicts(models: int) -> Iterator[Line]:
    tunes, _ = pretended.counted(models, is_adapter=False)
    called = tunes[Verdict.LORA] + tunes[Verdict.LOHA]
    yield Line(f"{models} full tunes: called a LoRA", "", f"{called}", called / models, "≤ 0")
    lora, wrong = pretended.counted(models, is_adapter=True)
    said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(lora.items()))
    yield Line(f"{models} LoRAs, 0.03 to 10 %: {said}; of another rank", "", f"{wrong}")


def _shapes(widths: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, int]]]:
    for number, width in enumerate(widths):
        block = f"down_blocks.{number}.attentions.0.transformer_blocks.0"
        for name in ("to_q", "to_k", "to_v", "to_out.0"):
            yield f"{block}.attn1.{name}.weight", (width, width)
            columns = TEXT if name in ("to_k", "to_v") else width
            yield f"{block}.attn2.{name}.weight", (width, columns)
        yield f"{block}.ff.net.0.proj.weight", (8 * width, width)
        yield f"{block}.ff.net.2.weight", (width, 4 * width)


def _stored(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """Write float16 weights and their fingerprint, and return its path."""
    save_file({f"unet/{name}": held.astype(np.float16) for name, held in arrays.items()}, path)
    opened = open_checkpoint(path)
    table = path.with_suffix(".parquet")
    sealed.write(fingerprint.table(opened), table, fingerprint.notes(opened))
    return table
