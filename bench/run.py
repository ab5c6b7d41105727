"""Run the benchmarks, each beside its baseline, and print a table of each."""

import argparse
import importlib
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.extend(str(Path(__file__).parents[1] / place) for place in ("", "scripts", "tests"))
from atlas.basis.errors import nearest
from bench.common.lines import Line, markdown
from bench.common.measuring import REPOSITORY, machine

BENCHMARKS = {
    "notebook": "bench.distances.notebook",
    "limits": "bench.distances.limits",
    "scaling": "bench.distances.scaling",
    "true-size": "bench.distances.true_size",
    "nearest": "bench.fingerprints.nearest",
    "joins": "bench.relations.joins",
    "thousand": "bench.relations.thousand",
    "ranking": "bench.relations.ranking",
    "trees": "bench.recipes.trees",
    "all-known": "bench.recipes.all_known",
    "real-mergers": "bench.recipes.real_mergers",
    "recipes": "bench.recipes.fit_recipes",
    "many-models": "bench.workflow.many_models",
    "small-files": "bench.workflow.small_files",
    "architectures": "bench.architectures.tables",
    "schedule": "bench.workflow.schedule",
    "proofs": "bench.proofs.prove",
    "macs": "bench.macs.profiles",
    "chunks": "bench.activations.chunks",
    "viewer": "bench.pages.viewer",
    "atlas": "bench.pages.atlas",
    "embedding": "bench.projection.embedding",
    "aligned-maps": "bench.projection.aligned_maps",
    "vocabulary": "bench.embeddings.vocabulary",
    "words": "bench.embeddings.words",
    "claims": "bench.claims.collecting",
    "low-rank": "bench.low_rank.baked",
    "lineage": "bench.lineage.relatives",
    "identify": "bench.library.identify",
    "search": "bench.library.search",
    "sketched-recipes": "bench.library.recipes",
    "triage": "bench.library.triage",
}
"""Name to module; each has `measure(folder, *, quick)`, which yields lines."""


def main() -> None:
    """Run what was asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    parser.add_argument("--only", action="append", type=_name, metavar="NAME", help="run this one")
    parser.add_argument("--quick", action="store_true", help="small sizes: minutes, no verdicts")
    parser.add_argument("--folder", type=Path, help="where checkpoints are made, and kept")
    given = parser.parse_args()
    if given.list:
        for name, module in BENCHMARKS.items():
            summary = (importlib.import_module(module).__doc__ or "").strip().splitlines()[0]
            print(f"{name:14} {summary}")
        return
    build = REPOSITORY / "build"
    build.mkdir(exist_ok=True)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="bench-", dir=build))
    tables = []
    try:
        for name in given.only or BENCHMARKS:
            tables.append(_run(name, folder, quick=given.quick))
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    (build / "bench.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")


def _name(text: str) -> str:
    """Return the name of a benchmark as it was given."""
    if text not in BENCHMARKS:
        hint = nearest(text, BENCHMARKS) or f"; there are {', '.join(BENCHMARKS)}"
        raise argparse.ArgumentTypeError(f"{text}: no benchmark of this name{hint}")
    return text


def _run(name: str, folder: Path, *, quick: bool) -> str:
    """Run one benchmark and print its table."""
    start = time.perf_counter()
    title = f"## {name}\n{json.dumps(machine())}{', quick' if quick else ''}"
    print(f"\n{title}", flush=True)
    lines: list[Line] = []
    for line in importlib.import_module(BENCHMARKS[name]).measure(folder, quick=quick):
        print(f"  {line.what}: {line.baseline} → {line.ours}", flush=True)
        lines.append(line)
    table = markdown(lines)
    print(f"\n{table}\n\n{time.perf_counter() - start:.0f} s", flush=True)
    return f"{title}\n\n{table}"


if __name__ == "__main__":
    main()
