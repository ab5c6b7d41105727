"""
An accounting database for a cluster of one's own: mariadb and slurmdbd, all in one folder.

Needs root and the packages slurmdbd and mariadb-server.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path

from small_cluster import SETTINGS, CannotStartError, run, start, wait_until

PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb", "slurmdbd")
PORT = 3307
SETTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoreFlags=job_comment
"""
"""Of the cluster's configuration."""

CONFIGURATION = """\
AuthType=auth/munge
DbdHost=localhost
SlurmUser=root
PidFile={folder}/pid/slurmdbd.pid
LogFile={folder}/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={port}
StorageUser=slurm
StoragePass={password}
StorageLoc=slurm
"""


def begin(folder: Path) -> str:
    """
    Start a database and slurmdbd, and return what the cluster's configuration says of them.

    Called when munge runs; pid files go where the cluster looks for them when it is stopped.

    Raises
    ------
    CannotStartError
        Something is lacking.
    """
    if lacking := [each for each in PROGRAMS if not shutil.which(each, path="/usr/sbin:/usr/bin")]:
        raise CannotStartError(
            f"{', '.join(lacking)} not installed: apt-get install slurmdbd mariadb-server"
        )
    if (SETTINGS / "slurmdbd.conf").exists():
        raise CannotStartError(f"{SETTINGS / 'slurmdbd.conf'} is another cluster's")
    password = secrets.token_hex(8)
    _start_database(folder, password)
    file = folder / "slurmdbd.conf"
    file.touch(mode=0o600)
    file.write_text(CONFIGURATION.format(folder=folder, port=PORT, password=password))
    (SETTINGS / "slurmdbd.conf").symlink_to(file)
    start("/usr/sbin/slurmdbd")
    return SETTING


def enter_account() -> None:
    """Enter the cluster, an account, and root as its user, as soon as slurmdbd answers."""
    wait_until(lambda: run("sacctmgr", "-n", "show", "cluster").returncode == 0, 30, "slurmdbd")
    for what in (
        ("cluster", "atlas"),
        ("account", "laboratory", "cluster=atlas"),
        ("user", "root", "account=laboratory", "defaultaccount=laboratory"),
    ):
        run("sacctmgr", "-i", "add", *what)


def _start_database(folder: Path, password: str) -> None:
    """Start mariadb as its own user, with a database for slurmdbd."""
    place = folder / "database"
    start("install", "-d", "-o", "mysql", "-g", "mysql", place, folder / "pid" / "mariadb")
    options = (f"--datadir={place}", "--user=mysql")
    start("mariadb-install-db", *options, "--auth-root-authentication-method=normal")
    socket = place / "mariadbd.sock"
    subprocess.Popen(
        [
            *("/usr/sbin/mariadbd", "--no-defaults", *options, f"--socket={socket}"),
            *(f"--port={PORT}", "--bind-address=127.0.0.1"),
            f"--pid-file={folder}/pid/mariadb/mariadbd.pid",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    ask = ("mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "--execute")
    wait_until(lambda: run(*ask, "SELECT 1").returncode == 0, 60, "mariadb answers")
    for statement in (
        "CREATE DATABASE slurm",
        f"CREATE USER slurm@'127.0.0.1' IDENTIFIED BY '{password}'",
        f"CREATE USER slurm@'localhost' IDENTIFIED BY '{password}'",
        "GRANT ALL ON slurm.* TO slurm@'127.0.0.1'",
        "GRANT ALL ON slurm.* TO slurm@'localhost'",
    ):
        done = run(*ask, statement)
        if done.returncode:
            raise CannotStartError(f"mariadb: {done.stderr}")
