"""Sizes and texts at the limits of what a model takes."""

import pytest

from atlas.architectures import catalogue, sizes
from atlas.basis.errors import AtlasError


@pytest.mark.parametrize(
    ("side", "nearest"), [(1, 64), (95, 64), (96, 128), (150, 128), (10**6, 192)]
)
def test_the_nearest_side_is_a_multiple_below_the_largest(side: int, nearest: int) -> None:
    assert sizes.nearest_side(side, multiple=64, largest=200) == nearest


def test_a_text_that_is_longer_than_the_encoder_takes_is_not_cut_in_silence() -> None:
    entry = catalogue.load("sdxl")
    name, encoder = next(iter(entry.text_encoders.items()))
    assert sizes.encoder_tokens_for(entry, name, encoder, 77) == 77
    with pytest.raises(AtlasError, match="78 text tokens"):
        sizes.encoder_tokens_for(entry, name, encoder, 78)
