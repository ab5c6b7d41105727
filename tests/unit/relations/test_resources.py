"""What the rules of groups ask for is what the jobs take: never less, and not much more."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest

from atlas.relations import resources
from programs import measuring

JOBS = {
    "compare_group": resources.distances_mb,
    "write_matrices": resources.matrices_mb,
    "rank_tensors": partial(resources.ranking_mb, pairs=30_000, tensors=20),
    "identify_components": resources.identity_mb,
    "report_duplicates": resources.duplicates_mb,
}


@pytest.fixture(scope="module", params=[30, 250])
def group(request, tmp_path_factory):
    """A made-up group, and how many models it has."""
    folder = tmp_path_factory.mktemp("group")
    given = ("--models", request.param, "--denoiser", 125, "--others", 20, "--shards")
    measuring.run("bench.relations.made_up_group", folder, *given)
    return folder, request.param


def test_the_memory_of_each_job(group):
    folder, models = group
    for job, declared_mb in JOBS.items():
        peak = measuring.run(f"bench.relations.{job}", folder).peak_bytes
        assert peak <= declared_mb(models) * 1e6 <= 4 * peak, job


def test_sums_are_bounded_whatever_the_pairs():
    """Of twice the models, what is known of contents doubles and a tensor's rows quadruple."""
    few, many = resources.distances_mb(1000), resources.distances_mb(2000)
    assert many < 2.1 * few
    assert few < 3100


def test_more_models_need_no_less():
    needs = [*JOBS.values(), resources.distances_disk_mb, resources.sharing_mb]
    needs += [
        resources.description_mb,
        resources.distances_minutes,
        resources.identity_minutes,
        resources.matrices_minutes,
        resources.ranking_minutes,
        resources.plots_mb,
        resources.plots_minutes,
    ]
    for need in needs:
        assert need(1) <= need(50) <= need(1000) < need(4000)


def test_asking_imports_nothing_heavy():
    """Snakemake asks while it reads the workflow, in every job of a cluster."""
    program = (
        "import sys; import atlas.relations.resources;"
        " print(sorted({'numpy', 'pyarrow', 'pandas', 'networkx'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
