"""
Run a script in a process that has its libraries loaded already: preloaded.py SCRIPT ARGUMENT...

Starting Python and importing libraries takes longer than a small checkpoint's fingerprint. The
first script of a run starts a process that stays, imports them once, and forks for each script
that follows. It ends with the run that it belongs to: the one whose number is in ATLAS_RUN. Without
that, and wherever anything about it fails, the script is run as it would be alone.

SCRIPT is a path, or one from this folder on: fingerprints/fingerprint.py.

This file imports nothing but Python's own, as it is what every script waits for: run it with -I -S.
"""

import fcntl
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

RUN = "ATLAS_RUN"
"""Variable with the number of the process that the preloaded one must not survive."""
LIBRARY = str(Path(__file__).parent)
SERVER = "import sys; sys.path.insert(0, sys.argv[1]); from atlas.basis import preloading; "
LONGEST_ADDRESS = 100
"""Of a socket's path, in bytes; Linux takes 107."""
MESSAGE_BYTES = 1 << 20


def run(script: str, arguments: list[str]) -> int:
    """Run the script and return its exit status."""
    try:
        connection = connected(script) if os.environ.get(RUN) else None
        status = None if connection is None else asked(connection, script, arguments)
    except OSError as error:  # a socket that is refused, a folder that can't be written, ...
        print(f"no preloaded process ({error}); {script} runs alone", file=sys.stderr)
        status = None
    if status is None:
        os.execv(sys.executable, [sys.executable, script, *arguments])
    return status


def connected(script: str) -> "socket.socket | None":
    """Return a connection to the run's preloaded process, which is started if there is none."""
    folder = Path(tempfile.gettempdir()) / f"diffusion-atlas-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        return None  # another user's: what it would run is not ours to decide
    address = folder / f"{os.environ[RUN]}-{Path(script).stem}.socket"
    if len(os.fsencode(address)) > LONGEST_ADDRESS:
        return None
    with (folder / f"{address.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of many clients starts it
        try:
            return joined(address)
        except (FileNotFoundError, ConnectionRefusedError):
            started(address, script)
            return joined(address)


def joined(address: Path) -> socket.socket:
    """Return a connection to the socket at this address."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


def started(address: Path, script: str) -> None:
    """Start the preloaded process and wait until it listens."""
    ready, tell = os.pipe()
    command = [sys.executable, "-c", SERVER + "preloading.serve(*sys.argv[2:])", LIBRARY]
    with subprocess.Popen(
        [*command, str(address), script, os.environ[RUN], str(tell)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[tell],
        start_new_session=True,
    ) as process:
        os.close(tell)
        listens = os.read(ready, 1)
        os.close(ready)
        process.returncode = 0  # it is not waited for: it outlives this process
    if not listens:
        raise OSError("it did not start")


def asked(connection: socket.socket, script: str, arguments: list[str]) -> "int | None":
    """Let the preloaded process run the script; return its status: None where it did not begin."""
    with connection:
        message = json.dumps({"script": script, "arguments": arguments, "folder": str(Path.cwd())})
        raw = os.fsencode(message)
        if len(raw) >= MESSAGE_BYTES:
            return None
        socket.send_fds(connection, [len(raw).to_bytes(4, "little")], [1, 2])
        connection.sendall(raw)
        if connection.recv(1) != b"+":  # it has begun: from here on the script is never run twice
            return None
        status = connection.recv(1)
        if not status:
            print(f"the preloaded process that ran {script} was ended", file=sys.stderr)
            return 1
        return status[0]


if __name__ == "__main__":
    sys.exit(run(str(Path(__file__).parent / sys.argv[1]), sys.argv[2:]))
