"""The conda environments and the lock file name the same versions."""

from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
LOCKED = {
    line for line in (REPOSITORY / "requirements.lock").read_text().splitlines() if "==" in line
}
ENVIRONMENTS = sorted((REPOSITORY / "envs").glob("*.yaml"))


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_versions_are_the_locks(path):
    (packages,) = [
        entry["pip"]
        for entry in yaml.safe_load(path.read_text())["dependencies"]
        if isinstance(entry, dict)
    ]
    assert packages
    assert set(packages) <= LOCKED


def test_rules_name_environments_that_exist():
    named = {
        line.split("envs/")[1].strip('",')
        for rules in (REPOSITORY / "rules").rglob("*.smk")
        for line in rules.read_text().splitlines()
        if "envs/" in line
    }
    assert named == {path.name for path in ENVIRONMENTS}


def test_the_lock_covers_what_is_asked_for():
    asked = {
        line.split("#")[0].split("==")[0].split(">=")[0].strip().lower().replace("_", "-")
        for line in (REPOSITORY / "requirements.in").read_text().splitlines()
    } - {""}
    locked = {line.split("==")[0].lower().replace("_", "-") for line in LOCKED}
    assert asked <= locked
