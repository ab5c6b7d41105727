"""
A real SLURM on this machine: two nodes of four processors on the loopback, and two stand-in GPUs.

Needs root, slurm-wlm and munge. Its files lie in one folder; what SLURM insists on finding in
/etc/slurm are links to there, and another cluster's are never replaced.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SETTINGS = Path("/etc/slurm")
"""Where a job, from whose environment the plugin takes SLURM_CONF, looks for the configuration."""
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "scontrol", "setpriv")
NODES = ("node1", "node2")
CPUS = 4
MEMORY_MB = 6000
GPUS = 2

# OverMemoryKill: nothing else here holds a job to its memory, having no control groups.
# CR_LLN: jobs go to the node with the least load, else one alone would do for a few.
CONFIGURATION = """\
ClusterName=atlas
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort=6817
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/pid/slurmctld.pid
SlurmdPidFile={folder}/pid/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory,CR_LLN
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=30
MinJobAge=3600
KillWait=2
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=OverMemoryKill
GresTypes=gpu
SlurmdParameters=config_overrides
PartitionName=cpu Nodes=ALL Default=YES MaxTime=24:00:00 State=UP
PartitionName=gpu Nodes=node1 MaxTime=24:00:00 State=UP
"""
WITHOUT_ACCOUNTING = "AccountingStorageType=accounting_storage/none\n"


class CannotStartError(Exception):
    """Why there can be no cluster here."""


@dataclass(frozen=True)
class Job:
    """What the controller says of a job."""

    facts: dict[str, str]

    def __getattr__(self, name: str) -> str:
        """Return a fact by its name in `scontrol show job`: JobState, NodeList, MinMemoryNode."""
        try:
            return self.facts[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def memory(self) -> int:
        """What it asked for, in MB."""
        return int(self.MinMemoryNode.removesuffix("M"))


class Cluster:
    """A running cluster; `stop` ends it."""

    def __init__(
        self,
        accounting: Callable[[Path], str] = lambda folder: WITHOUT_ACCOUNTING,
        configured: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Start all daemons; raise CannotStartError where that can't be.

        `accounting` starts what it needs, and returns its lines of the configuration;
        `configured` is called when this is written, before the controller starts.
        """
        _check()
        # daemons of other users look into it: none of pytest's folders, which are closed to them
        self.folder = folder = Path(tempfile.mkdtemp(prefix="atlas-slurm-"))
        for name in ("state", "log", "pid", *(f"spool.{node}" for node in NODES)):
            (folder / name).mkdir(parents=True)
        folder.chmod(0o755)
        try:
            self._munge()
            self._configure(accounting(folder))
            configured()
            start("/usr/sbin/slurmctld", "-c")
            for node in NODES:
                start("/usr/sbin/slurmd", "-N", node)
            wait_until(self.is_idle, 20, "the nodes are idle")
        except BaseException:
            self.stop()
            raise

    def _munge(self) -> None:
        """Start munge as its own user, with the key that its package made."""
        self.munged = not _works("munge", "-n")
        if not self.munged:
            return
        for place, mode in (("/run/munge", "755"), ("/var/log/munge", "700")):
            start("install", "-d", "-o", "munge", "-g", "munge", "-m", mode, place)
        as_munge = ("--reuid=munge", "--regid=munge", "--clear-groups")
        start("install", "-d", "-o", "munge", "-g", "munge", self.folder / "pid" / "munge")
        file = self.folder / "pid" / "munge" / "munged.pid"
        start("setpriv", *as_munge, "/usr/sbin/munged", "--pid-file", file)
        wait_until(lambda: _works("munge", "-n"), 5, "munge answers")

    def _configure(self, accounting: str) -> None:
        """Write the configuration, and lead SLURM to it."""
        host = socket.gethostname().partition(".")[0]
        nodes = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={6821 + number} "
            f"CPUs={CPUS} Boards=1 SocketsPerBoard=1 CoresPerSocket={CPUS} ThreadsPerCore=1 "
            f"RealMemory={MEMORY_MB}{f' Gres=gpu:{GPUS}' if node == NODES[0] else ''}\n"
            for number, node in enumerate(NODES)
        ]
        # A GPU needs a device file, and any file is taken for one.
        for number in range(GPUS):
            (self.folder / f"gpu{number}").touch()
        text = CONFIGURATION.format(host=host, folder=self.folder)
        general, partitions = text.split("PartitionName", 1)
        files = {
            "slurm.conf": f"{general}{accounting}{''.join(nodes)}PartitionName{partitions}",
            "gres.conf": f"NodeName=node1 Name=gpu File={self.folder}/gpu[0-{GPUS - 1}]\n",
        }
        SETTINGS.mkdir(exist_ok=True)
        for name, content in files.items():
            (self.folder / name).write_text(content)
            (SETTINGS / name).unlink(missing_ok=True)
            (SETTINGS / name).symlink_to(self.folder / name)

    def is_idle(self) -> bool:
        """Return whether all nodes wait for work."""
        done = run("sinfo", "-h", "-N", "-t", "idle", "-o", "%N")
        return set(done.stdout.split()) == set(NODES)

    def jobs(self) -> list[Job]:
        """Return all jobs since the start, in the order of their submission."""
        lines = run("scontrol", "show", "job", "-o").stdout.splitlines()
        facts = [
            dict(word.partition("=")[::2] for word in line.split() if "=" in word) for line in lines
        ]
        return sorted(
            (Job(each) for each in facts if "JobId" in each), key=lambda job: int(job.JobId)
        )

    def stop(self) -> None:
        """End the daemons by their pid files, their jobs before, and take the links away."""
        run("scancel", "--user", "root")
        files = list((self.folder / "pid").rglob("*.pid"))
        ours = {file: int(file.read_text()) for file in files if file.read_text().strip()}
        for daemon in ("slurmd", "slurmctld", "slurmdbd", "mariadbd", "munged"):
            for file, process in ours.items():
                if file.name.partition(".")[0] == daemon:
                    _end(process)
        for name in ("slurm.conf", "gres.conf", "slurmdbd.conf"):
            link = SETTINGS / name
            if link.is_symlink() and link.readlink().parent == self.folder:
                link.unlink()
        shutil.rmtree(self.folder)


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for a condition, but not for ever."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def _check() -> None:
    """Raise CannotStartError where no cluster can be."""
    if os.geteuid() != 0:
        raise CannotStartError("a cluster of one's own needs root")
    if lacking := [each for each in PROGRAMS if not shutil.which(each, path="/usr/sbin:/usr/bin")]:
        raise CannotStartError(
            f"{', '.join(lacking)} not installed: apt-get install slurm-wlm munge"
        )
    for name in ("slurm.conf", "gres.conf"):
        link = SETTINGS / name
        if link.exists() and not link.is_symlink():
            raise CannotStartError(f"{link} is another cluster's")
    if _works("scontrol", "ping"):
        raise CannotStartError("another cluster answers on this machine")


def _end(process: int) -> None:
    """Ask a process to end, and make it end."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for _ in range(200):
            if not _lives(process):
                return
            os.kill(process, sign)
            time.sleep(0.05)


def _lives(process: int) -> bool:
    """Return whether a process runs; one that has ended and was not asked for does not."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of SLURM's programs."""
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def _works(*command: str | Path) -> bool:
    return run(*command).returncode == 0


def start(*command: str | Path) -> None:
    """Start a daemon; it would keep pipes open."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=30,
        check=False,
    )
    if done.returncode:
        raise CannotStartError(f"{' '.join(map(str, command))} ended with {done.returncode}")
