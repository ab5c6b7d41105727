"""
Change the code in small wrong ways, one at a time, and see that tests notice.

`mutants.yaml` lists the changes. Each is made in a copy of the code, and the tests that it names
are run there: it is killed where they fail, and survives where they pass. A survivor is a wrong
number that nobody would see.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]
LIST = Path(__file__).with_name("mutants.yaml")
COPIED = ("scripts", "config", "docs", "tests", "pyproject.toml")
"""What the tests of the list read."""
PYTEST = (
    *("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"),
    *("-o", "addopts=--import-mode=importlib"),
)
BARE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""No plugins, which would take longer than the tests, and nothing kept that is compiled."""
PASSED, FAILED = 0, 1
"""What pytest exits with where tests ran."""


@dataclass(frozen=True)
class Mutant:
    """One small wrong change, and who must notice it."""

    what: str
    """In one sentence."""
    file: str
    """Below the repository."""
    old: str
    """Stands exactly once in the file."""
    new: str
    tests: tuple[str, ...]
    """Test files or node ids, of which one at least must fail."""

    def problem(self, root: Path = REPOSITORY) -> str:
        """Return why the change can't be made below a folder, or ""."""
        file = root / self.file
        if not file.is_file():
            return f"{self.file} is not there"
        found = file.read_text(encoding="utf-8").count(self.old)
        if found != 1:
            return f"{self.file} has the old text {found} times, not once"
        missing = [test for test in self.tests if not _exists(test, root)]
        return f"{missing[0]} is not there" if missing else ""

    @contextmanager
    def applied(self, root: Path) -> Iterator[None]:
        """Make the change below a folder, and take it back at the end."""
        file = root / self.file
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(self.old, self.new), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(text, encoding="utf-8")


def _exists(test: str, root: Path) -> bool:
    """Return whether a test file, or the function in it that a node id names, is there."""
    name, _, function = test.partition("[")[0].partition("::")
    start = f"def {function}(" if function else ""
    return (root / name).is_file() and start in (root / name).read_text(encoding="utf-8")


def read(path: Path = LIST) -> list[Mutant]:
    """Return the mutants of a list."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Mutant(**entry | {"tests": tuple(entry["tests"])}) for entry in entries]


def run(tests: Iterable[str], root: Path) -> subprocess.CompletedProcess[str]:
    """Run tests below a folder; code that numba compiles is not that of another mutant."""
    with tempfile.TemporaryDirectory() as cache:
        return subprocess.run(
            [sys.executable, *PYTEST, *tests],
            cwd=root,
            env=os.environ | BARE | {"NUMBA_CACHE_DIR": cache},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def verdict(mutant: Mutant, root: Path) -> str:
    """Return what becomes of a mutant, in words that begin with `killed` where all is well."""
    if problem := mutant.problem(root):
        return f"NOT MADE: {problem}"
    with mutant.applied(root):
        done = run(mutant.tests, root)
    if done.returncode == FAILED:
        return "killed"
    return "SURVIVED" if done.returncode == PASSED else f"NOT TESTED:\n{done.stdout}"


def main() -> int:
    """Try the mutants that were asked for, all by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--only", metavar="WORD", default="", help="those that have this word")
    only = parser.parse_args().only
    mutants = [each for each in read() if only in f"{each.what} {each.file}"]
    if not mutants:
        parser.error(f"no mutant has {only!r} in its sentence or its file")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        root = Path(folder)
        for name in COPIED:
            copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
            copy(REPOSITORY / name, root / name)
        done = run(sorted({test for mutant in mutants for test in mutant.tests}), root)
        if done.returncode != PASSED:
            print(f"{done.stdout}\nThe tests fail without any change: mend that first.")
            return 1
        killed = 0
        for mutant in mutants:
            found = verdict(mutant, root)
            killed += found == "killed"
            print(f"{found:8}  {mutant.file}: {mutant.what}", flush=True)
    print(f"{killed} of {len(mutants)} killed")
    return int(killed < len(mutants))


if __name__ == "__main__":
    sys.exit(main())
