"""Take a census of models."""

from pathlib import Path

import pandas as pd

from atlas.basis import tables


def take(table: Path, census: Path) -> None:
    """Write each model once."""
    names = pd.read_csv(table)["model"].drop_duplicates().sort_values()
    tables.write_text(names.to_frame().to_csv(index=False), census)
