"""What the rules' files say of each rule that runs a script."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
SCRIPTS = REPOSITORY / "scripts"
LIBRARIES = ("atlas", "atlas_demo")
"""Folders of scripts/ that hold no scripts."""


SHELL_SCRIPT = re.compile(r'"\{PRELOADED\} (\w+/\w+\.py)')
"""What a rule's shell runs by way of scripts/preloaded.py."""

RULE = re.compile(r"^(?:rule|checkpoint|use rule) ", re.M)


@dataclass(frozen=True)
class Rule:
    """A rule, its script, and the conda environments that it may run in."""

    name: str
    script: Path
    environments: tuple[str, ...]


def scripted_rules() -> list[Rule]:
    """Return the rules that run a script, be it by a shell."""
    return [
        _rule(block, file.parent)
        for file in sorted((REPOSITORY / "rules").rglob("*.smk"))
        for block in RULE.split(file.read_text(encoding="utf-8"))[1:]
        if "    script:\n" in block or SHELL_SCRIPT.search(block)
    ]


def script_files() -> list[Path]:
    """Return all scripts."""
    found = sorted(SCRIPTS.glob("*/*.py"))
    return [path for path in found if path.parent.name not in LIBRARIES]


def script_of(block: str, folder: Path) -> Path:
    """Return the script of a rule whose file lies in the folder."""
    if by_shell := SHELL_SCRIPT.search(block):
        return SCRIPTS / by_shell[1]
    (script,) = re.findall(r'^    script:\n +"(.+)"', block, flags=re.M)
    return (folder / script).resolve()


def _rule(block: str, folder: Path) -> Rule:
    directives = dict(re.findall(r"^    (\w+):(.+?)(?=^    \w|\Z)", block, flags=re.M | re.S))
    return Rule(
        name=block.partition(":")[0],
        script=script_of(block, folder),
        environments=tuple(re.findall(r'envs/(\w+)\.yaml"', directives["conda"])),
    )
