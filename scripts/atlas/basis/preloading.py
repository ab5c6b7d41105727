"""The process that scripts/preloaded.py asks: it has a script's libraries loaded, and forks."""

import contextlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

RUN = "ATLAS_RUN"
"""Variable with the number of the process that a preloaded one must not survive."""
SECONDS_BETWEEN_LOOKS = 1.0
"""How often it looks whether the run that it belongs to is still there."""
LONGEST_WAIT = 10.0
"""Seconds that a client may take to say what it wants."""
PRELOAD = "preload"
"""Function of a script that loads what it would load later."""


def serve(address: str, script: str, run: str, ready: str) -> None:
    """
    Fork for every client until the process of the run has ended.

    Parameters
    ----------
    address
        Path of the socket to listen at.
    script
        The script whose libraries are loaded.
    run
        Number of the process that this one must not survive.
    ready
        Descriptor of a pipe: one byte is written when clients may come.
    """
    place = Path(address)
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        place.chmod(0o600)
        listener.listen(1024)
        os.write(int(ready), b"+")
        os.close(int(ready))
        try:
            Preloaded(listener, script, int(run)).work()
        finally:
            place.unlink(missing_ok=True)
            place.with_name(f"{place.name}.lock").unlink(missing_ok=True)


@dataclass
class Child:
    """A script that runs for a client."""

    number: int
    connection: socket.socket


class Preloaded:
    """Takes clients one by one and hands each one's status back when its child has ended."""

    def __init__(self, listener: socket.socket, script: str, run: int) -> None:
        self._listener = listener
        self._run = run
        self._children: dict[int, Child] = {}
        found = runpy.run_path(script, run_name="preloaded")
        preload: Callable[[], None] | None = found.get(PRELOAD)
        if preload:
            preload()

    def work(self) -> None:
        """Serve until the run has ended."""
        awake, wake = socket.socketpair()
        for end in (awake, wake):
            end.setblocking(False)
        signal.set_wakeup_fd(wake.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as events:
            events.register(self._listener, selectors.EVENT_READ)
            events.register(awake, selectors.EVENT_READ)
            while _lives(self._run):
                for key, _ in events.select(SECONDS_BETWEEN_LOOKS):
                    if key.fileobj is self._listener:
                        self._take(events)
                    elif key.fileobj is awake:
                        with contextlib.suppress(BlockingIOError):
                            awake.recv(4096)
                        self._reap(events)
                    else:  # a client says nothing more: it has gone
                        self._abandon(events, key.data)
        for child in self._children.values():
            _signal(child.number)

    def _take(self, events: selectors.BaseSelector) -> None:
        connection, _ = self._listener.accept()
        try:
            connection.settimeout(LONGEST_WAIT)
            asked, descriptors = _read(connection)
            connection.sendall(b"+")
        except (OSError, ValueError):
            connection.close()
            return
        number = os.fork()
        if number == 0:
            _run_script(asked, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        child = Child(number, connection)
        self._children[number] = child
        events.register(connection, selectors.EVENT_READ, child)

    def _reap(self, events: selectors.BaseSelector) -> None:
        for number in list(self._children):
            ended, status = os.waitpid(number, os.WNOHANG)
            if ended:
                child = self._children.pop(number)
                with contextlib.suppress(KeyError):
                    events.unregister(child.connection)
                code = os.waitstatus_to_exitcode(status)
                with contextlib.suppress(OSError), child.connection:
                    # as a shell tells of a signal
                    child.connection.sendall(bytes([code if code >= 0 else 128 - code]))

    def _abandon(self, events: selectors.BaseSelector, child: Child) -> None:
        events.unregister(child.connection)
        _signal(child.number)


def _read(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return what a client asks for, and its stdout and stderr."""
    head, descriptors, *_ = socket.recv_fds(connection, 4, 2)
    size, raw = int.from_bytes(head, "little"), b""
    while len(raw) < size:
        more = connection.recv(size - len(raw))
        if not more:
            raise ValueError("the client has gone")
        raw += more
    return json.loads(raw), descriptors


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal(number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(number, signal.SIGTERM)


def _run_script(asked: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be the script, from its first line to its exit status."""
    status = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for target, descriptor in zip((1, 2), descriptors, strict=True):
            os.dup2(descriptor, target)
            os.close(descriptor)
        os.chdir(asked["folder"])
        sys.argv = [asked["script"], *asked["arguments"]]
        runpy.run_path(asked["script"], run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = _status(ended.code)
    except BaseException:  # whatever it is, the client is to see it and to have a status
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _status(code: object) -> int:
    """Return the exit status that Python ends with for a code of sys.exit."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1
