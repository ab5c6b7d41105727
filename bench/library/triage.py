"""Look at the headers of 10,000 files: Stable Diffusion 1 and XL, and LoRAs of many layouts."""

import json
import shutil
import struct
import time
from collections.abc import Iterator
from math import prod
from pathlib import Path

from atlas.checkpoint import open_checkpoint
from atlas.library.triage import Shelves, triage
from bench.common.lines import Line, seconds
from bench.common.measuring import run

SHARES = {"lora": 0.6, "sd15": 0.2, "sdxl": 0.2}
LAYOUTS = {"lora": 300, "sd15": 20, "sdxl": 20}
"""Distinct headers of each kind: mergers and trainers write some of their own."""
OPENED = 30
"""Files of each kind that are opened one by one, for the baseline."""

Shapes = dict[str, tuple[int, ...]]


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make the files, of holes in the place of weights, and look at them twice."""
    files = 500 if quick else 10_000
    place = folder / "triage"
    kinds = {"lora": _lora()} | {
        name: {key: tuple(shape) for key, shape in run("bench.library.layouts", name).said.items()}
        for name in ("sd15", "sdxl")
    }
    try:
        made = {
            kind: [
                _write(place / "files" / kind / f"{number:05d}.safetensors", shapes, kind, number)
                for number in range(int(SHARES[kind] * files))
            ]
            for kind, shapes in kinds.items()
        }
        plain = sum(len(some) * _opening(some[:OPENED]) for some in made.values())
        table, shelves = place / "triage.csv", Shelves([], "")
        for what, baseline, wanted in (("at first", plain, "≤ 1"), ("again", None, "")):
            start = time.perf_counter()
            done = triage(place / "files", table, shelves)
            taken = time.perf_counter() - start
            assert len(done.rows) == sum(map(len, made.values()))
            assert not any(row.problem for row in done.rows)
            yield Line(
                f"{len(done.rows):,} files, {what}: {done.looked_at:,} looked at",
                "60 s" if wanted else "",
                seconds(taken),
                taken / 60 if wanted else None,
                "" if quick else wanted,
            )
            if baseline:
                yield Line(
                    "beside opening each", seconds(baseline), seconds(taken), baseline / taken
                )
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _lora() -> Shapes:
    shapes: Shapes = {}
    for block in range(12):
        for layer in ("attn1_to_q", "attn1_to_k", "attn2_to_q", "attn2_to_k", "ff_net_0_proj"):
            name = f"lora_unet_down_blocks_{block}_attentions_0_transformer_blocks_0_{layer}"
            shapes |= {
                f"{name}.alpha": (),
                f"{name}.lora_down.weight": (16, 640),
                f"{name}.lora_up.weight": (640, 16),
            }
    return shapes


def _write(file: Path, shapes: Shapes, kind: str, number: int) -> Path:
    """Write a header, each with metadata of its own, and a hole in the place of weights."""
    layout = number % LAYOUTS[kind]
    keys = list(shapes)
    keys = keys[layout:] + keys[:layout]  # another order is another header
    header, offset = {"__metadata__": {"ss_output_name": f"model {number}"}}, 0
    for key in keys:
        end = offset + 2 * prod(shapes[key])
        header[key] = {"dtype": "F16", "shape": shapes[key], "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        stream.truncate(8 + len(text) + offset)
    return file


def _opening(files: list[Path]) -> float:
    """Return the seconds of opening a file, in the mean."""
    start = time.perf_counter()
    for file in files:
        open_checkpoint(file)
    return (time.perf_counter() - start) / len(files)
