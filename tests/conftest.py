"""What all tests share: packages' wheels with real weights, fetched once."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml

from atlas_demo import facts, wheel

WHEELS = Path(__file__).parents[1] / "resources" / "wheels"
PACKAGES = Path(__file__).with_name("packages.yaml")
"""Wheels that tests alone read; the others are the demo's."""


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
