"""Write a roster for a folder of checkpoints."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.errors import AtlasError
from atlas.roster import reading as roster
from atlas.roster import writing


def main(*, folder: Path, to: Path) -> None:
    """Write the roster, check it, and say how to go on."""
    if to.exists():
        raise AtlasError(f"{to}: exists already; give another name with --to, or delete it")
    tables.write_text(writing.document(folder, roster=to), to)
    models = roster.load(to).models
    print(f"{to}: {len(models)} models. Look it over, then run\n")
    print(f"  .venv/bin/snakemake --cores all --config roster={to}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with checkpoints, searched to any depth")
    parser.add_argument("--to", type=Path, default=Path("roster.yaml"), help="default: %(default)s")
    arguments = parser.parse_args()
    try:
        main(folder=arguments.folder, to=arguments.to)
    except AtlasError as error:
        sys.exit(f"error: {error}")
