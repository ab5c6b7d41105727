"""Whatever befalls a run, the next one ends with the same bytes as an undisturbed one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import factory
from workflow_runs import Atlas, Run

pytestmark = pytest.mark.slow

SHARDS = "results/distances"


def enter(atlas: Atlas, name: str, weights: factory.Weights) -> None:
    """Write a checkpoint and enter it into the roster."""
    factory.diffusers_folder(atlas.folder / "models" / name, weights)
    atlas.models[name] = {"path": f"models/{name}"}


def three_models(folder: Path) -> Atlas:
    """Return a roster of three models and a group of two, nothing run yet."""
    atlas = Atlas(folder, groups={"two": {"models": ["base", "far"], "pairs": True}})
    base = factory.weights(seed=1)
    enter(atlas, "base", base)
    enter(atlas, "tuned", factory.changed(base, 2, "unet/"))
    enter(atlas, "far", factory.weights(seed=3))
    return atlas


def results(atlas: Atlas) -> dict[str, bytes]:
    """Return the bytes of all fingerprints and shards."""
    return {
        str(path.relative_to(atlas.folder)): path.read_bytes()
        for path in sorted(atlas.folder.glob("results/*/*.parquet"))
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Atlas:
    """The finished run of everything for three models, one shard."""
    atlas = three_models(tmp_path_factory.mktemp("undisturbed"))
    done = atlas.run(distances={"shards": 1})
    assert done.success, done.output
    return atlas


@pytest.fixture
def atlas(undisturbed, tmp_path) -> Atlas:
    """A copy of the finished run from which the shard is missing."""
    copy = copied(undisturbed, tmp_path)
    shutil.rmtree(copy.folder / SHARDS)
    return copy


def copied(atlas: Atlas, folder: Path) -> Atlas:
    """Copy a run, times of its files kept."""
    shutil.copytree(atlas.folder, folder / "copy")
    return Atlas(folder / "copy", models=dict(atlas.models), groups=atlas.groups)


def run(atlas: Atlas, *options: str) -> Run:
    return atlas.run("distances", options=options, distances={"shards": 1})


def begun(atlas: Atlas, *targets: str) -> subprocess.Popen[str]:
    """Start a run in a session of its own."""
    atlas.write_roster()
    return subprocess.Popen(
        atlas.command(*targets, distances={"shards": 1}),
        cwd=atlas.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def started(atlas: Atlas) -> subprocess.Popen[str]:
    """Start a run and return it when its shard is being written."""
    process = begun(atlas, "distances")
    until(lambda: bool(list(atlas.folder.glob(f"{SHARDS}/.0.parquet.*.part"))), process)
    return process


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for a condition that comes true while the process lives."""
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.002)


def script_of(process: subprocess.Popen[str]) -> int:
    """Return the process that runs the shard's script, below Snakemake's."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and os.getsid(int(entry.name)) == process.pid:
            arguments = (entry / "cmdline").read_bytes()
            if b"measure_distances.py" in arguments and b"snakemake/__main__" not in arguments:
                return int(entry.name)
    raise AssertionError("the script is not running")


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a run and for all that it started, and return what it printed."""
    output = process.communicate()[0]
    until_gone(process.pid)
    return output


def unlock(atlas: Atlas) -> None:
    """Take a killed run's lock away, as `snakemake --unlock` does."""
    shutil.rmtree(atlas.folder / ".snakemake" / "locks")


def until_gone(session: int) -> None:
    """Wait until no process of the session is left."""
    while any(
        entry.name.isdigit() and _session(entry.name) == session
        for entry in Path("/proc").iterdir()
    ):
        time.sleep(0.01)


def _session(process: str) -> int:
    try:
        return os.getsid(int(process))
    except ProcessLookupError:
        return -1


def assert_heals(atlas: Atlas, undisturbed: Atlas) -> Run:
    """Run again, and assert that all is as it would have been."""
    done = run(atlas)
    assert done.success, done.output
    assert results(atlas) == results(undisturbed)
    assert not list(atlas.folder.glob(f"{SHARDS}/.*.part"))
    return done


def test_a_killed_script_costs_its_shard(atlas, undisturbed):
    process = started(atlas)
    os.kill(script_of(process), signal.SIGKILL)
    assert "measure_distances" in ended(process)
    assert process.returncode != 0
    assert assert_heals(atlas, undisturbed).jobs.get("fingerprint") is None


def test_a_terminated_run_heals(atlas, undisturbed):
    process = started(atlas)
    process.send_signal(signal.SIGTERM)
    ended(process)
    assert_heals(atlas, undisturbed)


def test_all_killed_at_once_needs_what_snakemake_asks_for(atlas, undisturbed):
    process = started(atlas)
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)
    locked = run(atlas)
    assert not locked.success
    assert "--unlock" in locked.output
    assert run(atlas, "--unlock").success
    assert_heals(atlas, undisturbed)


def test_a_killed_snakemake_whose_script_goes_on(atlas, undisturbed):
    process = started(atlas)
    process.kill()
    ended(process)
    unlock(atlas)
    assert_heals(atlas, undisturbed)


def test_a_kill_while_a_shard_is_brought_up_to_date(undisturbed, tmp_path):
    whole, atlas = (copied(undisturbed, tmp_path / name) for name in ("whole", "killed"))
    for each in (whole, atlas):
        enter(each, "new", factory.weights(seed=4))
    assert run(whole).success
    process = started(atlas)
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)
    unlock(atlas)
    unet = sum(name.startswith("unet/") for name in factory.SHAPES)
    # base and tuned share all but the UNet; the old rows were kept
    assert assert_heals(atlas, whole).measured == 3 * unet + 2 * (len(factory.SHAPES) - unet)


def test_a_run_of_everything_killed_again_and_again_ends_with_the_same_bytes(undisturbed, tmp_path):
    atlas = three_models(tmp_path)
    for moment in ("fingerprints/*.parquet", "groups/two/matrices/*", "groups/two/plots/*.svg"):
        process = begun(atlas)
        until(lambda seen=moment: any((atlas.folder / "results").glob(seen)), process)
        os.killpg(process.pid, signal.SIGKILL)
        ended(process)
        unlock(atlas)
    done = atlas.run(distances={"shards": 1})
    assert done.success, done.output
    assert everything(atlas) == everything(undisturbed)


def everything(atlas: Atlas) -> dict[str, bytes]:
    """Return the bytes of all results; a killed script's half-written file is none."""
    folder = atlas.folder / "results"
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    files = (path for path in files if path.suffix != ".part")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_two_runs_at_once_do_not_meet(atlas, undisturbed):
    process = started(atlas)
    script = script_of(process)
    os.kill(script, signal.SIGSTOP)
    second = run(atlas)
    os.kill(script, signal.SIGCONT)
    assert not second.success
    assert "lock" in second.output.lower()
    ended(process)
    assert process.returncode == 0
    assert results(atlas) == results(undisturbed)


@pytest.mark.parametrize("file", [f"{SHARDS}/0.parquet", "results/fingerprints/base.parquet"])
def test_a_damaged_table_is_found_by_who_reads_it_and_made_anew(undisturbed, tmp_path, file):
    atlas = copied(undisturbed, tmp_path)
    table, pair = atlas.folder / file, "results/pairs/base/tuned.parquet"
    damaged = bytearray(table.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    table.write_bytes(damaged)
    found = atlas.run(pair, distances={"shards": 1})
    assert not found.success
    assert f"{table.name}: damaged" in found.output
    healed = atlas.run(pair, distances={"shards": 1})
    assert healed.success, healed.output
    assert results(atlas) == results(undisturbed)


def test_a_checkpoint_replaced_after_its_fingerprint_is_refused(atlas, undisturbed):
    (file,) = (atlas.folder / "models" / "far" / "unet").iterdir()
    before, times = file.read_bytes(), file.stat()
    flipped = bytearray(before)
    flipped[-1] ^= 1
    file.write_bytes(flipped)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    refused = run(atlas)
    assert not refused.success
    assert "holds other weights than when it was fingerprinted" in refused.output
    assert not (atlas.folder / SHARDS / "0.parquet").exists()
    file.write_bytes(before)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert_heals(atlas, undisturbed)


def test_a_full_disk_stops_with_a_message_and_heals(undisturbed, tmp_path):
    """A small file system of memory is mounted where the shards go: needs root."""
    atlas = copied(undisturbed, tmp_path)
    shards = atlas.folder / SHARDS
    (shards / "0.parquet").unlink()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(shards)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        (shards / "filler").write_bytes(bytes(16 << 10))
        full = run(atlas)
    finally:
        subprocess.run(["umount", str(shards)], check=True)
    assert not full.success
    assert "0.parquet: can't be written (No space left on device)" in full.output, full.output
    assert_heals(atlas, undisturbed)
