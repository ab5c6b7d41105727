"""The recipes of images build what .venv is: one Python and the lock file."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
DOCKERFILE = (REPOSITORY / "envs" / "container" / "Dockerfile").read_text(encoding="utf-8")
DEFINITION = (REPOSITORY / "envs" / "container" / "atlas.def").read_text(encoding="utf-8")
DISTRIBUTIONS = {"numba", "pygraphviz", "pyarrow", "matplotlib", "diffusers", "transformers"}


def section(name: str) -> list[str]:
    """Return the lines of a section of Apptainer's definition."""
    (body,) = re.findall(rf"^%{name}\n((?: +.+\n)+)", DEFINITION, re.M)
    return [line.strip() for line in body.splitlines()]


def directives(name: str) -> list[str]:
    """Return what follows a word of the Dockerfile."""
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.M)


def test_both_begin_with_one_image() -> None:
    assert directives("FROM") == re.findall(r"^From: (.+)$", DEFINITION, re.M)


def test_its_python_is_that_of_the_conda_environments_and_new_enough() -> None:
    (image,) = directives("FROM")
    version = re.fullmatch(r"python:(\d+\.\d+)-slim-\w+", image)
    assert version is not None
    for path in (REPOSITORY / "envs").glob("*.yaml"):
        assert f"python={version[1]}" in yaml.safe_load(path.read_text())["dependencies"], path.name
    needed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"][
        "requires-python"
    ]
    asked = tuple(map(int, needed.removeprefix(">=").split(".")))
    assert tuple(map(int, version[1].split("."))) >= asked


def test_both_install_the_lock_file_from_where_they_copied_it() -> None:
    (copied,), (install,) = directives("COPY"), directives("RUN")
    assert [copied] == section("files")
    assert [install] == section("post")
    source, target = copied.split()
    assert (REPOSITORY / source).is_file(), "the context is the workflow's folder"
    words = shlex.split(install)
    assert words[:4] == ["python", "-m", "pip", "install"]
    assert words[words.index("--requirement") + 1] == target


@pytest.mark.parametrize("package", sorted(DISTRIBUTIONS | {"torch", "snakemake"}))
def test_what_the_image_is_tested_to_hold_is_locked(package: str) -> None:
    (command,) = section("test")
    imported = shlex.split(command)[-1].removeprefix("import ").split(", ")
    locked = (REPOSITORY / "requirements.lock").read_text()
    assert package in imported
    assert re.search(rf"^{package}==", locked, re.M)


def test_the_commands_that_build_them_name_them() -> None:
    for text, name in ((DOCKERFILE, "Dockerfile"), (DEFINITION, "atlas.def")):
        (command,) = re.findall(r"^#   (.+)$", text, re.M)
        assert f"envs/container/{name}" in command.split()
