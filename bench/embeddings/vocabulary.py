"""
Compare two vocabularies of 49,408 x 1,280 in files, beside whole arrays in numpy.

A third of the rows is trained, the others shrank by decay: the case with the most work. The
baseline loads both tables as float64 and takes distances, norms, cosines and scales in one line
each, and says only which rows are equal: no roundings, no common factor, no check of the files.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.common.lines import Line, seconds, size
from bench.common.measuring import median, run

NAME = "text_encoder/text_model.embeddings.token_embedding.weight"
ROWS, WIDTH = 49_408, 1_280
TURNS = 3


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Run both ways in turns, each in a process of its own; files are in the page cache."""
    rows = ROWS // 8 if quick else ROWS
    for kind in ("f32", "f16"):
        place = folder / f"vocabulary-{kind}-{rows}"
        made = run("bench.embeddings.vocabulary", "make", place, kind, rows).said
        taken: dict[str, list[tuple[float, int]]] = {"numpy": [], "ours": []}
        for _ in range(TURNS):
            for way, done in taken.items():
                process = run("bench.embeddings.vocabulary", way, place, kind, rows)
                done.append((process.said["seconds"], process.peak_bytes))
        whole, own = (median([wall for wall, _ in done]) for done in taken.values())
        heaviest = [max(peak for _, peak in done) for done in taken.values()]
        what = f"vocabularies of {rows:,} x {WIDTH:,} {kind} ({size(made['bytes'])})"
        ratio = None if quick else own / whole
        yield Line(f"{what}: time", seconds(whole), seconds(own), ratio, "≤ 1.5")
        ratio = None if quick else heaviest[1] / heaviest[0]
        yield Line(f"{what}: peak memory", *map(size, heaviest), ratio, "≤ 0.25")


def make(place: Path, kind: str, rows: int) -> dict[str, float]:
    """Write a base, a tuned copy, and their fingerprints."""
    from atlas.basis import sealed
    from atlas.fingerprints import fingerprint
    from stored import DTYPES, checkpoint

    place.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(0)
    base = 0.014 * draws.standard_normal((rows, WIDTH), np.float32)
    tuned = base * np.float32(0.9995)
    tuned[::3] += 1e-3 * draws.standard_normal(tuned[::3].shape, np.float32)
    written = 0
    for name, array in (("base", base), ("tuned", tuned)):
        held = checkpoint(place / name, {NAME: array.astype(DTYPES[kind])})
        sealed.write(fingerprint.table(held), place / f"{name}.parquet")
        written += (place / name).stat().st_size
    return {"bytes": written}


def whole_arrays(place: Path, kind: str, rows: int) -> dict[str, float]:
    """Return seconds of the obvious way, from the files to all numbers."""
    offset = 3  # of the first tensor in a file of the tests' `stored`
    begin = time.perf_counter()
    a, b = (
        np.fromfile(place / name, f"<f{2 if kind == 'f16' else 4}", offset=offset)
        .reshape(rows, WIDTH)
        .astype(np.float64)
        for name in ("base", "tuned")
    )
    norm, other = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    distance = np.linalg.norm(b - a, axis=1)
    product = (a * b).sum(axis=1)
    equal = (a == b).all(axis=1)
    told = (distance, distance / norm, product / (norm * other), product / norm**2, equal)
    order = np.argsort(-distance)
    return {"seconds": time.perf_counter() - begin, "first": int(order[0]), "told": len(told)}


def ours(place: Path) -> dict[str, float]:
    """Return seconds of the library's way, from the fingerprints to all numbers."""
    begin = time.perf_counter()
    from atlas.embeddings.token_tables import of_fingerprint
    from atlas.embeddings.vocabulary import compare

    base, tuned = (
        of_fingerprint(place / f"{name}.parquet", home=place, component="text_encoder", label=name)
        for name in ("base", "tuned")
    )
    found = compare(base, tuned, [])
    taken = time.perf_counter() - begin
    trained = -(-base.rows // 3)
    assert found.summary.counts["moved"] == trained, found.summary
    assert found.summary.counts["shrunk"] == base.rows - trained, found.summary
    return {"seconds": taken}


if __name__ == "__main__":
    way, where, stored_as, count = sys.argv[1:]
    sys.path.append(str(Path(__file__).parents[2] / "tests"))
    if way == "make":
        print(json.dumps(make(Path(where), stored_as, int(count))))
    elif way == "numpy":
        print(json.dumps(whole_arrays(Path(where), stored_as, int(count))))
    else:
        print(json.dumps(ours(Path(where))))
