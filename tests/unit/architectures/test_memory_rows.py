"""Rows of memory by dtype, of a made-up component: nothing is built."""

from types import SimpleNamespace

import pytest

from atlas.architectures import memory, rows
from atlas.architectures.memory import LiveBytes, Peak
from atlas.architectures.survey import ComponentSizes

SIZES = ComponentSizes(
    name="unet", class_name="Net", parameters=1000, torchinfo=1000, header=1000, tied=0,
    stored=1000, buffers=10, tokens=77, peaks={512: Peak(half=70, single=130, is_inferred=False)},
)  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "weights", "buffers", "activations"),
    [("f32", 4000, 40, 130), ("f16", 2000, 20, 70), ("bf16", 2000, 20, 70), ("f8", 1000, 20, 70)],
)
def test_weights_take_their_dtype_and_all_else_what_is_computed_in(
    dtype: str, weights: int, buffers: int, activations: int
) -> None:
    entry = SimpleNamespace(name="made-up", label="Made up")
    found = rows.memory([SimpleNamespace(architecture=entry, components=(SIZES,))])
    (row,) = [row for row in found if row["dtype"] == dtype]
    assert (row["weight_bytes"], row["buffer_bytes"]) == (weights, buffers)
    assert row["activation_bytes"] == activations
    assert row["peak_bytes"] == weights + buffers + activations


def at(side: int) -> LiveBytes:
    """Return two events: one of weights alone, and one that overtakes it as the image grows."""
    return LiveBytes(side**2, half=[5000, 2 * side**2], single=[5000, 4 * side**2])


def test_peaks_between_two_sizes_follow_the_pixels() -> None:
    found = memory.peaks(at, [10, 30, 40, 100])
    assert {side: (peak.half, peak.single) for side, peak in found.items()} == {
        10: (5000, 5000), 30: (5000, 5000), 40: (5000, 6400), 100: (20_000, 40_000)
    }  # fmt: skip
    assert [peak.is_inferred for peak in found.values()] == [False, True, True, False]


def test_sizes_that_run_otherwise_are_run_each() -> None:
    def run(side: int) -> LiveBytes:
        live = at(side)
        return live if side < 100 else LiveBytes(live.pixels, [*live.half, 1], live.single)

    found = memory.peaks(run, [10, 40, 100])
    assert [peak.is_inferred for peak in found.values()] == [False] * 3
    assert found[40].single == 6400
