"""How time, bytes and memory grow with the number and the size of models."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.common.lines import Line, seconds, size
from bench.common.measuring import run
from bench.common.workload import SIXTY_TWO_MILLION, elements, models, scaled

FINGERPRINT = "bench.fingerprints.fingerprint"
OURS = "bench.distances.measure_distances"


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Yield the fitted exponents."""
    yield from _number(folder, quick=quick)
    yield from _size(folder, quick=quick)


def _number(folder: Path, *, quick: bool) -> Iterator[Line]:
    shapes = scaled(SIXTY_TWO_MILLION, 0.02 if quick else 0.2)
    counts = (4, 8, 16, 32, 64)
    files = models(folder / f"{elements(shapes)}", counts[-1], shapes)
    run(FINGERPRINT, *files)
    done = [run(OURS, files[0].parent, "--models", count) for count in counts]
    whole = f"{counts[0]} … {counts[-1]} models of {elements(shapes) / 1e6:.0f} M"
    read = [process.said["read_bytes"] for process in done]
    yield Line(
        f"{whole}: bytes read",
        size(read[0]),
        size(read[-1]),
        _exponent(counts, read),
        "≤ 1.05",
    )
    spent = [process.said["cpu_seconds"] for process in done]
    yield Line(
        f"{whole}: seconds of both cores",
        seconds(spent[0]),
        seconds(spent[-1]),
        _exponent(counts, spent),
        "≤ 2",
    )
    peaks = [process.peak_bytes for process in done]
    yield Line(
        f"{whole}: peak memory",
        size(peaks[0]),
        size(peaks[-1]),
        _exponent(counts, peaks),
        "≤ 0.1",
    )


def _size(folder: Path, *, quick: bool) -> Iterator[Line]:
    factors = (0.02, 0.04, 0.08) if quick else (0.25, 0.5, 1, 2)
    done, sizes = [], []
    for factor in factors:
        shapes = scaled(SIXTY_TWO_MILLION, factor)
        files = models(folder / f"{elements(shapes)}", 8, shapes)
        run(FINGERPRINT, *files)
        done.append(run(OURS, files[0].parent, "--models", 8))
        sizes.append(elements(shapes))
    whole = f"8 models of {sizes[0] / 1e6:.0f} M … {sizes[-1] / 1e6:.0f} M"
    spent = [process.said["cpu_seconds"] for process in done]
    yield Line(
        f"{whole}: seconds of both cores",
        seconds(spent[0]),
        seconds(spent[-1]),
        _exponent(sizes, spent),
        "≤ 1.1",
    )
    peaks = [process.peak_bytes for process in done]
    yield Line(
        f"{whole}: peak memory",
        size(peaks[0]),
        size(peaks[-1]),
        _exponent(sizes, peaks),
        "≤ 0.1",
    )


def _exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return the slope of a straight line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
