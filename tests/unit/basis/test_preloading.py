"""A preloaded process runs scripts as they would run alone, and does not outlive its run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflow_runs import REPOSITORY

CLIENT = REPOSITORY / "scripts" / "preloaded.py"
SCRIPT = """
import json, os, sys, time
from pathlib import Path
loaded = os.getpid()
def preload():
    global loaded
    Path("preloaded").write_text(str(os.getpid()))
if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "say":
        print(json.dumps([os.getpid(), os.getppid(), os.getcwd(), rest]))
    if what == "exit":
        print("to stderr", file=sys.stderr)
        sys.exit(int(rest[0]) if rest[0].isdigit() else rest[0])
    if what == "raise":
        raise KeyError("lacking")
    if what == "die":
        os.kill(os.getpid(), 9)
    if what == "wait":
        Path(rest[0]).write_text(str(os.getpid()))
        time.sleep(60)
"""


BREAKS = "if __name__ != '__main__': import nothing_of_this_name"


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder of a short path, as addresses of sockets are short."""
    with tempfile.TemporaryDirectory(prefix="pre-") as folder:
        yield Path(folder)


@pytest.fixture
def script(place: Path) -> Path:
    path = place / "scripts" / "a script.py"
    path.parent.mkdir()
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def run(place: Path) -> Iterator[subprocess.Popen]:
    """Stand in for the process of a run."""
    with subprocess.Popen(["sleep", "300"]) as process:
        yield process
        process.kill()
    wait_until(lambda: not sockets(place))


def sockets(folder: Path) -> list[Path]:
    return list(folder.glob("diffusion-atlas-*/*.socket"))


def wait_until(condition) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited for 10 s")


def begin(script: Path, *words: str, run: subprocess.Popen | None, folder: Path) -> list:
    environment = os.environ | {"TMPDIR": str(script.parents[1])}
    environment.pop("ATLAS_RUN", None)
    if run:
        environment["ATLAS_RUN"] = str(run.pid)
    command = [sys.executable, "-I", "-S", str(CLIENT), str(script), *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
    )


def ended(script: Path, *words: str, run: subprocess.Popen | None, folder: Path):
    """Run the script by way of the client; return its status, stdout and stderr."""
    process = begin(script, *words, run=run, folder=folder)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def said(script: Path, *words: str, **given) -> list:
    status, out, err = ended(script, "say", *words, **given)
    assert status == 0, err
    return json.loads(out)


def test_scripts_are_forked_from_one_process_with_their_own_words_and_folder(script, run, place):
    (place / "else where").mkdir()
    given = {"run": run, "folder": place / "else where"}
    words = ("--a", "x y", "'\"$(touch hit);", "ü\udcff")
    first, parent, folder, rest = said(script, *words, **given)
    second, again, *_ = said(script, **given)
    assert first != second
    assert parent == again
    assert (folder, tuple(rest)) == (str(place / "else where"), words)
    assert (place / "else where" / "preloaded").read_text() == str(parent)


def test_without_a_run_the_script_runs_alone(script, place):
    status, out, _ = ended(script, "say", run=None, folder=place)
    assert status == 0
    assert json.loads(out)[1] == os.getpid()
    assert not sockets(place)


@pytest.mark.parametrize("word", ["0", "1", "2", "77", "no such file"])
def test_the_exit_status_is_the_scripts(script, run, place, word):
    alone = ended(script, "exit", word, run=None, folder=place)
    assert ended(script, "exit", word, run=run, folder=place) == alone
    assert "to stderr" in alone[2]


def test_an_exception_is_told(script, run, place):
    status, _, err = ended(script, "raise", run=run, folder=place)
    assert status == 1
    assert "KeyError: 'lacking'" in err


def test_a_killed_script_fails_and_the_next_one_runs(script, run, place):
    status, *_ = ended(script, "die", run=run, folder=place)
    assert status == 128 + signal.SIGKILL
    assert said(script, run=run, folder=place)


def test_many_at_once_share_one_process(script, run, place):
    clients = [begin(script, "say", run=run, folder=place) for _ in range(12)]
    told = [json.loads(client.communicate(timeout=60)[0]) for client in clients]
    assert len({number for number, *_ in told}) == 12
    assert len({parent for _, parent, *_ in told}) == 1


def is_gone(number: int) -> bool:
    """Tell whether a process has ended, be it that nobody took notice of its end."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.parametrize("ender", ["client", "run"])
def test_a_script_ends_with_its_client_and_all_ends_with_the_run(script, run, place, ender):
    mark = place / "began"
    client = begin(script, "wait", str(mark), run=run, folder=place)
    wait_until(lambda: mark.exists() and mark.read_text())
    number = int(mark.read_text())
    (client if ender == "client" else run).terminate()
    run.poll()
    if ender == "run":
        run.wait()
        wait_until(lambda: not sockets(place))
    wait_until(lambda: is_gone(number))
    assert client.wait(timeout=10) != 0
    client.communicate()


@pytest.mark.parametrize("obstacle", ["open folder", "file in its place", "broken library"])
def test_where_it_cannot_be_the_script_runs_alone(script, run, place, obstacle):
    folder = place / f"diffusion-atlas-{os.getuid()}"
    if obstacle == "open folder":
        folder.mkdir()
        folder.chmod(0o777)
    elif obstacle == "file in its place":
        folder.write_text("")
    else:
        script.write_text(
            SCRIPT + "\nif __name__ != '__main__':\n    import nothing_of_this_name\n"
        )
    status, out, _ = ended(script, "say", run=run, folder=place)
    assert status == 0
    assert json.loads(out)[1] == os.getpid()
