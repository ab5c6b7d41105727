"""What only its values tell: broken positions, and projections that are none."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import narrow
import originals
from atlas.checkpoint import open_checkpoint

ENCODER = narrow.weights(narrow.text_shapes(2, 8, projected=True))
POSITIONS = "text_model.embeddings.position_ids"


def findings(path: Path, positions: np.ndarray) -> list[str]:
    keys = ENCODER | {POSITIONS: positions}
    opened = open_checkpoint(narrow.save(path / "text.safetensors", keys))
    (told,) = (t for t in opened.tensors if t.key == POSITIONS)
    assert told.component == "other"
    return [finding for finding in opened.findings if "position_ids" in finding]


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_positions_that_count_from_zero_are_not_spoken_of(tmp_path: Path, dtype: type) -> None:
    assert findings(tmp_path, np.arange(77, dtype=dtype)[None]) == []


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_positions_that_a_conversion_took_with_it_are_told(tmp_path: Path, dtype: type) -> None:
    (told,) = findings(tmp_path, np.arange(77).astype(dtype)[None])
    assert "though it holds indices" in told


def test_positions_that_were_cast_back_are_found_by_their_values(tmp_path: Path) -> None:
    """A merge of 0.3 and 0.7 leaves 40.99…: cast to integers, this is 40."""
    merged = np.arange(77)
    merged[[41, 50]] -= 1
    (told,) = findings(tmp_path, merged[None])
    assert f"{POSITIONS} is broken: 2 of 77 positions" in told


def test_broken_positions_of_floats_are_both(tmp_path: Path) -> None:
    kind, values = findings(tmp_path, (np.arange(77) * 0.99).astype(np.float32)[None])
    assert "though it holds indices" in kind
    assert "76 of 77 positions" in values


@pytest.mark.parametrize(
    "dtype",
    [np.float32, np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2],
)
def test_an_identity_for_a_projection_is_put_aside(tmp_path: Path, dtype: type) -> None:
    keys = ENCODER | {"text_projection.weight": np.eye(8).astype(dtype)}
    file = originals.under("text_encoders.clip_l.transformer", keys)
    opened = open_checkpoint(narrow.save(tmp_path / "text.safetensors", file))
    aside = [t.name for t in opened.tensors if t.component == "other"]
    assert aside == ["other/text_encoder.text_projection.weight"]
    assert any("is the identity, as ComfyUI writes it" in told for told in opened.findings)


def test_a_projection_that_is_one_is_weighed(tmp_path: Path) -> None:
    nearly = np.eye(8, dtype=np.float32)
    nearly[0, 1] = 1e-7
    for projection in (ENCODER["text_projection.weight"], nearly):
        keys = ENCODER | {"text_projection.weight": projection}
        opened = open_checkpoint(narrow.save(tmp_path / "text.safetensors", keys))
        assert {t.component for t in opened.tensors} == {"text_encoder"}
