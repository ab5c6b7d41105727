"""Fetch a package's wheel with pip, and let nothing pass that is not the declared file."""

import hashlib
import logging
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from atlas.basis.errors import AtlasError

LOG = logging.getLogger(__name__)


class MissingWheelError(AtlasError):
    """A wheel that does not lie in its place and that pip can't fetch."""


def fetch(*, requirement: str, sha256: str, wheel: Path) -> None:
    """
    Put a wheel in its place, unless the right file lies there already.

    Raises
    ------
    MissingWheelError
        If pip can't fetch it: what is missing and where it may be put by hand.
    AtlasError
        If the file that lies there or that pip brought is another one.
    """
    if wheel.exists():
        verify(wheel, sha256)
        LOG.info("%s is there already: nothing fetched", wheel)
        return
    wheel.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wheel.parent) as folder:
        answer = _download(requirement, folder)
        fetched = Path(folder) / wheel.name
        if answer.returncode != 0 or not fetched.exists():
            raise MissingWheelError(_missing(wheel, requirement, sha256, answer))
        verify(fetched, sha256)
        fetched.replace(wheel)
    LOG.info("fetched %s (%.1f MB)", wheel, wheel.stat().st_size / 1e6)


def verify(wheel: Path, sha256: str) -> None:
    """Raise AtlasError unless the file's sha256 is the declared one."""
    with wheel.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise AtlasError(
            f"{wheel} is not the declared file.\n"
            f"  sha256 found     {found}\n"
            f"  sha256 declared  {sha256}\n"
            "Remove it to have it fetched again, or put the right file there."
        )


def read_member(wheel: Path, member: str) -> bytes:
    """Return the bytes of one file in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(member)


def _download(requirement: str, folder: str) -> subprocess.CompletedProcess[str]:
    """Ask the pip of the interpreter that runs the workflow; two tries, as it may be offline."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", "--retries=1", "--timeout=20"]
    return subprocess.run(
        [*pip, "download", requirement, *options, "--dest", folder],
        capture_output=True,
        text=True,
        check=False,
    )


def _missing(
    wheel: Path, requirement: str, sha256: str, answer: subprocess.CompletedProcess[str]
) -> str:
    said = [line for line in answer.stderr.splitlines() if line.startswith("ERROR")]
    return (
        f"{wheel.name} is missing and pip could not fetch it ({requirement}).\n"
        f"  pip said  {said[-1] if said else answer.stderr.strip()[-300:] or 'nothing'}\n"
        f"  sha256    {sha256}\n"
        f"With no network, put the file by hand at {wheel}; it is used if its sha256 is this one."
    )
