"""The demo's roster says how each relative was made; the identity table must find it so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from atlas_demo import facts
from workflow_runs import run_demo

pytestmark = pytest.mark.slow

TARGETS = [
    "results/groups/terrain/identity.csv",
    "results/groups/terrain/matrices",
    "results/groups/terrain-shipped/identity.csv",
    "results/groups/terrain-shipped/matrices",
]


@pytest.fixture(scope="module")
def demo(fetched_wheel, tmp_path_factory) -> Path:
    """Make the terrain groups of the demo, from wheels that are there."""
    wheels = map(fetched_wheel, facts.terrain()["wheels"].values())
    return run_demo(tmp_path_factory.mktemp("demo"), wheels, *TARGETS) / "groups"


@pytest.fixture(scope="module")
def verdicts(demo) -> dict[tuple[str, str], tuple[str, str]]:
    """Return (a, b) to (verdict, what) of the UNets, either way round."""
    frame = pd.read_csv(demo / "terrain" / "identity.csv")
    assert set(frame["component"]) == {"unet"}, "the renamed copy goes by the known names"
    found = {}
    for row in frame.itertuples():
        found[row.a, row.b] = found[row.b, row.a] = (row.verdict, row.what)
    return found


def distance(demo: Path, a: str, b: str, measure: str = "l2") -> float:
    matrix = pd.read_csv(demo / "terrain" / "matrices" / f"unet.{measure}.csv", index_col=0)
    return float(matrix.loc[a, b])


def test_the_two_networks_as_shipped(demo):
    row = pd.read_csv(demo / "terrain-shipped" / "identity.csv").iloc[0]
    assert (row["identical_tensors"], row["tensors"]) == (2, 788)
    folder = demo / "terrain-shipped" / "matrices"
    for measure, expected, tolerance in (
        ("relative_l2", 0.00467, 0.00001),
        ("cosine", 0.999989, 0.0000005),
    ):
        matrix = pd.read_csv(folder / f"network.{measure}.csv", index_col=0)
        found = matrix.loc["terrain-041-shipped", "terrain-042-shipped"]
        assert found == pytest.approx(expected, abs=tolerance)


def test_copies_are_identical_whatever_their_form(verdicts):
    assert verdicts["terrain-041", "terrain-copy"] == ("identical", "identical")
    assert verdicts["terrain-042", "terrain-renamed"] == (
        "identical",
        "identical under other names",
    )


def test_the_float16_copy_is_a_cast_of_its_parent_alone(verdicts):
    assert verdicts["terrain-042", "terrain-half"] == ("cast", "same weights rounded to float16")
    assert verdicts["terrain-041", "terrain-half"][0] != "cast"


def test_the_merge_lies_on_the_line_between_its_parents(demo, verdicts):
    whole = distance(demo, "terrain-041", "terrain-042")
    assert distance(demo, "terrain-041", "terrain-merge") == pytest.approx(0.3 * whole, rel=1e-4)
    assert distance(demo, "terrain-merge", "terrain-042") == pytest.approx(0.7 * whole, rel=1e-4)
    assert verdicts["terrain-041", "terrain-merge"][0] == "changed"


def test_the_merge_by_block_keeps_the_blocks_of_share_0_and_1(verdicts):
    verdict, what = verdicts["terrain-041", "terrain-block-merge"]
    assert verdict == "partly changed"
    assert what.endswith("none of them in IN00–IN03")
    verdict, what = verdicts["terrain-042", "terrain-block-merge"]
    assert verdict == "partly changed"
    assert what.endswith("none of them in OUT21–OUT24")


def test_the_tuned_network_and_the_added_difference_are_changed(demo, verdicts):
    for pair in (("terrain-041", "terrain-tuned"), ("terrain-042", "terrain-add-difference")):
        assert verdicts[pair][0] in ("changed", "partly changed")
    tuning = distance(demo, "terrain-041", "terrain-tuned")
    added = distance(demo, "terrain-042", "terrain-add-difference")
    assert added == pytest.approx(0.8 * tuning, rel=1e-3)
