"""What a group's text encoders make of a list, in sentences."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from atlas.basis.page import listed
from atlas.embeddings.encoders import Problem
from atlas.embeddings.word_lists import ALONE
from atlas.names.components import WORDS

MOST = 5
"""Words that a sentence names."""
CLEARLY = 0.5
"""A turn is told of where it leaves less than this share of what it would leave by chance."""


def called(component: str) -> str:
    """Return what sentences call a component, or a component of one width."""
    name, _, rest = component.partition(" ")
    return f"{WORDS.get(name, name)} {rest}".rstrip()


def leading(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each component's first form: what is told of first."""
    first = summary.groupby("component", sort=False)["form"].transform("first")
    return summary[summary["form"] == first]


def moved_most(
    drift: pd.DataFrame, model: str, component: str, form: str, *, most: int = MOST
) -> list[str]:
    """Return the words, standing alone, that moved most in a model: none that did not move."""
    of_it = drift[
        (drift["model"] == model)
        & (drift["component"] == component)
        & (drift["form"] == form)
        & (drift["variant"] == ALONE)
        & (drift["cosine_distance"] > 0)
    ]
    return list(of_it.sort_values("rank")["word"].head(most))


def sentences(
    name: str,
    summary: pd.DataFrame,
    drift: pd.DataFrame,
    labels: Mapping[str, str],
    problems: Sequence[Problem],
) -> Iterator[str]:
    """
    Yield what was found, component by component, and who was left out.

    Parameters
    ----------
    name
        Of group and list.
    """
    for component, rows in leading(summary).groupby("component", sort=False):
        base, form = rows["base"].iloc[0], rows["form"].iloc[0]
        what = f"{name} · {called(str(component))} ({form})"
        same = [model for model in rows["model"] if _follows(rows, model, base)]
        others = rows[~rows["model"].isin([base, *same])]
        if same:
            yield f"{what}: {_listed(same, labels)} as {labels.get(base, base)}, bit for bit"
        if len(rows) == 1:
            yield f"{what}: {labels.get(base, base)} alone has one to compare"
        for model in dict.fromkeys(
            others["same_as"].where(others["same_as"] != "", others["model"])
        ):
            yield f"{what}: {_moved(rows, drift, str(model), labels)}"
    for problem in problems:
        place = f" ({called(problem.component)})" if problem.component else ""
        who = labels.get(problem.model, problem.model)
        yield f"{name}: {who}{place} is left out: {problem.text}"


def _follows(rows: pd.DataFrame, model: str, base: str) -> bool:
    row = rows[rows["model"] == model].iloc[0]
    return bool(model != base and row["same_as"] == base)


def _moved(rows: pd.DataFrame, drift: pd.DataFrame, model: str, labels: Mapping[str, str]) -> str:
    row = rows[rows["model"] == model].iloc[0]
    twins = list(rows.loc[rows["same_as"] == model, "model"])
    who = _listed([model, *twins], labels)
    words = moved_most(drift, model, row["component"], row["form"])
    told = f"{who} moved words by {row['cosine_distance_alone']:.2g} (1 - cosine) on average"
    if words:
        told += f", most {', '.join(words)}"
    left, chance = row["aligned_relative"], row["aligned_by_chance"]
    if left < CLEARLY * chance:
        told += (
            f"; a turn and a shift of all words leave {left / row['relative']:.0%} of it "
            f"({chance / row['relative']:.0%} by chance)"
        )
    return told


def _listed(models: Sequence[str], labels: Mapping[str, str]) -> str:
    return listed([labels.get(model, model) for model in models], MOST)


def claim(
    summary: pd.DataFrame, drift: pd.DataFrame, component: str, form: str, labels: Mapping[str, str]
) -> str:
    """Return what one space shows, in one sentence: a picture's title."""
    rows = summary[(summary["component"] == component) & (summary["form"] == form)]
    base = rows["base"].iloc[0]
    moved = rows[rows["cosine_distance_alone"] > 0]
    what = called(component)
    if not len(moved):
        return f"{what[0].upper()}{what[1:]}: no word moved from {labels.get(base, base)}"
    most = moved.sort_values("cosine_distance_alone", kind="stable").iloc[-1]
    words = moved_most(drift, most["model"], component, form)[:3]
    return (
        f"{labels.get(most['model'], most['model'])} moved words most from "
        f"{labels.get(base, base)}: {', '.join(words)}"
    )
