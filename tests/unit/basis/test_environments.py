"""The conda environments hold what their scripts import, in the versions of the lock file."""

from importlib.metadata import requires
from pathlib import Path

import pytest
import yaml

from imported_packages import packages_of
from rule_files import scripted_rules

REPOSITORY = Path(__file__).parents[3]
LOCKED = {
    line for line in (REPOSITORY / "requirements.lock").read_text().splitlines() if "==" in line
}
ENVIRONMENTS = sorted((REPOSITORY / "envs").glob("*.yaml"))


IMPORTED_AS = {"PyYAML": "yaml", "pillow": "PIL", "scikit-learn": "sklearn", "umap-learn": "umap"}
"""Packages that are not imported by their own name."""

BROUGHT_BY = {"llvmlite": "numba", "huggingface_hub": "transformers"}
"""Packages that always come with another one, and are not listed beside it."""

BY_NAME = {
    "networks": {"transformers"},
    "activations": {"umap", "transformers"},
    "embeddings": {"umap"},
}
"""Packages imported by names that files of config/architectures or settings tell."""

NEVER = {"weights": ("atlas.distances.cuda",)}
"""Modules that scripts never import in an environment: on a GPU they run in weights_cuda."""

ALL_OF = dict.fromkeys(("plot_group", "plot_identity", "plot_pair"), "atlas.plots")
"""Packages of the library whose modules a script imports by their names."""


def packages(path: Path) -> set[str]:
    """Return the packages that an environment lists, with their versions."""
    (listed,) = [
        entry["pip"]
        for entry in yaml.safe_load(path.read_text())["dependencies"]
        if isinstance(entry, dict)
    ]
    return set(listed)


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_versions_are_the_locks(path):
    assert packages(path)
    assert packages(path) <= LOCKED


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_holds_what_its_scripts_import_and_no_more(path):
    names = {package.partition("==")[0] for package in packages(path)}
    listed = {IMPORTED_AS.get(name, name) for name in names}
    brought = {name for name, bringer in BROUGHT_BY.items() if bringer in listed}
    imported = BY_NAME.get(path.stem, set()).union(
        *(
            packages_of(
                rule.script,
                without=NEVER.get(path.stem, ()),
                by_name=ALL_OF.get(rule.name, ""),
            )
            for rule in scripted_rules()
            if path.stem in rule.environments
        )
    )
    assert imported - brought == listed


def test_packages_that_are_not_listed_come_with_others():
    for name, bringer in BROUGHT_BY.items():
        needs = [need.lower().replace("-", "_") for need in requires(bringer) or []]
        assert any(need.startswith(name) and "extra ==" not in need for need in needs)


def test_rules_name_environments_that_exist():
    named = {name for rule in scripted_rules() for name in rule.environments}
    assert named == {path.stem for path in ENVIRONMENTS}


def test_the_lock_covers_what_is_asked_for():
    asked = {
        line.split("#")[0].split("==")[0].split(">=")[0].strip().lower().replace("_", "-")
        for line in (REPOSITORY / "requirements.in").read_text().splitlines()
    } - {""}
    locked = {line.split("==")[0].lower().replace("_", "-") for line in LOCKED}
    assert asked <= locked
