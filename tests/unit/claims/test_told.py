"""What the pages say of claims is what the code does, in their examples too."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

from atlas.claims import chattiori, merge_recipes, roster_recipes, supermerger, table
from atlas.claims.claim import Kind
from atlas.claims.comparing import Answer
from atlas.claims.matching import How

REPOSITORY = Path(__file__).parents[3]
CLAIMS = (REPOSITORY / "docs" / "claims.md").read_text(encoding="utf-8")
ROSTER = (REPOSITORY / "docs" / "roster.md").read_text(encoding="utf-8")
TABLES = (REPOSITORY / "docs" / "tables.md").read_text(encoding="utf-8")
ROOM = sorted((REPOSITORY / "scripts" / "atlas" / "claims").glob("*.py"))


@pytest.mark.parametrize("module", [path.stem for path in ROOM])
def test_examples_in_docstrings_hold(module: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(f"atlas.claims.{module}"))
    assert failed == 0


def test_all_kinds_answers_and_ways_are_told() -> None:
    told = re.findall(r"`([^`\n]+)`", CLAIMS)
    for word in (*Kind, *Answer, *How):
        assert word in told


def test_all_sources_are_told() -> None:
    told = re.findall(r"`([^`\n]+)`", CLAIMS)
    sources = [supermerger.SOURCE, chattiori.SOURCE, merge_recipes.RECIPE]
    for source in (*sources, "mecha_recipe", "comfyui", "kohya", "lightning", "mergekit"):
        assert source in told


def test_all_checked_recipes_of_a_roster_are_told() -> None:
    told = set(re.findall(r"`([^`\n]+)`", ROSTER))
    assert set(roster_recipes.FORMS) <= told


def test_all_columns_are_told() -> None:
    section = TABLES.partition("## `results/groups/{group}/claims.csv`")[2].partition("\n## ")[0]
    for column in table.COLUMNS:
        assert f"`{column}`" in section
