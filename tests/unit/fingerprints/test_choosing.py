"""Pairs that are chosen by sketches: neighbours, copies, groups, and names of unknown layouts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from atlas.basis import sealed
from atlas.fingerprints import choosing, fingerprint, matching
from atlas.fingerprints.choosing import Neighbour, as_csv, neighbours, pairs
from stored import checkpoint

SHAPES = {"unet/a.weight": (64, 64), "unet/b.bias": (40,), "vae/c.weight": (8, 8)}


def weights(seed: int, base: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """Return random weights, or those of a base with a little noise."""
    generator = np.random.default_rng(seed)
    noise = {name: generator.standard_normal(shape) for name, shape in SHAPES.items()}
    made = noise if base is None else {name: base[name] + 0.01 * noise[name] for name in base}
    return {name: array.astype(np.float32) for name, array in made.items()}


def written(folder: Path, models: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, Path]:
    """Write fingerprints of models, and return them by id."""
    prints = {}
    for model, given in models.items():
        prints[model] = folder / f"{model}.parquet"
        held = checkpoint(folder / model, given)
        sealed.write(fingerprint.table(held), prints[model], fingerprint.notes(held))
    return prints


def of(found: list[Neighbour], model: str) -> list[tuple[str, int]]:
    return [(each.neighbour, each.rank) for each in found if each.model == model]


def test_relatives_are_nearer_than_strangers(tmp_path):
    one, other = weights(0), weights(1)
    models = {"a": one, "a-tuned": weights(2, one), "b": other, "b-tuned": weights(3, other)}
    found = neighbours(written(tmp_path, models), 2)
    assert of(found, "a")[0] == ("a-tuned", 1)
    assert of(found, "b-tuned")[0] == ("b", 1)
    estimate = next(each.estimate for each in found if each.model == "a")
    assert estimate == pytest.approx(0.01, rel=0.2)


def test_copies_do_not_crowd_out_the_others(tmp_path):
    base = weights(0)
    models = {f"copy-{number:02d}": base for number in range(12)}
    models |= {f"tune-{number}": weights(number + 1, base) for number in range(4)}
    found = neighbours(written(tmp_path, models), 3)
    assert of(found, "tune-0")[0] == ("copy-00", 1)
    assert [rank for _, rank in of(found, "tune-0")] == [1, 2, 3]
    assert of(found, "copy-07")[0] == ("copy-00", 0)
    assert [rank for _, rank in of(found, "copy-07")] == [0, 1, 2, 3]
    assert of(found, "copy-00")[0][1] == 1


def test_a_copy_of_another_dtype_is_a_copy(tmp_path):
    base = {name: array.astype(np.float16) for name, array in weights(0).items()}
    wide = {name: array.astype(np.float32) for name, array in base.items()}
    found = neighbours(written(tmp_path, {"half": base, "wide": wide}), 3)
    assert found == [Neighbour("wide", "half", 0, 0.0)]


def test_models_without_a_common_component_have_no_pair(tmp_path):
    one = weights(0)
    denoiser = {name: array for name, array in one.items() if name.startswith("unet")}
    decoders = [{"vae/c.weight": weights(seed)["vae/c.weight"]} for seed in (0, 1)]
    prints = written(tmp_path, {"unet": denoiser, "vae-0": decoders[0], "vae-1": decoders[1]})
    assert [(each.model, each.neighbour) for each in neighbours(prints, 3)] == [
        ("vae-0", "vae-1"),
        ("vae-1", "vae-0"),
    ]


def test_a_checkpoint_that_can_not_be_read_has_no_neighbours(tmp_path):
    prints = written(tmp_path, {"a": weights(0), "b": weights(1)})
    prints["lost"] = tmp_path / "lost.parquet"
    sealed.write(fingerprint.SCHEMA.empty_table(), prints["lost"], {"problem": "cut off"})
    assert {each.model for each in neighbours(prints, 3)} == {"a", "b"}


def renamed(given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the denoiser as a file of no known layout has it."""
    return {
        name.replace("unet/", "network/x."): array
        for name, array in given.items()
        if name.startswith("unet/")
    }


def test_a_copy_in_an_unknown_layout_has_the_neighbours_of_its_twin(tmp_path):
    base = weights(0)
    models = {"base": base, "far": weights(1), "tune": weights(2, base), "odd": renamed(base)}
    prints = written(tmp_path, models)
    found = neighbours(prints, 1, matching.find(prints.values()))
    assert ("base", 0) in of(found, "odd")
    assert ("tune", 1) in of(found, "odd")
    assert neighbours(prints, 1) != found


def test_pairs_are_each_once_in_order_with_those_of_groups():
    found = [
        Neighbour("b", "a", 2, 0.2),
        Neighbour("a", "b", 1, 0.2),
        Neighbour("c", "a", 1, 0.3),
    ]
    table = pairs(found, [["d", "a", "b"], ["d"]])
    assert table.schema == choosing.SCHEMA
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("a", "b", 0.2, 1, True),
        ("a", "c", 0.3, 1, False),
        ("a", "d", None, None, True),
        ("b", "d", None, None, True),
    ]


def test_no_models_are_no_pairs():
    assert pairs([], []).num_rows == 0


def test_neighbours_are_told_as_csv():
    text = as_csv([Neighbour("a", "b, or not", 1, 0.0123456)])
    assert text == 'model,neighbour,rank,relative_l2\na,"b, or not",1,0.01235\n'
