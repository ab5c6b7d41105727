"""What all tests share: one thread each, the longest first, and packages fetched once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml

from atlas_demo import facts, wheel

WHEELS = Path(__file__).parents[1] / "resources" / "wheels"
PACKAGES = Path(__file__).with_name("packages.yaml")
"""Wheels that tests alone read; the others are the demo's."""


def pytest_configure() -> None:
    """Keep each library to one thread: the workers fill the cores, and more threads wait."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the files that are marked slow first, so that none of them ends alone."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def fetched_wheel() -> Callable[[str], Path]:
    """Return a function: a declared wheel's name to its place; skips where it can't be had."""
    wheels = facts.wheels() | yaml.safe_load(PACKAGES.read_text(encoding="utf-8"))

    @cache
    def fetch(name: str) -> Path | str:
        declared = {key: wheels[name][key] for key in ("requirement", "sha256")}
        WHEELS.mkdir(parents=True, exist_ok=True)
        # tests run side by side: the second waits for what the first one fetches
        with (WHEELS / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                wheel.fetch(**declared, wheel=WHEELS / name)
            except wheel.MissingWheelError as error:
                return str(error).splitlines()[0]
        return WHEELS / name

    def fetched(name: str) -> Path:
        found = fetch(name)
        if isinstance(found, str):
            pytest.skip(found)
        return found

    return fetched
