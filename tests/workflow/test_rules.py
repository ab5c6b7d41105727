"""Every rule with a script: its number, and one name for rule, script, log and benchmark."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from rule_files import SHELL_SCRIPT, script_of
from workflow_runs import REPOSITORY

RULES = REPOSITORY / "rules"
METHODS = yaml.safe_load((RULES / "methods.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Rule:
    """One rule as its file has it; snakefmt keeps the form that is read here."""

    name: str
    file: Path
    text: str

    def places(self, directive: str) -> list[str]:
        """Return the quoted places below a directive."""
        block = re.search(rf"^    {directive}:\n((?: {{8}}.*\n)+)", self.text, re.MULTILINE)
        return re.findall(r'"(.+?)"', block[1]) if block else []


def computing_rules() -> list[Rule]:
    """Return all rules that run a script."""
    found = []
    for file in sorted(RULES.rglob("*.smk")):
        text = file.read_text(encoding="utf-8")
        _, *parts = re.split(r"(?m)^(?=(?:rule|checkpoint|use rule) \w+)", text)
        found += [Rule(part.split(":")[0].split()[-1], file, part) for part in parts]
    return [rule for rule in found if rule.places("script") or SHELL_SCRIPT.search(rule.text)]


COMPUTING = computing_rules()


def test_every_computing_rule_has_a_number_and_nothing_else_has() -> None:
    assert sorted(METHODS) == sorted(rule.name for rule in COMPUTING)
    assert all(isinstance(number, int) and number > 0 for number in METHODS.values())


def test_no_script_is_overlooked() -> None:
    texts = [file.read_text(encoding="utf-8") for file in RULES.rglob("*.smk")]
    by_shell = sum(len(SHELL_SCRIPT.findall(text)) for text in texts)
    found = sum(len(re.findall(r"^\s*script:", text, re.MULTILINE)) for text in texts)
    assert found + by_shell == len(COMPUTING)


@pytest.mark.parametrize("rule", COMPUTING, ids=lambda rule: rule.name)
def test_a_rule_goes_by_one_name(rule: Rule) -> None:
    assert f'        method=METHOD["{rule.name}"],\n' in rule.text
    wing = rule.file.relative_to(RULES).with_suffix("").parts[0]
    script = REPOSITORY / "scripts" / wing / f"{rule.name}.py"
    assert script_of(rule.text, rule.file.parent) == script
    (log,) = rule.places("log")
    assert log.startswith(f"logs/{rule.name}/")
    if "    localrule: True\n" not in rule.text:
        assert rule.places("benchmark")
    for benchmark in rule.places("benchmark"):
        assert benchmark.startswith(f"benchmarks/{rule.name}/")
