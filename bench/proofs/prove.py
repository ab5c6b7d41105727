"""Prove a merge of two parents, beside plainly reading the three files."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xxhash

from atlas.basis import sealed
from atlas.fingerprints import fingerprint
from atlas.fingerprints.elements.files import OpenFiles
from atlas.fingerprints.renamings import Renamings
from atlas.proofs.arithmetic import BY_NAME
from atlas.proofs.holdings import Holdings
from atlas.proofs.parts import Recipe, part_of
from atlas.proofs.proof import prove
from atlas.proofs.rounding import stored
from atlas.recipes.tables import WHOLE
from bench.common.lines import Line, seconds, size
from stored import checkpoint

TENSOR = 1 << 20
"""Elements of each tensor."""
PIECE = 1 << 20
"""Bytes that plain reading takes at a time."""
KINDS = {"f16": np.float16, "f32": np.float32}


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Merge by the arithmetic of A1111 and of sd-mecha, and prove it."""
    for dtype, name in (("f16", "native weighted sum"), ("f32", "fused lerp")):
        place = folder / f"proofs-{dtype}"
        place.mkdir(parents=True, exist_ok=True)
        yield from _proof(place, dtype, name, tensors=8 if quick else 64)


def _proof(place: Path, dtype: str, name: str, *, tensors: int) -> Iterator[Line]:
    held = _made(place, dtype, name, tensors)
    recipe = Recipe("child", "unet", WHOLE, ("a", "b"), (0.7, 0.3), (1e-4,) * 2, ((), ()), {})
    plain, nbytes = _read([place / model for model in ("child", "a", "b")])
    start = time.process_time()
    proof = prove(part_of(recipe, held), OpenFiles())
    taken = time.process_time() - start
    tried = len(proof.attempts)
    what = f"{dtype}, {name}, {size(nbytes)}, {proof.attempts[0].verdict} ({tried} ways counted)"
    yield Line(f"{what}: processor time beside reading and hashing", seconds(plain), seconds(taken),
               taken / plain)  # fmt: skip
    yield Line(f"{what}: read in a second of it", size(nbytes / plain), size(nbytes / taken))


def _made(place: Path, dtype: str, name: str, tensors: int) -> Holdings:
    """Write two parents and their merge where they are not there yet, and return them."""
    kind = KINDS[dtype]
    generator = np.random.default_rng(0)
    models: dict[str, dict[str, np.ndarray]] = {"a": {}, "b": {}, "child": {}}
    for number in range(tensors):
        key = f"unet/{number:03}"
        base = generator.standard_normal(TENSOR, np.float32) * np.float32(0.05)
        a, b = (
            (base + generator.standard_normal(TENSOR, np.float32) * np.float32(0.005)).astype(kind)
            for _ in range(2)
        )
        values = [each.astype(np.float32) for each in (a, b)]
        made = BY_NAME[name].values(values, (0.7, 0.3), dtype)
        child = stored(made, dtype).view(kind)
        for model, array in (("a", a), ("b", b), ("child", child)):
            models[model][key] = array
    tables = {}
    for model, arrays in models.items():
        tables[model] = place / f"{model}.parquet"
        sealed.write(fingerprint.table(checkpoint(place / model, arrays)), tables[model])
    return Holdings(tables, {model: place / model for model in models}, Renamings())


def _read(files: list[Path]) -> tuple[float, int]:
    """Return the seconds of reading and hashing files, and their bytes."""
    start = time.process_time()
    total = 0
    for path in files:
        digest = xxhash.xxh3_128()
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                total += len(piece)
    return time.process_time() - start, total
