"""The contracts of `make lint` hold the layers of the library: each is broken once, in a copy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(scripts: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT, "--no-cache", "--no-logo", REPOSITORY / "pyproject.toml"],
        env={"PYTHONPATH": str(scripts)},
        cwd=scripts,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the library."""
    for package in ("atlas", "atlas_demo"):
        shutil.copytree(
            REPOSITORY / "scripts" / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    return tmp_path


def test_the_library_keeps_its_contracts(copy):
    done = lint(copy)
    assert done.returncode == 0, done.stdout
    assert "Contracts: 4 kept, 0 broken." in done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("distances/plan", "from atlas.relations import contents", "downwards only"),
        ("macs/request", "from atlas.claims import texts", "no neighbour"),
        ("relations/contents", "from atlas.relations import identity", "No circle"),
        ("names/kinds", "def late():\n    from atlas.names import naming", "No circle"),
        ("basis/tables", "import snakemake", "nothing of Snakemake"),
        ("plots/style", "from atlas_demo import facts", "beside the library"),
    ],
)
def test_a_wrong_import_breaks_its_contract(copy, module, line, contract):
    file = copy / "atlas" / f"{module}.py"
    file.write_text(f"{file.read_text()}\n{line}\n")
    done = lint(copy)
    assert done.returncode == 1
    broken = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(contract in text for text in broken), done.stdout


def test_a_new_room_needs_a_layer(copy):
    (copy / "atlas" / "attic").mkdir()
    (copy / "atlas" / "attic" / "__init__.py").write_text("")
    done = lint(copy)
    assert done.returncode == 1
    assert "atlas.attic" in done.stdout
