"""The published table of MACs comes out as printed, and the right ranking beside it."""

import pytest
import torch

from atlas.architectures.architecture import Architecture
from atlas.macs import published


def test_all_published_rows_come_out_as_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    real, made = published.build.component, {}

    def built_once(entry: Architecture, name: str) -> torch.nn.Module:
        if (entry.name, name) not in made:
            made[entry.name, name] = real(entry, name)
        return made[entry.name, name]

    monkeypatch.setattr(published.build, "component", built_once)
    rows = published.rows()
    assert len(rows) == 7
    assert all(row["agrees"] for row in rows)
    for row in rows:
        exact = row["recomputed_step_gmacs"] / row["published_step_gmacs"]
        assert exact == pytest.approx(1, abs=1e-4)
    # The ranking turns over: SANA falls from the first places.
    ranks = {row["model"]: (row["published_rank"], row["right_rank"]) for row in rows}
    assert ranks["SANA-1.6B"] == (1, 5)
    assert ranks["Lumina-Image-2.0"] == (3, 1)
