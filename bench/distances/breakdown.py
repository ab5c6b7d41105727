"""
Tell where the distances' time goes: seconds of both cores per kind of work, as JSON or a picture.

Files and their fingerprints are there already; `--draw` adds a bar for each number of models.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from atlas.basis.arrow import spare_pandas
from atlas.distances import contents, engine
from atlas.distances.kernel import CompiledKernel
from atlas.distances.plan import Content, Job
from atlas.distances.update import update
from atlas.fingerprints.elements.buffers import aligned_empty
from atlas.fingerprints.elements.compiled import CODES, FLOAT8, decode_into
from atlas.tensors.tensors import ITEM_BYTES

PARTS = {
    "start": ("start-up: interpreter, libraries, compiled code", "#999999"),
    "read": ("read", "#0072B2"),
    "digest": ("digest", "#56B4E9"),
    "decode": ("decode", "#E69F00"),
    "pairs": ("measure pairs", "#009E73"),
    "rest": ("plan, hand over, write", "#CC79A7"),
}
"""What is told apart, its label, and its colour (Okabe and Ito's, for all eyes)."""


SAMPLE = 1 << 15
"""Elements decoded to find the rate: they fit a core's cache."""


def broken_down(folder: Path, models: int) -> dict[str, float]:
    """Return the processor's seconds per part."""
    spent: Counter[str] = Counter(start=time.process_time())
    _count(spent, engine, "read_range", "read")
    _count(spent, engine, "_check", "digest")
    kernel = CompiledKernel()
    _count(spent, kernel, "measure", "pairs")
    fingerprints = sorted(folder.glob("m*.parquet"))[:models]
    table = folder / "breakdown.shard"
    table.unlink(missing_ok=True)
    before = time.process_time()
    ((_, held),) = contents.collect(dict.fromkeys(fingerprints, folder), count=1)
    found = contents.contents_of(held)
    update(
        table,
        found,
        measure=lambda jobs: engine.measure(jobs, kernel=kernel, threads=2, memory_bytes=10**9),
        method=1,
    )
    total = time.process_time() - before
    table.unlink()
    measured = spent["read"] + spent["digest"] + spent["pairs"]
    spent["decode"] = min(_decoding(found), spent["pairs"])
    spent["pairs"] -= spent["decode"]
    spent["rest"] = total - measured
    return {part: round(spent[part], 3) for part in PARTS}


def _count(spent: Counter[str], place: Any, name: str, part: str) -> None:
    """Let a function count the seconds that its thread spends in it."""
    plain: Callable[..., Any] = getattr(place, name)

    def counted(*given: Any) -> Any:
        start = time.thread_time()
        try:
            return plain(*given)
        finally:
            spent[part] += time.thread_time() - start

    setattr(place, name, counted)


def _decoding(contents: Any) -> float:
    """Return the seconds to decode the contents' elements once, at the rate within the cache."""
    held = [content for of_name in contents.values() for content in of_name.values()]
    seconds = 0.0
    for dtype in {content.dtype for content in held}:
        values = aligned_empty(SAMPLE * 4).view(np.float32)
        raw = aligned_empty(SAMPLE * ITEM_BYTES[dtype])
        raw[:] = 0
        decode_into(raw, CODES[dtype], FLOAT8, values)
        start = time.thread_time()
        for _ in range(200):
            decode_into(raw, CODES[dtype], FLOAT8, values)
        elements = sum(content.numel for content in held if content.dtype == dtype)
        seconds += (time.thread_time() - start) / (200 * SAMPLE) * elements
    return seconds


def draw(profiles: dict[int, dict[str, float]], parameters: int, picture: Path) -> None:
    """Draw a bar per number of models, each as long as its whole time, in shares."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.2, 2.6), layout="constrained")
    labels = [f"{models} models\n{sum(parts.values()):.1f} s" for models, parts in profiles.items()]
    left = np.zeros(len(profiles))
    for part, (label, colour) in PARTS.items():
        share = np.array([100 * each[part] / sum(each.values()) for each in profiles.values()])
        axes.barh(labels, share, left=left, color=colour, label=label)
        for row, width in enumerate(share):
            if width > 6:
                axes.text(left[row] + width / 2, row, f"{width:.0f}", ha="center", va="center")
        left += share
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="share of the processor's seconds, %")
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("The more models, the more of the time goes to the pairs themselves")
    axes.set_title(
        f"float16 models of {parameters / 1e6:.0f} million parameters, files in the page cache",
        fontsize=9,
    )
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=150)


def main() -> None:
    """Profile this process, or draw what several have found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with a fingerprint beside each checkpoint")
    parser.add_argument("--models", type=int, nargs="+", default=[4, 16, 48])
    parser.add_argument("--draw", type=Path, help="a picture, instead of numbers")
    given = parser.parse_args()
    spare_pandas()
    if given.draw is None:
        (models,) = given.models
        _load_code()
        print(json.dumps(broken_down(given.folder, models)))
        return
    from bench.common.measuring import run
    from bench.common.workload import SIXTY_TWO_MILLION, elements

    profiles = {
        models: run("bench.distances.breakdown", given.folder, "--models", models).said
        for models in given.models
    }
    draw(profiles, elements(SIXTY_TWO_MILLION), given.draw)


def _load_code() -> None:
    """Load the compiled code, which belongs to the start."""
    content = Content(digest="", dtype="f16", shape=(8,), norm=1.0, parts=())
    index = np.zeros(1, np.int32)
    job = Job(name="", contents=(content, content), first=index, second=index + 1)
    CompiledKernel().measure(job, np.zeros(32, np.uint8), 8)


if __name__ == "__main__":
    main()
