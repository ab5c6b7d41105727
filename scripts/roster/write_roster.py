"""Write a roster for a folder of checkpoints."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line
from atlas.roster import reading as roster
from atlas.roster import writing


def main(folder: Path, *, to: Path = Path("roster.yaml")) -> None:
    """
    Write the roster, check it, and say how to go on.

    Parameters
    ----------
    folder
        Folder with checkpoints, searched to any depth.
    to
        The roster to write.
    """
    if to.exists():
        raise AtlasError(f"{to}: exists already; give another name with --to, or delete it")
    tables.write_text(writing.document(folder, roster=to), to)
    models = roster.load(to).models
    print(f"{to}: {len(models)} models. Look it over, then run\n")
    print(f"  .venv/bin/snakemake --cores all --config roster={to}")


if __name__ == "__main__":
    command_line(main, has_rule=False)
