"""Look at the headers of all checkpoints below a folder, and write a table of them."""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import command_line
from atlas.library import libraries
from atlas.library.triage import Shelves, triage

RESULTS = Path("results")
LIBRARY = RESULTS / "library.parquet"


def main(
    folder: Path,
    *,
    library: list[Path] | None = None,
    table: Path = RESULTS / "identify" / "triage.csv",
) -> None:
    """
    Write the table. A second run looks at new and changed files alone.

    Parameters
    ----------
    folder
        Folder with checkpoints, searched to any depth.
    library
        Libraries, or folders of them; without any, results/library.parquet where it is there.
    table
        The CSV table to write, or to bring up to date.
    """
    places = library or ([LIBRARY] if LIBRARY.is_file() else [])
    shelves = Shelves(libraries.load(places), libraries.state_of(places))
    done = triage(folder, table, shelves)
    kinds = Counter(row.kind for row in done.rows)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"{len(done.rows)} checkpoints, {done.looked_at} of them new: {told or 'none'}")
    print(f"Each is a line of {table}")


if __name__ == "__main__":
    spare_pandas()
    command_line(main, has_rule=False)
