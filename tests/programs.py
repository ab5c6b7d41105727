"""The benchmarks' helpers, for tests that measure: they live outside the tests' path."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

BENCH = Path(__file__).parents[1] / "bench"


def _load(name: str, room: str = "common") -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / room / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


measuring = _load("measuring")
workload = _load("workload")
simulation = _load("simulation", "workflow")
