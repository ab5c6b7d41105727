"""Identify a file of 2 GB by a library, beside plainly reading and hashing it."""

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import xxhash

from bench.common.lines import Line, seconds, size
from bench.common.measuring import REPOSITORY, run
from bench.common.workload import checkpoint, scaled

STEP_BYTES = 1 << 20
TRIES = 3
WANTED = "≥ 0.5"


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make two files of Stable Diffusion 1's layout, pack one, and identify both by it."""
    shapes = {key: tuple(shape) for key, shape in run("bench.library.layouts", "sd15").said.items()}
    place = folder / "identify"
    files = {name: place / f"{name}.safetensors" for name in ("known", "stranger")}
    try:
        for seed, file in enumerate(files.values()):
            checkpoint(file, scaled(shapes, 0.1) if quick else shapes, seed=seed)
        library = _packed(files["known"], place)
        yield Line("a library of one such model", "1 MB", size(library.stat().st_size),
                   library.stat().st_size / 1e6, "≤ 1")  # fmt: skip
        nbytes = files["known"].stat().st_size
        hashing = {name: _hashing(files["known"], name) for name in ("sha256", "xxh3_128")}
        for what, file in files.items():
            taken = min(_identifying(file, library, place) for _ in range(TRIES))
            for name, plain in hashing.items():
                yield Line(
                    f"{what}, {size(nbytes)}: rate beside reading and {name}",
                    f"{seconds(plain)}",
                    seconds(taken),
                    plain / taken,
                    WANTED if name == "sha256" and not quick else "",
                )
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _packed(file: Path, place: Path) -> Path:
    table, library = place / "known.parquet", place / "library.parquet"
    script = REPOSITORY / "scripts" / "fingerprints" / "fingerprint.py"
    call = [sys.executable, script, "--checkpoint", file, "--table", table, "--threads", "1"]
    subprocess.run(call, check=True, capture_output=True)
    script = REPOSITORY / "scripts" / "library" / "pack_library.py"
    call = [sys.executable, script, "--fingerprints", table, "--labels", "{}", "--library", library]
    subprocess.run(call, check=True, capture_output=True)
    return library


def _hashing(file: Path, name: str) -> float:
    """Return the seconds of plainly reading and hashing, the best of some tries, files cached."""
    taken = []
    for _ in range(TRIES):
        start = time.perf_counter()
        digest = hashlib.sha256() if name == "sha256" else xxhash.xxh3_128()
        with file.open("rb") as stream:
            while held := stream.read(STEP_BYTES):
                digest.update(held)
        digest.hexdigest()
        taken.append(time.perf_counter() - start)
    return min(taken)


def _identifying(file: Path, library: Path, place: Path) -> float:
    """Return the seconds of the script, its start included."""
    start = time.perf_counter()
    script = REPOSITORY / "scripts" / "library" / "identify.py"
    call = [sys.executable, script, file, "--library", library, "--to", place / "identified"]
    subprocess.run(call, check=True, capture_output=True)
    return time.perf_counter() - start
