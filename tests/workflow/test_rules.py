"""Every rule with a script: its number, and one name for rule, script, log and benchmark."""

import re
import subprocess
import sys
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


HEADER = re.compile(
    r"^ *(?:rule|checkpoint|use rule) (\w+)(?: as (\w+) with)?:\n(?: +\"{3}(.+)\"{3}\n)?", re.M
)


def told_of_rules() -> dict[str, str]:
    """Return what the rules' files say of each rule in a line, also of those under a condition."""
    files = [REPOSITORY / "Snakefile", *sorted(RULES.rglob("*.smk"))]
    found = [rule for file in files for rule in HEADER.findall(file.read_text(encoding="utf-8"))]
    return {name or copied: told for copied, name, told in found}


def test_every_rule_is_told_in_a_sentence_of_its_own() -> None:
    told = told_of_rules()
    assert {rule.name for rule in COMPUTING} < set(told)
    faulty = [name for name, line in told.items() if not re.fullmatch(r"[A-Z].{10,98}\.", line)]
    assert not faulty, "a docstring of one line below the rule's name"
    assert len(set(told.values())) == len(told)


@pytest.mark.parametrize(
    ("option", "some"),
    [
        ("--list-target-rules", {"all", "groups", "macs", "embeddings", "benchmarks", "tour"}),
        ("--list-rules", {"fingerprint", "plot_group", "plan_activations", "macs"}),
    ],
)
def test_the_lists_of_snakemake_tell_what_each_is(
    option: str, some: set[str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    done = subprocess.run(
        [*command, option, "--config", "roster=config/roster.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    told = told_of_rules()
    listed = {line.partition(" ")[0]: line for line in done.stdout.splitlines()}
    assert some < set(listed)
    assert all(line == f"{name} ({told[name]})" for name, line in listed.items())


def test_nothing_reaches_a_shell_unquoted() -> None:
    """Ids and paths are the user's: each is quoted, and no other way leads to a shell."""
    placed = []
    for file in [REPOSITORY / "Snakefile", *sorted(RULES.rglob("*.smk"))]:
        text = file.read_text(encoding="utf-8")
        for block in re.findall(r"^ *shell:\n((?: {8,}.*\n)+)", text, re.M):
            placed += re.findall(r"\{([^{}]+)\}", block)
    assert placed
    # PRELOADED is words of the workflow's own, quoted where they are joined
    assert {name for name in placed if not name.endswith(":q")} <= {"PRELOADED", "threads"}
    sources = [*RULES.rglob("*.smk"), *(REPOSITORY / "scripts").rglob("*.py")]
    way = re.compile(r"shell=True|os\.(system|popen)\(|\bshell\(")
    assert [file.name for file in sources if way.search(file.read_text(encoding="utf-8"))] == []


def test_words_of_users_become_params_by_functions() -> None:
    """In a plain string Snakemake would take `{words}` of a label or a path for wildcards."""
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(RULES.rglob("*.smk"))}
    telling = {"in_report"}
    for text in texts.values():
        for name, body in re.findall(r"^def (\w+)\(.*\n((?: .*\n|\n)+)", text, re.M):
            if re.search(r"\bin_report\(", body):
                telling.add(name)
    assert {"beliefs", "labels_of", "tags_of", "checkpoints_of"} <= telling
    plain = re.compile(rf"^ *\w+=({'|'.join(sorted(telling))})\(.*", re.M)
    assert [found for text in texts.values() for found in plain.findall(text)] == []


def bound_names(file: Path) -> dict[str, str]:
    """Return what a rules' file names at its top level, with the line that names it."""
    found = {}
    pattern = r"^(?:def (\w+)|([A-Za-z_]\w*) =|from \S+ import (?:.+ as )?(\w+)$|import (\w+)$)"
    for line in file.read_text(encoding="utf-8").splitlines():
        if match := re.match(pattern, line):
            found[next(filter(None, match.groups()))] = line
    return found


def test_two_files_never_call_two_things_alike() -> None:
    """All of them share one space of names: a later file would take an earlier one's."""
    told: dict[str, dict[str, Path]] = {}
    for file in [REPOSITORY / "Snakefile", *sorted(RULES.rglob("*.smk"))]:
        for name, line in bound_names(file).items():
            told.setdefault(name, {})[line] = file
    assert not {name: lines for name, lines in told.items() if len(lines) > 1}
