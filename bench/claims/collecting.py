"""Collect the claims of 1,000 models that say that they were merged by block."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from atlas.basis import sealed, tables
from atlas.claims import table
from atlas.claims.claim import Held
from atlas.claims.collecting import Believed, Subject, collected
from atlas.fingerprints import fingerprint, provenance
from atlas.fingerprints.provenance import FileMark, Provenance
from atlas.tensors.tensors import FileMetadata
from bench.common.lines import Line, seconds
from said_in_files import SD1, merge

TENSORS = 1100
"""Of Stable Diffusion 1."""
COLUMNS = ["component", "block"]


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make fingerprints up, read them as any rule does, and collect what they say."""
    models = 100 if quick else 1000
    files = {f"m{number:04d}": folder / f"m{number:04d}.parquet" for number in range(models)}
    try:
        for number, file in enumerate(files.values()):
            _write(number, file)
        start = time.perf_counter()
        for file in files.values():
            sealed.read(file, COLUMNS)
            sealed.read_beside(file)
        reading = time.perf_counter() - start
        start = time.perf_counter()
        subjects = [_subject(model, file) for model, file in files.items()]
        claims = collected(subjects)
        tables.write_text(table.as_csv(claims), folder / "claims.csv")
        taken = time.perf_counter() - start
        found = [parent for said in claims.values() for claim in said for parent in claim.parents]
        assert all(parent.model for parent in found[200:])
        wanted = "" if quick else "≤ 10"
        yield Line(
            f"{models} models: claims by block, against reading their fingerprints",
            seconds(reading),
            seconds(taken),
            taken / reading,
            wanted,
        )
    finally:
        for file in (*files.values(), folder / "claims.csv"):
            file.unlink(missing_ok=True)


def _subject(model: str, file: Path) -> Subject:
    rows, _ = sealed.read(file, COLUMNS)
    parts: dict[str, set[str]] = {}
    for component, block in set(zip(*(rows[name].to_pylist() for name in COLUMNS), strict=True)):
        parts.setdefault(component, set()).add(block)
    told = Believed(model, f"model {model}", f"models/{model}.safetensors")
    return Subject.of(told, provenance.read_provenance(file), Held.of(parts))


def _write(number: int, file: Path) -> None:
    """Write a fingerprint of the blocks of Stable Diffusion 1, merged of the two models before."""
    places = [(component, block) for component, blocks in SD1.blocks.items() for block in blocks]
    rows = [
        {"name": f"{component}/{row}", "component": component, "block": block}
        for row, (component, block) in enumerate(places * (TENSORS // len(places)))
    ]
    names = [f"m{max(number - step, 0):04d}.safetensors" for step in (1, 2)]
    recipe = {
        "type": "sd-webui-supermerger",
        "mode": "Weight sum",
        "mbw": True,
        "weights_alpha": [place / 40 for place in range(1, 26)],
        "base_alpha": 0.5,
        "model_a": names[0],
        "model_b": names[1],
        "calcmode": "normal",
    }
    texts = merge(recipe) | {"sd_merge_models": json.dumps({})}
    kept = Provenance(
        (FileMark(f"m{number:04d}.safetensors", 10**9, f"{number:08x}"),),
        (FileMetadata(f"m{number:04d}.safetensors", texts=texts),),
    )
    made = pa.Table.from_pylist(rows, schema=fingerprint.SCHEMA)
    sealed.write(made.replace_schema_metadata({provenance.KEY: provenance.packed(kept)}), file)
