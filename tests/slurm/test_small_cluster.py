"""A run on a real SLURM of two nodes, on which jobs die in several ways, and the head too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from small_cluster import NODES, CannotStartError, Cluster, Job, wait_until

import factory
from workflow_runs import REPOSITORY, Atlas, Run, jobs_of

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

PROFILE = REPOSITORY / "profiles" / "slurm"
QUICK = (
    *("--group-components", "small_checkpoints=1"),  # first: it would take targets for its own
    *("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1"),
    *("--latency-wait", "10"),
)
"""As the profile, but with less waiting, and with jobs enough for two nodes."""
STARVED = "match_names:mem_mb=100 * 8 ** (attempt - 1)"
"""Memory of which the first attempt can't do with."""
ON_NODE_2 = "measure_distances:slurm_extra='--nodelist=node2'"
SETTINGS = {"distances": {"shards": 2}}
TARGETS = (
    "results/groups/two/distances.parquet",
    "results/groups/two/identity.csv",
    "results/models.csv",
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Start the cluster, and end it whatever happens."""
    try:
        cluster = Cluster()
    except CannotStartError as reason:
        pytest.skip(str(reason))
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """Let jobs find this Python, and start no more threads than processors."""
    with pytest.MonkeyPatch.context() as patch:
        places = f"{Path(sys.executable).parent}:/usr/sbin:{os.environ['PATH']}"
        patch.setenv("PATH", places)
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


def roster(folder: Path) -> Atlas:
    """Return an atlas of four models and a group of two, nothing run yet."""
    folder.mkdir()
    atlas = Atlas(folder, groups={"two": {"models": ["m0", "m1"]}})
    for number in range(4):
        enter(atlas, f"m{number}", seed=number // 2)
    return atlas


def enter(atlas: Atlas, name: str, seed: int) -> None:
    """Write a checkpoint and enter it into the roster."""
    weights = factory.changed(factory.weights(seed), len(atlas.models) + 10, "unet/")
    factory.diffusers_folder(atlas.folder / "models" / name, weights)
    atlas.models[name] = {"path": f"models/{name}"}


def command(atlas: Atlas, *options: str, targets: tuple[str, ...] = TARGETS) -> list[str]:
    """Return the command line of a run through the profile."""
    atlas.write_roster()
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")),
        *("--workflow-profile", str(PROFILE), *QUICK, *targets, *options),
        *("--config", "roster=roster.yaml"),
        *(f"{key}={json.dumps(value)}" for key, value in SETTINGS.items()),
    ]


def start(
    atlas: Atlas, *options: str, targets: tuple[str, ...] = TARGETS
) -> subprocess.Popen[bytes]:
    """Start a run, what it says going to a file."""
    with (atlas.folder / "run.log").open("wb") as log:
        return subprocess.Popen(
            command(atlas, *options, targets=targets),
            cwd=atlas.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def finished(atlas: Atlas, process: subprocess.Popen[bytes]) -> Run:
    """Wait for a run."""
    process.wait(240)
    output = (atlas.folder / "run.log").read_text()
    return Run(process.returncode == 0, output, jobs_of(output), measured=0)


def results(atlas: Atlas) -> dict[str, bytes]:
    """Return the bytes of all results."""
    folder = atlas.folder / "results"
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@dataclass
class Story:
    """What happened to one run, and what the controller says of its jobs."""

    atlas: Atlas
    first: list[Job]
    """Jobs of the run whose head was killed."""
    refused: str
    """What was said when it was started anew at once."""
    cancelled: str
    """What the script said that ends a dead run's jobs."""
    killed: str
    """The job whose script was killed while it wrote."""
    second: list[Job]
    """Jobs of the run that was started anew."""
    end: Run
    seconds: float


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atlas]:
    """Start a run without a cluster, beside the one on it, and wait for it in the end."""
    atlas = roster(tmp_path_factory.mktemp("local") / "run")
    atlas.write_roster()
    process = subprocess.Popen(
        atlas.command(*TARGETS, options=("--cores", "1"), **SETTINGS),
        cwd=atlas.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield atlas
    assert process.wait(240) == 0


@pytest.fixture(scope="module")
def story(cluster: Cluster, local: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Run; kill the head; start anew; starve one job of memory, and kill another as it writes."""
    begun = time.monotonic()
    atlas = roster(tmp_path_factory.mktemp("on_cluster") / "run")
    head = start(atlas)
    wait_until(lambda: running(cluster, "fingerprint") == 4, 60, "fingerprints run")
    os.killpg(head.pid, signal.SIGKILL)
    head.wait()
    cancel = subprocess.run(
        [PROFILE / "cancel_jobs.sh"], cwd=atlas.folder, capture_output=True, text=True, check=True
    )
    first = cluster.jobs()
    refused = subprocess.run(command(atlas), cwd=atlas.folder, capture_output=True, text=True)
    subprocess.run([*command(atlas), "--unlock"], cwd=atlas.folder, check=True)
    head = start(atlas, "--set-resources", STARVED, ON_NODE_2)
    killed = kill_as_it_writes(atlas, "results/distances/.0.parquet.*.part", head)
    end = finished(atlas, head)
    return Story(
        atlas=atlas,
        first=first,
        refused=refused.stdout + refused.stderr,
        cancelled=cancel.stdout,
        killed=killed,
        second=cluster.jobs()[len(first) :],
        end=end,
        seconds=time.monotonic() - begun,
    )


def running(cluster: Cluster, rule: str) -> int:
    """Return how many jobs of a rule run."""
    return sum(job.JobState == "RUNNING" and rule in job.Comment for job in cluster.jobs())


def kill_as_it_writes(atlas: Atlas, pattern: str, head: subprocess.Popen[bytes]) -> str:
    """Kill the script that writes a file, before the file is whole, and return its job's id."""
    script = None
    while not (parts := list(atlas.folder.glob(pattern))):
        assert head.poll() is None, (atlas.folder / "run.log").read_text()
        script = script or script_of(atlas)
        time.sleep(0.001 if script else 0.05)
    script = script or script_of(atlas)
    assert script, "nobody writes it"
    os.kill(script, signal.SIGSTOP)
    facts = Path(f"/proc/{script}/environ").read_bytes().split(b"\0")
    told = dict(fact.decode().partition("=")[::2] for fact in facts)
    assert told["SLURMD_NODENAME"] == "node2"
    assert parts[0].exists(), "it was written before it could be stopped"
    os.kill(script, signal.SIGKILL)
    return told["SLURM_JOB_ID"]


def script_of(atlas: Atlas) -> int | None:
    """Return the process that measures shard 0, if there is one."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes()
            folder = (entry / "cwd").readlink()
        except OSError:  # it has ended
            continue
        if folder == atlas.folder and arguments.endswith(b"measure_distances.py\0"):
            mark = b"measure_distances_wildcards_0"
            if mark in (entry / "environ").read_bytes() or shard_of(entry) == "0":
                return int(entry.name)
    return None


def shard_of(entry: Path) -> str | None:
    """Return the shard of a script's process, by the comment of its job."""
    facts = (entry / "environ").read_bytes().split(b"\0")
    (job,) = [
        fact.partition(b"=")[2].decode() for fact in facts if fact.startswith(b"SLURM_JOB_ID=")
    ]
    done = subprocess.run(["squeue", "-h", "-j", job, "-o", "%k"], capture_output=True, text=True)
    return done.stdout.strip().rpartition("_")[2]


def rules_of(jobs: list[Job]) -> Counter[str]:
    """Return how many jobs were submitted of each rule."""
    return Counter(job.Comment.removeprefix("rule_").partition("_wildcards_")[0] for job in jobs)


def test_it_ends_as_without_a_cluster(story: Story, local: Atlas) -> None:
    assert story.end.success, story.end.output[-5000:]
    wait_until(lambda: all((local.folder / target).exists() for target in TARGETS), 120, "local")
    assert results(story.atlas) == results(local)


def test_jobs_ran_on_both_nodes(story: Story) -> None:
    assert {job.NodeList for job in story.second if "fingerprint" in job.Comment} == set(NODES)


def test_a_job_over_its_memory_is_killed_and_comes_back_with_more(story: Story) -> None:
    first, second = [job for job in story.second if "match_names" in job.Comment]
    assert (first.JobState, second.JobState) == ("FAILED", "COMPLETED")
    assert (first.memory, second.memory) == (100, 800)


def test_a_job_killed_as_it_writes_is_made_again(story: Story) -> None:
    jobs = [job for job in story.second if job.Comment.endswith("measure_distances_wildcards_0")]
    assert [job.JobState for job in jobs] == ["FAILED", "COMPLETED"]
    assert jobs[0].JobId == story.killed
    assert jobs[0].NodeList == "node2"
    assert not list(story.atlas.folder.glob("results/distances/.*.part"))


def test_a_run_whose_head_was_killed_is_not_started_beside_its_jobs(story: Story) -> None:
    assert "--unlock" in story.refused
    assert "Cancelling 4 jobs" in story.cancelled
    assert {job.JobState for job in story.first} == {"CANCELLED"}
    begun = min(job.StartTime for job in story.second)
    assert all(job.EndTime <= begun for job in story.first)


def test_no_two_jobs_wrote_one_output_at_once(story: Story) -> None:
    spans: dict[str, list[tuple[str, str]]] = {}
    for job in (*story.first, *story.second):
        spans.setdefault(job.Comment, []).append((job.StartTime, job.EndTime))
    for times in spans.values():
        times.sort()
        assert all(end <= begin for (_, end), (begin, _) in pairwise(times))


def test_one_more_model_submits_only_what_is_new(cluster: Cluster, story: Story) -> None:
    before = len(cluster.jobs())
    enter(story.atlas, "m4", seed=5)
    done = finished(story.atlas, start(story.atlas, targets=("distances", "results/models.csv")))
    assert done.success, done.output[-5000:]
    assert rules_of(cluster.jobs()[before:]) == {
        "fingerprint": 1,
        "match_names": 1,
        "collect_contents": 1,
        "measure_distances": 2,
        "describe_models": 1,
    }


GPU_JOBS = """\
rule all:
    input: expand("{number}", number=range(4))
rule on_gpu:
    output: "{number}"
    resources: gpu=1
    shell: "sleep 6; touch {output}"
"""


def test_jobs_with_a_gpu_wait_for_one(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(GPU_JOBS)
    before = len(cluster.jobs())
    options = ("--workflow-profile", str(PROFILE), *QUICK)
    with (tmp_path / "run.log").open("wb") as log:
        head = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *options], cwd=tmp_path, stdout=log, stderr=log
        )
    wait_until(lambda: len(cluster.jobs()) == before + 4, 60, "all are submitted")
    wait_until(lambda: running(cluster, "on_gpu") == 2, 30, "two run")
    states = Counter((job.JobState, job.Partition, job.Reason) for job in cluster.jobs()[before:])
    assert head.wait(120) == 0, (tmp_path / "run.log").read_text()
    assert states["RUNNING", "gpu", "None"] == 2
    # Resources: the first of those that wait; Priority, or None yet: it is behind that one
    waiting = [reason for state, _, reason in states.elements() if state == "PENDING"]
    assert len(waiting) == 2
    assert "Resources" in waiting
    jobs = cluster.jobs()[before:]
    begins, ends = (sorted(getattr(job, name) for job in jobs) for name in ("StartTime", "EndTime"))
    assert all(begin >= end for begin, end in zip(begins[2:], ends, strict=False))
