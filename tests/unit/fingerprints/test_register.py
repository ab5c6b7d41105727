"""The register stands for all fingerprints, believed only while they are what it tells of."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.fingerprints import register
from measured import fingerprints


def entered(folder: Path) -> dict[str, register.Entry]:
    """Return the entries of two fingerprints, of a path that CSV has to quote."""
    made = fingerprints(folder, {name: {"unet/x": np.ones(3)} for name in ("b", "a")})
    return {path.stem: register.Entry(path, Path('odd, "path"') / path.stem) for path in made}


def test_what_was_entered_is_read_in_order_of_id(tmp_path):
    entries = entered(tmp_path)
    register.write(entries, tmp_path / "register.csv")
    found = register.read(tmp_path / "register.csv")
    assert found == entries
    assert list(found) == ["a", "b"]


def test_it_changes_with_every_fingerprint(tmp_path):
    entries = entered(tmp_path)
    register.write(entries, tmp_path / "before.csv")
    fingerprints(tmp_path, {"a": {"unet/x": np.zeros(3)}})
    register.write(entries, tmp_path / "after.csv")
    before, after = ((tmp_path / f"{name}.csv").read_text() for name in ("before", "after"))
    assert before.splitlines()[2] == after.splitlines()[2]
    assert before.splitlines()[1] != after.splitlines()[1]


@pytest.mark.parametrize("gone", [True, False])
def test_another_fingerprint_is_not_taken_for_the_one_entered(tmp_path, gone):
    register.write(entered(tmp_path), tmp_path / "register.csv")
    fingerprints(tmp_path, {"a": {"unet/x": np.zeros(3)}})
    if gone:
        (tmp_path / "a.parquet").unlink()
    with pytest.raises(AtlasError, match=r"a\.parquet: is no longer the fingerprint .* run again"):
        register.read(tmp_path / "register.csv")


@pytest.mark.parametrize("text", ["", "model\n", "model,seal,fingerprint,checkpoint\na\n"])
def test_another_file_is_no_register(tmp_path, text):
    path = tmp_path / "register.csv"
    path.write_text(text)
    with pytest.raises(AtlasError, match=re.escape(f"{path}: no register of fingerprints")):
        register.read(path)
