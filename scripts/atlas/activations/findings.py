"""What a dataset's maps show, in sentences: the figures of merit of each layer."""

from collections.abc import Iterator
from typing import Any

import pandas as pd


def sentences(name: str, quality: pd.DataFrame) -> Iterator[str]:
    """Yield the figures of merit of a dataset in sentences: one for each slice."""
    has_times = quality["timestep"].nunique() > 1
    for (model, layer, time), figures in quality.groupby(
        ["model", "layer", "timestep"], sort=False
    ):
        said = [remark for remark in (best_number(figures), best_label(figures)) if remark]
        at = f" at {time:g}" if has_times else ""
        told = "; ".join([*said, _trust(figures)])
        yield f"{name} · {model} · {layer}{at}: {told}"


def _strongest(figures: pd.DataFrame) -> "pd.Series[Any] | None":
    """Return the figure of the number that the first component goes with most."""
    found = figures[(figures["measure"] == "pearson") & figures["of"].str.startswith("PC1: ")]
    found = found.dropna(subset=["value"])
    if not len(found):
        return None
    line: pd.Series[Any] = found.loc[found["value"].abs().sort_values(kind="stable").index[-1]]
    return line


def best_number(figures: pd.DataFrame) -> str | None:
    """Return with which number the first component goes, or None where there is none."""
    line = _strongest(figures)
    if line is None:
        return None
    column = line["of"].removeprefix("PC1: ")
    return f"|r| of PC1 with {column} {abs(line['value']):.3f} (chance ±{line['spread']:.2f})"


def best_label(figures: pd.DataFrame) -> str | None:
    """Return how many neighbours share a label, or None where there is none."""
    found = figures[
        (figures["measure"] == "purity") & figures["of"].str.startswith("activations: ")
    ].dropna(subset=["value"])
    if not len(found):
        return None
    line = found.iloc[0]
    column = line["of"].removeprefix("activations: ")
    return f"{line['value']:.0%} of neighbours have the same {column} (chance {line['chance']:.0%})"


def _trust(figures: pd.DataFrame) -> str:
    line = figures[figures["measure"] == "trustworthiness"].iloc[0]
    return f"trustworthiness of the map {line['value']:.3f}"


def claim(name: str, quality: pd.DataFrame) -> str:
    """Return what the maps of a dataset show, in one sentence: a picture's title."""
    slices = list(quality.groupby(["model", "layer", "timestep"], sort=False))
    numbers = [_strongest(figures) for _, figures in slices]
    known = [line for line in numbers if line is not None]
    if known:
        column = known[0]["of"].removeprefix("PC1: ")
        low, high = (
            min(abs(line["value"]) for line in known),
            max(abs(line["value"]) for line in known),
        )
        span = f"{high:.3f}" if f"{low:.3f}" == f"{high:.3f}" else f"{low:.3f} to {high:.3f}"
        return f"{name}: the first component goes with {column}, |r| {span}"
    labels = quality[
        (quality["measure"] == "purity") & quality["of"].str.startswith("activations: ")
    ].dropna(subset=["value"])
    if len(labels):
        best = labels.sort_values("value", kind="stable").iloc[-1]
        column = best["of"].removeprefix("activations: ")
        return (
            f"{name}: {best['value']:.0%} of neighbours in {best['layer']} have the same {column} "
            f"(chance {best['chance']:.0%})"
        )
    return (
        f"{name}: what {len(slices)} layers see"
        if len(slices) > 1
        else f"{name}: what a layer sees"
    )


def remark(figures: pd.DataFrame) -> str:
    """Return what is said below the name of a panel."""
    number = _strongest(figures)
    trust = _trust(figures).replace("trustworthiness of the map", "trustworthiness")
    return trust if number is None else f"|r| {abs(number['value']):.3f} · {trust}"
