"""The commands of the pages work as written: each page's in a folder that README's set-up made."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import factory
from workflow_runs import REPOSITORY, Atlas, link_workflow

PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "results" / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted((REPOSITORY / "config").rglob("README.md")),
]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"^\$ (.+)$", re.MULTILINE)
INLINE = re.compile(r"`((?:make \w+|[^`\n]*\.venv/bin/\w+ )[^`\n]*)`")
COMMAND = re.compile(r"^\s*(?:make|snakemake|python|bash|\S*\.venv/bin/\w+) ", re.MULTILINE)

OTHER = "snakemake|python|pytest|apptainer|docker|snakedeploy"
"""Programs whose commands stand in blocks, where they are run."""

PLACES = {"/path/to/checkpoints": "models", "DIR=folder": "DIR=models", "my/roster": "roster"}
"""What stands for the reader's own, and what it is here."""

INSTEAD = {
    r"python -m (\S+).*": "python -c 'import importlib.util as u; assert u.find_spec(\"\\1\")'",
    r" --generate-unit-tests .*": "",  # of a finished run: test_generated_tests.py does that
    r"(bench/run\.py --only \w+).*": r"\1 --list",
}
"""Programs that run for minutes, or write into the workflow, are only looked for."""

CONDA = REPOSITORY / "tests" / "stand_ins" / "conda" / "bin"

SHIMS = {
    # what takes long is planned
    "snakemake": '{python} -m snakemake "$@" --dry-run',
    "python": '{python} "$@"',
    # what builds or fetches for minutes: the files that it names are there
    **dict.fromkeys(
        ("apptainer", "docker", "snakedeploy"),
        'echo "${{0##*/}} version 1.3.6"\nfor word; do [[ $word != envs/* ]] || ls "$word"; done',
    ),
    "make": '[[ "$*" =~ DIR= ]] || set -- --dry-run "$@"\n{make} "$@" READY=ready',
}


def commands(page: Path) -> list[str]:
    """Return the commands of a page in order: blocks, lines at a prompt, inline code."""
    text = page.read_text(encoding="utf-8")
    found = []
    for form, block in BLOCK.findall(text):
        if form == "bash":
            found.append(block)
        elif form == "console":
            found += PROMPT.findall(block)
        elif form == "python" and "sys.path.insert" in block:
            found.append(f".venv/bin/python - << 'END'\n{block}END")
    found += INLINE.findall(BLOCK.sub("", text))
    return list(dict.fromkeys(found))


def unet(value: float) -> dict[str, np.ndarray]:
    """Return a few weights of a UNet in its original layout."""
    modules = ("middle_block.0", "output_blocks.0.0")
    keys = ("input_blocks.0.0", "time_embed.0", *(f"{module}.in_layers.0" for module in modules))
    return {f"{key}.weight": np.full(2, value, np.float32) for key in keys}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the workflow with an environment, checkpoints, and a roster of them."""
    folder = link_workflow(tmp_path_factory.mktemp("reader"))
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name, text in SHIMS.items():
        shim = folder / (".venv/bin" if name in ("snakemake", "python") else "bin") / name
        shim.parent.mkdir(exist_ok=True)
        shim.write_text("#!/bin/bash\n" + text.format(python=sys.executable, make="/usr/bin/make"))
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    atlas = Atlas(folder)
    for name in ("nai-4g", "sd-1.4", "my-tuned-xl", "other"):
        factory.single_file(folder / "models" / f"{name}.safetensors", unet(len(name)))
        atlas.models[name] = {"path": f"models/{name}.safetensors"}
    for name in ("terrain-041", "terrain-042", "terrain-merge"):
        file = folder / "resources" / "terrain" / "adm" / f"{name}.safetensors"
        factory.single_file(file, unet(len(file.name)))
    atlas.groups = {name: {"models": ["nai-4g", "sd-1.4"]} for name in ("all", "anime")}
    atlas.write_roster()
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader does, with no other environment than the folder's."""
    for place, here in PLACES.items():
        command = command.replace(place, here)
    for program, instead in INSTEAD.items():
        command = re.sub(program, instead, command)
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env={
            "PATH": f"{folder / 'bin'}:{CONDA}:/usr/bin:/bin",
            "HOME": os.environ.get("HOME", "/"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


pytestmark = pytest.mark.slow  # all together

WITH_COMMANDS = [page for page in PAGES if commands(page)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.stem)
def test_every_command_of_a_page_works(page: Path, reader: Path) -> None:
    for command in commands(page):
        done = run(command, reader)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        for line in re.findall(r"^.*bin/snakemake (?!--list-).+", command, re.M):
            assert re.search(r"--(cores|workflow-profile) ", line), "a real run needs one"


def test_the_first_page_shows_a_target_with_a_roster() -> None:
    (first,) = [
        page for page in WITH_COMMANDS if page.name == "README.md" and "docs" not in str(page)
    ][:1]
    assert any(
        re.search(r"snakemake .*results/\S+ .*--config roster=", each) for each in commands(first)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_command_of_a_page_is_overlooked(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for form, block in BLOCK.findall(text):
        assert form in ("bash", "console") or not COMMAND.search(block), block
    for code in re.findall(r"`([^`\n]+)`", BLOCK.sub("", text)):
        assert not re.match(rf"(PYTHONPATH=\S+ )?({OTHER}) -?-?\w", code), code


COMMENTED = [
    *sorted((REPOSITORY / "config").glob("*.yaml")),
    *sorted((REPOSITORY / "envs" / "container").iterdir()),
    REPOSITORY / "profiles" / "default" / "config.yaml",
]
"""Files whose comments show commands, on lines of their own."""
TOLD = re.compile(r"^ *# +((?:\.venv/bin/|make \w+ |docker |apptainer ).+)$", re.MULTILINE)


def test_every_command_in_a_comment_works(reader: Path) -> None:
    found = [(file, command) for file in COMMENTED for command in TOLD.findall(file.read_text())]
    assert len(found) >= 3
    for file, command in found:
        done = run(command.replace("models/roster.yaml", "roster.yaml"), reader)
        assert done.returncode == 0, f"{file.name}: {command}\n{done.stdout}"
