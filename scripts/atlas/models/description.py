"""What each model of the roster holds, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from atlas.basis import sealed
from atlas.basis.page import NAMED, Item, Section, called, listed
from atlas.names.components import DENOISERS, OTHER, WORDS
from atlas.names.kinds import KIND_WORDS, MODEL
from atlas.tensors.tensors import ITEM_BYTES, Unread

COLUMNS = [
    "model", "kind", "component", "architecture", "dtype", "tensors", "parameters",
    "nonfinite_tensors", "zero_tensors", "shared_with", "problem", "refused", "bytes",
]  # fmt: skip

COUNTS = ["tensors", "parameters", "nonfinite_tensors", "zero_tensors", "bytes"]

READ = ["name", "component", "dtype", "numel", "digest", "norm", "nonfinite"]
"""Columns of fingerprints."""

SEPARATOR = "; "
"""Between the models of `shared_with`."""

TROUBLES = {
    "nonfinite_tensors": "hold NaN or infinity; they are left out of distances",
    "zero_tensors": "are all zero",
}
"""Columns that count broken tensors, and what is said of them."""


def describe(fingerprints: Mapping[str, Path]) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """
    Return a row per model and component, and what was noticed of each model in sentences.

    An unreadable model has one row, with its problem.

    A component that could not be read has its `problem`; one whose weights are in a form that is
    not read says so under `refused`.

    `dtype` lists the component's dtypes, the commonest first; `shared_with` the models that hold
    the same weights bit for bit under whatever names, as `model:component` where the component
    has another name there. `bytes` are those of the component's weights as stored.
    """
    records: list[dict[str, Any]] = []
    findings: dict[str, list[str]] = {}
    for model, path in fingerprints.items():
        table, notes = sealed.read(path, READ)
        findings[model] = notes.get("findings", [])
        if problem := notes.get("problem"):
            records.append({"model": model, "problem": problem})
            continue
        rows = table.to_pandas()
        architectures = notes.get("architectures", {})
        unread = {name: Unread(**told) for name, told in notes.get("unread", {}).items()}
        for component, told in unread.items():
            column = "problem" if told.is_broken else "refused"
            known = {"model": model, "kind": notes.get("kind", MODEL), "component": component}
            records.append(known | {column: told.in_full})
        if rows.empty and not unread:
            records.append({"model": model, "kind": notes.get("kind", MODEL)})
        for component, tensors in rows.groupby("component", sort=True):
            architecture = architectures.get(component)
            records.append(
                {"model": model, "kind": notes.get("kind", MODEL), "component": component}
                | {"architecture": architecture}
                | _counts(tensors)
            )
    frame = pd.DataFrame(records, columns=[*COLUMNS, "content"])
    frame["shared_with"] = _sharers(frame)
    # Whole numbers that may be missing: as floats, one unreadable model would give all others .0.
    return frame[COLUMNS].astype(dict.fromkeys(COUNTS, "Int64")), findings


def sentences(
    frame: pd.DataFrame, models: Sequence[str], findings: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Return what each model's page says of it at once, by model: what is wrong with it first."""
    own = dict(tuple(frame.groupby("model", sort=False)))
    return {model: portrait(own[model], model, {}, findings)[1] for model in models}


def _counts(tensors: pd.DataFrame) -> dict[str, Any]:
    return {
        "dtype": " ".join(tensors["dtype"].value_counts().index),
        "tensors": len(tensors),
        "parameters": int(tensors["numel"].sum()),
        "nonfinite_tensors": int((tensors["nonfinite"] > 0).sum()),
        "zero_tensors": int(((tensors["norm"] == 0) & (tensors["nonfinite"] == 0)).sum()),
        "bytes": int((tensors["numel"] * tensors["dtype"].map(ITEM_BYTES)).sum()),
        "content": " ".join(sorted(tensors["digest"])),
    }


def _sharers(frame: pd.DataFrame) -> list[str]:
    """Return, per row, the other models whose component has the same weights."""
    weighed = frame[frame["component"].notna() & (frame["component"] != OTHER)]
    weighed = weighed[weighed["content"].notna()]
    holders: dict[str, list[tuple[str, str]]] = {}
    for content, model, component in weighed[["content", "model", "component"]].to_numpy():
        holders.setdefault(content, []).append((model, component))
    shared = [""] * len(frame)
    for row, content, model, component in zip(
        weighed.index, weighed["content"], weighed["model"], weighed["component"], strict=True
    ):
        shared[row] = SEPARATOR.join(
            other if held_as == component else f"{other}:{held_as}"
            for other, held_as in holders[content]
            if (other, held_as) != (model, component)
        )
    return shared


Content = tuple[str, list[str], list[Section]]
"""A page's title, what to know at once, and its sections."""


def overview(
    frame: pd.DataFrame, labels: Mapping[str, str], findings: Mapping[str, Sequence[str]]
) -> Content:
    """Return the page of all models: problems first, what was noticed, then what each holds."""
    troubles = [
        Section(
            title,
            items=[
                Item(_part(row, labels), row[column])
                for row in frame[frame[column].notna()].to_dict("records")
            ],
        )
        for title, column in (("Unreadable", "problem"), ("Not compared", "refused"))
    ]
    told: dict[str, list[str]] = {}
    for model, sentence in _noticed(frame, findings):
        told.setdefault(sentence, []).append(called(model, labels))
    remarks = Section(
        "Worth knowing", items=[Item(listed(who), sentence) for sentence, who in told.items()]
    )
    holdings = _holdings(frame, labels)
    sections = [part for part in (*troubles, remarks) if part.items]
    return "Models", _counted(frame), [*sections, *([holdings] if holdings.rows else [])]


def portrait(
    frame: pd.DataFrame,
    model: str,
    labels: Mapping[str, str],
    findings: Mapping[str, Sequence[str]],
) -> Content:
    """Return the page of one model: what is wrong with it, what was noticed, what it holds."""
    own = frame[frame["model"] == model]
    troubles = [
        f"{_word(row['component'])}: {told}" if isinstance(row["component"], str) else told
        for row in own.to_dict("records")
        for told in (row["problem"], row["refused"])
        if isinstance(told, str)
    ]
    noticed = _noticed(own, {model: findings.get(model, ())})
    holdings = _holdings(own, labels, most=len(frame))
    sentences = [*troubles, *(sentence for _, sentence in noticed)]
    return called(model, labels), sentences, [holdings] if holdings.rows else []


def _counted(frame: pd.DataFrame) -> list[str]:
    """Return how many models there are, and how many are left out of comparisons and why."""
    models = frame["model"].nunique()
    broken = frame.loc[frame["problem"].notna(), "model"].nunique()
    told = [f"{models} model{'s' * (models != 1)}, {broken or 'none'} of them unreadable."]
    held = frame[frame["component"].notna()].drop_duplicates("model")
    for kind, word in KIND_WORDS.items():
        if count := int((held["kind"] == kind).sum()):
            told.append(f"{count} of them {'are' if count > 1 else 'is'} {word[count > 1]}.")
    return told


def _holdings(frame: pd.DataFrame, labels: Mapping[str, str], most: int = NAMED) -> Section:
    """Return the table of what models hold, and who holds the same weights."""
    rows = [
        [
            called(row["model"], labels),
            _word(row["component"]),
            row["architecture"] if isinstance(row["architecture"], str) else "",
            row["dtype"],
            str(row["tensors"]),
            f"{row['parameters']:,}",
            listed([_holder(each, labels) for each in row["shared_with"].split(SEPARATOR)], most)
            if row["shared_with"]
            else "",
        ]
        for row in frame[_is_read(frame)].to_dict("records")
    ]
    header = ["model", "component", "architecture", "dtype", "tensors", "parameters", "same as"]
    words, prose = frozenset({0, 1, 2, 3}), frozenset({6})
    return Section("What each holds", "", header, rows, words, prose)


def _is_read(frame: pd.DataFrame) -> pd.Series:
    """Return which rows are of components that were read."""
    return frame["component"].notna() & frame["problem"].isna() & frame["refused"].isna()


def _part(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    """Return what a row is of: a model, or one of its components."""
    component, name = row["component"], called(row["model"], labels)
    return f"{name}, {_word(component)}" if isinstance(component, str) else name


def _holder(holder: str, labels: Mapping[str, str]) -> str:
    """Return how a page names a model, or a model's component of another name."""
    model, _, component = holder.partition(":")
    name = called(model, labels)
    return f"{name}: {_word(component)}" if component else name


def _word(component: str) -> str:
    return WORDS.get(component, component)


def _noticed(
    frame: pd.DataFrame, findings: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """Yield (model, sentence): what is broken first, then what is lacking, then the rest."""
    for row in frame[_is_read(frame)].to_dict("records"):
        for column, trouble in TROUBLES.items():
            if row[column] > 0:
                count = f"{row[column]} of {row['tensors']} tensors"
                yield row["model"], f"{_word(row['component'])}: {count} {trouble}"
    opened = frame[frame["component"].notna()]
    for model, rows in opened.groupby("model", sort=False):
        held = set(rows["component"])
        if (denoiser := held & set(DENOISERS)) and bool("vae" in held) != bool(
            "text_encoder" in held
        ):
            lacking = "text_encoder" if "vae" in held else "vae"
            yield str(model), f"holds a {_word(denoiser.pop())}, but no {_word(lacking)}"
    is_bare = frame["component"].isna() & frame["problem"].isna()
    for model in frame.loc[is_bare, "model"]:
        yield str(model), "holds no tensors"
    others = opened[opened["kind"] != MODEL].drop_duplicates("model")
    for row in others.to_dict("records"):
        kind, _ = KIND_WORDS.get(row["kind"], (row["kind"], ""))
        yield row["model"], f"{kind}, no model: kept out of comparisons"
    for model, sentences in findings.items():
        yield from ((model, sentence) for sentence in sentences)
