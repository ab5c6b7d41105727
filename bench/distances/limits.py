"""Ours against what the machine allows: reading the bytes once, and the bare kernel."""

from collections.abc import Iterator
from pathlib import Path

from bench.common.lines import Line, seconds
from bench.common.measuring import median, run
from bench.common.workload import SIXTY_TWO_MILLION, elements, models, scaled

FINGERPRINT = "bench.fingerprints.fingerprint"
OURS = "bench.distances.measure_distances"
LIMITS = "bench.distances.machine_limits"

REPEATS = 5


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Yield a line for each number of models, and one for the kernel itself."""
    shapes = scaled(SIXTY_TWO_MILLION, 0.1) if quick else SIXTY_TWO_MILLION
    files = models(folder / f"{elements(shapes)}", 48, shapes)
    run(FINGERPRINT, *files)
    run(OURS, files[0].parent, "--models", 2)
    for count in (4, 16, 48):
        limits, ours = [], []
        for _ in range(REPEATS):
            limits.append(run(LIMITS, *files[:count], "--elements", elements(shapes)).said)
            ours.append(run(OURS, files[0].parent, "--models", count).said["seconds"])
        kinds = ("read", "take_in", "kernel", "instructions")
        limit = {kind: median([each[kind] for each in limits]) for kind in kinds}
        bound = "kernel" if limit["kernel"] > limit["read"] else "read"
        own = median(ours)
        yield Line(
            f"{count} models, against the {bound} alone",
            seconds(limit[bound]),
            seconds(own),
            own / limit[bound],
            "≤ 1.5",
        )
        floor = limit["take_in"] + limit["kernel"]
        yield Line(
            f"{count} models, against all that must be done: read, digest, decode, kernel",
            seconds(floor),
            seconds(own),
            own / floor,
        )
        yield Line(
            f"{count} models, bare kernel against its vector instructions",
            seconds(limit["instructions"]),
            seconds(limit["kernel"]),
            limit["kernel"] / limit["instructions"],
        )
