"""
Merge the demo's digits by sd-mecha's methods, and find the recipes of what comes out.

sd-mecha is no part of the environment: `pip install --no-deps --target FOLDER sd-mecha==1.1.8
fuzzywuzzy` and `PYTHONPATH=FOLDER` beside the usual one make it found.
"""

import importlib
import importlib.util
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from atlas.checkpoint import open_checkpoint
from atlas.recipes.fit import WIDE_ROUNDINGS, Fit, fit_blocks
from atlas.recipes.verdicts import Verdict
from bench.common.lines import Line
from bench.common.measuring import REPOSITORY
from bench.recipes.made_trees import rounding

Arrays = dict[str, NDArray[np.float32]]
DIGITS = REPOSITORY / "resources" / "digits" / "ldm"
PREFIXES = ("model.diffusion_model.", "cond_stage_model.", "first_stage_model.")
PARENTS = {
    "a": ("digits", "digits", "digits"),
    "b": ("digits-mirrored", "digits-captioned", "digits-decoder"),
    "c": ("digits", "digits-exchanged", "digits"),
}
"""Whose UNet, text encoder and VAE each parent has."""
SHUFFLED = PREFIXES[0]
"""
The component in which c is no model of the demo, but `a` with b's changes shuffled in each tensor.

The digits have one fine-tuned UNet beside the raw weights of the training, which are so near to
their average that most methods make weighted sums of them.
"""
OUTPUTS = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
BLOCKS = [
    "BASE", *(f"IN{n:02d}" for n in range(12)), "M00", *(f"OUT{n:02d}" for n in range(12))
]  # fmt: skip
RATIOS = {block: round(0.1 + 0.03 * number, 2) for number, block in enumerate(BLOCKS)}


@dataclass(frozen=True)
class Method:
    """How a merge is made, and what it is."""

    name: str
    recipe: Callable[[Any, Any, Any, Any], Any]
    """Of sd_mecha and the parents a, b and c."""
    truth: Mapping[str, float] | None = None
    """Weights, where it is a weighted sum."""
    in_effect: bool = False
    """Not a weighted sum by its formula, and one by its outcome on such parents."""


METHODS = (
    Method(
        "weighted sum", lambda m, a, b, c: m.weighted_sum(a, b, alpha=0.3), {"a": 0.7, "b": 0.3}
    ),
    Method(
        "average of 3",
        lambda m, a, b, c: m.n_average(a, b, c),
        {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3},
    ),
    Method(
        "add difference",
        lambda m, a, b, c: m.add_difference(c, b, a, alpha=0.8),
        {"c": 1, "b": 0.8, "a": -0.8},
    ),
    Method("by block (MBW)", lambda m, a, b, c: m.weighted_sum(a, b, alpha=_by_block(m, a)), {}),
    Method("slerp", lambda m, a, b, c: m.slerp(a, b, alpha=0.3), in_effect=True),
    Method("cosine A, 0.5", lambda m, a, b, c: m.add_cosine_a(a, b, alpha=0.5), in_effect=True),
    Method("cosine B, 0.5", lambda m, a, b, c: m.add_cosine_b(a, b, alpha=0.5), in_effect=True),
    Method("cosine A, 0", lambda m, a, b, c: m.add_cosine_a(a, b, alpha=0.0)),
    Method("cosine B, 0", lambda m, a, b, c: m.add_cosine_b(a, b, alpha=0.0)),
    Method("geometric mean", lambda m, a, b, c: m.geometric_sum(a, b, alpha=0.3)),
    Method(
        "TIES",
        lambda m, a, b, c: _inner("linear").add_difference(
            a, m.ties_sum(m.subtract(b, a), m.subtract(c, a), k=0.5), alpha=0.6
        ),
    ),
    Method(
        "DARE", lambda m, a, b, c: m.add_ties_with_dare(a, b, c, probability=0.7, alpha=0.5, seed=1)
    ),
    Method("dropout", lambda m, a, b, c: m.dropout(a, b, c, probability=0.7, alpha=0.5, seed=1)),
    Method(
        "train difference",
        lambda m, a, b, c: m.add_difference(
            c, b, a, alpha=m.train_difference_mask(c, b, a, alpha=0.8)
        ),
    ),
    Method("tensor sum", lambda m, a, b, c: m.tensor_sum(a, b, width=0.4, offset=0.2)),
    Method("top-k tensor sum", lambda m, a, b, c: m.top_k_tensor_sum(a, b, width=0.4)),
    Method("rotate", lambda m, a, b, c: _inner("svd").rotate(b, c, alignment=1.0, alpha=0.3)),
    Method(
        "truncated rank",
        lambda m, a, b, c: _inner("linear").add_difference(
            a, m.truncate_rank(m.subtract(b, a), rank=4), alpha=1.0
        ),
    ),
    Method("perpendicular", lambda m, a, b, c: m.add_perpendicular(c, b, a, alpha=0.8)),
    Method("crossover", lambda m, a, b, c: m.crossover(a, b, alpha=0.3, tilt=0.5)),
)


def _inner(module: str) -> Any:
    """Return a module of sd-mecha's own methods, whose outer forms don't serve here."""
    return importlib.import_module(f"sd_mecha.extensions.builtin.merge_methods.{module}")


def _by_block(mecha: Any, like: Any) -> Any:
    return mecha.convert(mecha.literal(RATIOS, config="sd1-supermerger_blocks"), like)


@dataclass(frozen=True)
class Outcome:
    """The recipes that were found of a merge's blocks."""

    method: Method
    dtype: str
    fits: Mapping[tuple[str, str], Fit]
    """By component and block, where parents differ."""
    names: tuple[str, ...]

    @property
    def verdicts(self) -> Counter[Verdict]:
        """How often each verdict was given."""
        return Counter(fit.verdict for fit in self.fits.values())

    def ratio(self) -> float:
        """Return the median of residual by floor where weights were found."""
        ratios = [fit.residual / fit.floor for fit in self.fits.values() if fit.weights]
        return float(np.median(ratios)) if ratios else np.nan


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Merge by each method into each dtype, and count recovered blocks."""
    if (reason := unable()) is not None:
        yield Line("merges of others' programs", "", reason)
        return
    false = blocks = 0
    named: list[str] = []
    for outcome in outcomes(("f16",) if quick else tuple(OUTPUTS)):
        method, told = outcome.method, outcome.verdicts
        recovered, count = told[Verdict.RECOVERED], len(outcome.fits)
        right = recovered + told[Verdict.EQUAL]  # parents that are the same have no weights
        linear = method.truth is not None or method.in_effect
        kind = "linear in effect" if method.in_effect else "linear" if linear else "another"
        others = ", ".join(f"{said} {n}" for said, n in sorted(told.items()) if n)
        yield Line(
            f"{method.name}, {outcome.dtype} ({kind})",
            f"{count} blocks",
            f"{others}; residual {outcome.ratio():.3g} floors",
            (right if linear else recovered) / count,
            "" if method.in_effect else "≥ 0.95" if linear else "≤ 0.01",
        )
        if not linear:
            false, blocks = false + recovered, blocks + count
            named += [
                f"{method.name} {outcome.dtype}: {' '.join(part)} ({fit.residual / fit.floor:.3g})"
                for part, fit in outcome.fits.items()
                if fit.verdict is Verdict.RECOVERED
            ]
    yield Line("all that are no sums", f"{blocks}", f"{false} recovered", false / blocks, "≤ 0.01")
    yield from (Line("of these", "", each) for each in named)


def unable() -> str | None:
    """Return why nothing can be merged here; None where it can."""
    if importlib.util.find_spec("sd_mecha") is None:
        return "not run: sd-mecha is not installed"
    if not DIGITS.is_dir():
        return "not run: the demo's digits are not there (make demo)"
    return None


def outcomes(dtypes: tuple[str, ...]) -> Iterator[Outcome]:
    """Merge by all methods, and find the recipes."""
    import sd_mecha as mecha

    with tempfile.TemporaryDirectory() as place:
        paths = _write_parents(Path(place))
        places = {
            tensor.key: (tensor.component, tensor.block)
            for tensor in open_checkpoint(paths["a"]).tensors
            if tensor.component != "other"
        }
        parents = {name: _arrays(load_file(path), places) for name, path in paths.items()}
        models = [mecha.model(str(path)) for path in paths.values()]
        for method in METHODS:
            merged = _merged(mecha, method.recipe(mecha, *models))
            for dtype in dtypes:
                target = {
                    key: values.to(OUTPUTS[dtype]) if values.is_floating_point() else values
                    for key, values in merged.items()
                }
                yield _found(method, dtype, _arrays(target, places), parents, places)


def _merged(mecha: Any, recipe: Any) -> dict[str, torch.Tensor]:
    """
    Merge in float32, as sd-mecha does by default; its progress bar goes nowhere.

    Other dtypes it makes of this, in the end.
    """
    kinds = {"output_dtype": torch.float32, "merge_dtype": torch.float32}
    with Path(os.devnull).open("w") as nowhere:
        merged = mecha.merge(recipe, **kinds, threads=1, tqdm=_silent(nowhere))
    return {key: values for key, values in merged.items() if isinstance(values, torch.Tensor)}


def _silent(nowhere: Any) -> Any:
    from functools import partial

    from tqdm import tqdm

    return partial(tqdm, file=nowhere)


def _write_parents(place: Path) -> dict[str, Path]:
    """Put each parent together of several models' components."""
    paths = {}
    keys = list(load_file(DIGITS / "digits.safetensors"))
    for name, sources in PARENTS.items():
        weights = {}
        for prefix, source in zip(PREFIXES, sources, strict=True):
            held = load_file(DIGITS / f"{source}.safetensors")
            weights |= {key: held[key].contiguous() for key in keys if key.startswith(prefix)}
        if name == "c":
            weights |= _shuffled(load_file(paths["a"]), load_file(paths["b"]))
        paths[name] = place / f"{name}.safetensors"
        save_file(weights, paths[name])
    return paths


def _shuffled(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a second fine-tune: one model with the other's changes in another order."""
    generator = torch.Generator().manual_seed(0)
    made = {}
    for key in (each for each in one if each.startswith(SHUFFLED)):
        change = (other[key] - one[key]).reshape(-1)
        order = torch.randperm(change.numel(), generator=generator)
        made[key] = one[key] + change[order].reshape(one[key].shape)
    return made


def _arrays(weights: Mapping[str, Any], places: Mapping[str, Any]) -> Arrays:
    return {
        key: weights[key].float().numpy().reshape(-1)
        for key in places
        if weights[key].is_floating_point()
    }


def _found(
    method: Method,
    dtype: str,
    target: Arrays,
    parents: Mapping[str, Arrays],
    places: Mapping[str, tuple[str, str]],
) -> Outcome:
    """Fit all blocks of each component in which parents differ."""
    fits: dict[tuple[str, str], Fit] = {}
    for component in sorted({component for component, _ in places.values()}):
        models = _distinct(parents, [key for key in target if places[key][0] == component])
        blocks = sorted({places[key][1] for key in target if places[key][0] == component})
        whole = [target, *models.values()]
        squares = np.zeros((len(blocks), len(whole), len(whole)))
        elements = np.zeros(len(blocks), np.int64)
        for key, values in target.items():
            if places[key][0] != component:
                continue
            at = blocks.index(places[key][1])
            rows = np.stack([each[key] for each in whole]).astype(np.float64)
            apart = rows[:, None] - rows[None]
            # In terms of what rounding leaves of an element: norms are rounded coarsely.
            squares[at] += np.square(apart).sum(axis=2) / rounding(values, dtype).mean()
            elements[at] += values.size
        some = [at for at in range(len(blocks)) if squares[at][1:, 1:].any()]
        if len(models) < 2 or not some:
            continue
        found = fit_blocks(
            squares[some],
            elements=elements[some],
            floors=np.sqrt(elements[some]),
            roundings=WIDE_ROUNDINGS if dtype == "f32" else 1.0,
        )
        fits |= {(component, blocks[at]): fit for at, fit in zip(some, found, strict=True)}
    return Outcome(method, dtype, fits, tuple(parents))


def _distinct(parents: Mapping[str, Arrays], keys: list[str]) -> dict[str, Arrays]:
    """Return the parents that differ in these tensors, the first of equal ones."""
    kept: dict[str, Arrays] = {}
    for name, weights in parents.items():
        if not any(
            all(np.array_equal(weights[key], other[key]) for key in keys) for other in kept.values()
        ):
            kept[name] = weights
    return kept
