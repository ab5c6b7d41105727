"""The table of claims is read as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas.basis.errors import AtlasError
from atlas.claims import table
from atlas.claims.claim import Claim, Kind, Parent

CLAIMS = {
    "m": [
        Claim(
            "sd_merge_recipe webui",
            Kind.WEIGHTED_SUM,
            parents=(Parent('a, the "first"', 0.7, model="a", how="name"), Parent("b", 0.3)),
            detail="saved as f16, and more",
        ),
        Claim("x", Kind.COMPONENT_OF, "vae", "decoder", (Parent("b", 1.0),), inherited=True),
        Claim("kohya", Kind.EPOCH, order=200.0),
    ],
    "n": [Claim("x", Kind.OTHER, parents=(Parent("c"),), detail="d")],
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "claims.csv"
    file.write_text(table.as_csv(CLAIMS | {"without": []}), encoding="utf-8")
    assert table.read(file) == CLAIMS


def test_rows_are_one_line_each() -> None:
    hostile = Claim("x", Kind.OTHER, parents=(Parent("a\nb\ud800"),), detail="c\r\nd")
    assert len(table.as_csv({"m": [hostile]}).splitlines()) == 2


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("model,parent\n")
    with pytest.raises(AtlasError, match="no table of claims"):
        table.read(tmp_path / "x.csv")
