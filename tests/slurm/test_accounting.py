"""The same cluster with an accounting database: sacct is asked, and tells how jobs did."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import accounting
import pytest
from small_cluster import CannotStartError, Cluster, run

import factory
from workflow_runs import REPOSITORY, Atlas

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

OPTIONS = (
    *("--workflow-profile", str(REPOSITORY / "profiles" / "slurm"), "--latency-wait", "10"),
    *("--slurm-status-command", "sacct", "--slurm-init-seconds-before-status-checks", "1"),
    *("--seconds-between-status-checks", "1", "--slurm-efficiency-report"),
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Start the cluster with its database, and end both whatever happens."""
    try:
        cluster = Cluster(accounting.begin, accounting.enter_account)
    except CannotStartError as reason:
        pytest.skip(str(reason))
    try:
        yield cluster
    finally:
        cluster.stop()


def test_a_run_by_sacct_tells_how_its_jobs_used_what_they_asked_for(
    cluster: Cluster, tmp_path: Path
) -> None:
    atlas = Atlas(tmp_path)
    for number in range(2):
        factory.diffusers_folder(tmp_path / f"m{number}", factory.weights(seed=number))
        atlas.models[f"m{number}"] = {"path": f"m{number}"}
    atlas.write_roster()
    places = f"{Path(sys.executable).parent}:/usr/sbin:{os.environ['PATH']}"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile"),
            *("results/renamings.json", *OPTIONS, "--config", "roster=roster.yaml"),
        ],
        cwd=tmp_path,
        env=os.environ | {"PATH": places, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    told = run("sacct", "-X", "-n", "-P", "-o", "Comment,State,Account").stdout.splitlines()
    # both small checkpoints are fingerprinted in one job, and one job matches their names
    assert sum("COMPLETED" in line for line in told) == 2, told
    assert any("small_checkpoints" in line for line in told), told
    assert sorted(path.stem for path in (tmp_path / "logs" / "fingerprint").iterdir()) == [
        "m0",
        "m1",
    ]
    (file,) = tmp_path.rglob("efficiency*.csv")
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) >= 2
    assert all(float(row["MaxRSS_MB"]) > 50 for row in rows), rows
