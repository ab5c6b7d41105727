"""What is written of a plan is read back, without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from atlas.activations import plan_files
from atlas.activations.plan_files import NEEDS, RULES, Row
from atlas.basis.errors import AtlasError

ROWS = [
    Row("maps", 'a "layer", at 80', 12, "B", "x, y"),
    *(Row(need, rule, number, "MB", "") for rule in RULES for number, need in enumerate(NEEDS, 1)),
]


def test_rows_are_read_as_they_were_written(tmp_path):
    plan_files.write(ROWS, tmp_path / "plan.csv")
    assert plan_files.rows(tmp_path / "plan.csv") == ROWS


def test_needs_of_each_rule_are_told(tmp_path):
    plan_files.write(ROWS, tmp_path / "plan.csv")
    needs = {"mem_mb": 1, "disk_mb": 2, "runtime": 3}
    assert plan_files.read(tmp_path / "plan.csv") == dict.fromkeys(RULES, needs)


def test_a_plan_without_a_need_is_refused(tmp_path):
    plan_files.write(ROWS[:-1], tmp_path / "plan.csv")
    with pytest.raises(AtlasError, match="runtime of embed_activations; delete it"):
        plan_files.read(tmp_path / "plan.csv")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "quantity,of,value,unit,how\nmaps,x,many,B,\n"])
def test_another_file_is_no_plan(tmp_path, text):
    (tmp_path / "plan.csv").write_text(text)
    with pytest.raises(AtlasError, match=r"plan.csv: is no plan .* delete it"):
        plan_files.rows(tmp_path / "plan.csv")


def test_a_plan_that_is_not_there_yet_is_not_an_error_of_the_user(tmp_path):
    with pytest.raises(FileNotFoundError):
        plan_files.read(tmp_path / "plan.csv")


def test_torch_is_not_imported():
    program = (
        "import sys, atlas.activations.plan_files, atlas.activations.measured;"
        "sys.exit('torch' in sys.modules)"
    )
    scripts = Path(plan_files.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(scripts)}, check=False
    )
    assert done.returncode == 0
