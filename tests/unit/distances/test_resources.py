"""What the rules ask for is what the jobs take: never less, and not much more."""

from __future__ import annotations

import subprocess
import sys

import pytest

from atlas.distances import resources
from programs import measuring, workload

LARGE = {"unet/large.weight": (9000, 4000), "unet/small.weight": (320,)}
"""36 million parameters: enough for the compiled code."""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Eight models, and the process that fingerprinted them."""
    folder = tmp_path_factory.mktemp("models")
    files = workload.models(folder, 8, LARGE)
    return folder, measuring.run("bench.fingerprints.fingerprint", *files)


def assert_fits(declared_mb: float, peak_bytes: int) -> None:
    assert peak_bytes <= declared_mb * 1e6 <= 4 * peak_bytes


def test_the_memory_of_a_large_fingerprint(models):
    _, process = models
    assert_fits(resources.FINGERPRINT_MB, process.peak_bytes)


def test_the_memory_of_a_small_fingerprint(tmp_path):
    files = workload.models(tmp_path, 1, {"unet/small.weight": (320,)})
    process = measuring.run("bench.fingerprints.fingerprint", *files)
    assert_fits(resources.FINGERPRINT_MB, process.peak_bytes)


@pytest.mark.parametrize(("count", "threads"), [(2, 1), (8, 2), (8, 8)])
def test_the_memory_of_few_models(models, count, threads):
    process = measuring.run(
        "bench.distances.measure_distances", models[0], "--models", count, "--threads", threads
    )
    declared = resources.distances_mb(models=count, shards=1, threads=threads, memory_mb=1000)
    assert_fits(declared, process.peak_bytes)


def test_the_memory_of_many_models(tmp_path):
    shapes = {f"unet/{number}.weight": (300, 100) for number in range(4)}
    files = workload.models(tmp_path, 300, shapes)
    measuring.run("bench.fingerprints.fingerprint", *files)
    process = measuring.run("bench.distances.measure_distances", tmp_path)
    declared = resources.distances_mb(models=300, shards=1, threads=2, memory_mb=1000)
    assert_fits(declared, process.peak_bytes)


def test_more_of_anything_needs_no_less():
    few = {"models": 10, "shards": 4, "threads": 2, "memory_mb": 1000}
    for key, more in (("models", 500), ("threads", 32)):
        assert resources.distances_mb(**few | {key: more}) > resources.distances_mb(**few)
    assert resources.distances_mb(**few | {"shards": 1}) > resources.distances_mb(**few)
    assert resources.distances_minutes(models=232, size_mb=1.6e6, shards=64, threads=2) < 60
    assert resources.distances_disk_mb(models=232, shards=2) > 1500
    assert resources.fingerprint_minutes(7000) > resources.fingerprint_minutes(1)


def test_the_setting_bounds_the_buffers():
    most = {"models": 3000, "shards": 64, "threads": 2}
    bounded = resources.distances_mb(**most, memory_mb=500)
    assert resources.distances_mb(**most, memory_mb=900) == bounded + 400


def test_asking_imports_nothing_heavy():
    """Snakemake asks while it reads the workflow, in every job of a cluster."""
    program = (
        "import sys; import atlas.distances.resources;"
        " print(sorted({'numpy', 'pyarrow', 'numba', 'xxhash'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
