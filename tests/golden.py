"""
What every rule makes of a small atlas, as digests: those of today beside those that are kept.

`python tests/golden.py` tells what differs; with --fix it writes the digests of today.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import pocket_atlas
from workflow_runs import REPOSITORY, Atlas

NUMBERS = REPOSITORY / "rules" / "methods.yaml"
KEPT = Path(__file__).parent / "workflow" / "methods.golden.yaml"
FIX = "python tests/golden.py --fix"
HEADER = f"# What each rule makes of tests/pocket_atlas.py. Written by `{FIX}`.\n"

WITHOUT = {
    "check_models": "makes an empty mark",
    "check_entries": "makes empty marks",
    "summarise_benchmarks": "tells times",
    "measure_macs": "measures times on a GPU",
    "plan": "tells of the present, in no output",
    **{
        script.stem: "runs networks, or tells of it: a map magnifies their last bits"
        for wing in ("activations", "embeddings")
        for script in (REPOSITORY / "scripts" / wing).glob("*.py")
    },
    **{
        script.stem: "makes the demo's models, whose training differs between processors"
        for script in (REPOSITORY / "scripts" / "demo").glob("*.py")
    },
}
"""Rules without a digest, and why."""

DECIMAL = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[+-]?\d+)?(?![\w.])")
SMALL_PICTURE = re.compile(r"data:image/\w+;base64,[\w+/=]+")
SEAL = re.compile(r"(?<=,)[0-9a-f]{32}(?=,)")
DIGITS = 6
"""
Significant digits that count. A processor adds up in vectors of its own width, so that sums of
float64 differ in the last of their 16 digits.
"""


@dataclass(frozen=True)
class Result:
    """What one rule made."""

    digest: str
    after: frozenset[str] = frozenset()
    """The rules whose files it read."""


Kept = Mapping[str, Mapping[str, Any]]
"""Rule to its `method` and `digest`."""


def faults(found: Mapping[str, Result], kept: Kept, numbers: Mapping[str, int]) -> list[str]:
    """
    Return what is to be done before results, numbers and kept digests agree.

    Parameters
    ----------
    found
        Results of today by rule.
    kept
        The golden file.
    numbers
        Those of the rules' methods today.
    """
    guilty = unraised(found, kept, numbers)
    if guilty:
        return [
            f"results of {rule} changed: raise {rule} in rules/methods.yaml, tell it in CHANGELOG "
            f"(what reruns), and write the new digests with `{FIX}`"
            for rule in guilty
        ]
    today = document(found, numbers)
    stale = [rule for rule in {**today, **kept} if today.get(rule) != kept.get(rule)]
    return [f"{KEPT.name} is old for {', '.join(stale)}: renew it with `{FIX}`"] if stale else []


def unraised(found: Mapping[str, Result], kept: Kept, numbers: Mapping[str, int]) -> list[str]:
    """
    Return the rules whose results changed, but not their numbers.

    Not those that read what another changed rule makes: they run again behind it.
    """
    changed = {
        rule
        for rule, result in found.items()
        if rule in kept and result.digest != kept[rule]["digest"]
    }
    return [
        rule
        for rule in sorted(changed)
        if numbers[rule] == kept[rule]["method"] and not found[rule].after & changed
    ]


def document(found: Mapping[str, Result], numbers: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Return what the golden file should hold, in the order of the numbers."""
    return {
        rule: {"method": number, "digest": found[rule].digest}
        for rule, number in numbers.items()
        if rule in found
    }


def run(folder: Path) -> Atlas:
    """Make the small atlas in an empty folder."""
    atlas = pocket_atlas.make(folder)
    options = pocket_atlas.options(atlas)
    done = atlas.run(*pocket_atlas.TARGETS, options=options, **pocket_atlas.SETTINGS)
    assert done.success, done.output
    return atlas


def results(atlas: Atlas) -> dict[str, Result]:
    """Return what each rule made, as Snakemake tells it."""
    options = pocket_atlas.options(atlas, "--detailed-summary")
    told = atlas.run(*pocket_atlas.TARGETS, options=options, **pocket_atlas.SETTINGS).output
    header, *lines = (line.split("\t") for line in told.splitlines() if line.count("\t") == 7)
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    rule_of = {row["output_file"]: row["rule"] for row in rows}
    hashes: dict[str, Any] = defaultdict(lambda: hashlib.blake2b(digest_size=8))
    after = defaultdict(set)
    for row in sorted(rows, key=lambda row: row["output_file"]):
        for file in _files(atlas.folder / row["output_file"]):
            place = file.relative_to(atlas.folder).as_posix()
            hashes[row["rule"]].update(f"{place}\n{text_of(file)}\n".encode())
        read = row["input-file(s)"].split(",")
        after[row["rule"]] |= {rule_of[file] for file in read if file in rule_of}
    return {
        rule: Result(digest.hexdigest(), frozenset(after[rule]))
        for rule, digest in hashes.items()
        if rule not in WITHOUT
    }


def _files(place: Path) -> Iterator[Path]:
    """Yield a file, or a folder's; not a PNG, which shows what the SVG of its name does."""
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    return (file for file in files if file.is_file() and file.suffix != ".png")


def text_of(file: Path) -> str:
    """Return what counts of a file, as text with rounded numbers."""
    forms = {".parquet": _table, ".svg": _picture, "fingerprints.csv": _register}
    form = forms.get(file.name) or forms.get(file.suffix, _plain)
    return rounded(form(file))


def rounded(text: str) -> str:
    """
    Return a text with its decimal numbers rounded.

    >>> rounded("l2,0.30000000000000004,blocks.0.1.weight")
    'l2,0.3,blocks.0.1.weight'
    """
    return DECIMAL.sub(lambda number: f"{float(number[0]):.{DIGITS}g}", text)


def _plain(file: Path) -> str:
    """Return a text, without small pictures in it: their dots vary with fonts."""
    return SMALL_PICTURE.sub("", file.read_text(encoding="utf-8"))


def _register(file: Path) -> str:
    """Return a register without its seals, which are of all digits of the moments."""
    return SEAL.sub("", _plain(file))


def _table(file: Path) -> str:
    """Return types, notes and rows; not `parts`, the places in files that a fingerprint tells."""
    table = pq.read_table(file)
    rows = [{name: row[name] for name in row if name != "parts"} for row in table.to_pylist()]
    types = {field.name: str(field.type) for field in table.schema}
    held = [types, str(pq.read_metadata(file).metadata), *rows]
    return json.dumps(held, indent=0, default=bytes.hex)


def _picture(file: Path) -> str:
    """Return a picture's texts, and how many elements of a kind it has; places vary with fonts."""
    elements = list(ElementTree.parse(file).iter())
    kinds = Counter(element.tag for element in elements)
    texts = ["".join(each.itertext()) for each in elements if each.tag.endswith("}text")]
    return json.dumps([sorted(kinds.items()), sorted(texts)], indent=0)


def read(file: Path) -> dict[str, Any]:
    """Return the numbers or the golden file."""
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def main(*, fix: bool) -> None:
    """Make the small atlas; tell what differs, and keep its digests if that is wanted."""
    numbers, kept = read(NUMBERS), read(KEPT)
    with tempfile.TemporaryDirectory() as folder:
        found = results(run(Path(folder)))
    print("\n".join(faults(found, kept, numbers)) or "nothing changed")
    if fix:
        KEPT.write_text(HEADER + yaml.safe_dump(document(found, numbers), sort_keys=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="write the digests of today")
    main(fix=parser.parse_args().fix)
