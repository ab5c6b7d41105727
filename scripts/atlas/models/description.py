"""What each model of the roster holds, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from atlas.basis import tables
from atlas.basis.page import markdown_table
from atlas.names.components import DENOISERS, OTHER, WORDS
from atlas.names.kinds import MODEL
from atlas.tensors.tensors import Unread

COLUMNS = [
    "model", "kind", "component", "architecture", "dtype", "tensors", "parameters",
    "nonfinite_tensors", "zero_tensors", "shared_with", "problem", "refused",
]  # fmt: skip

NAMED = 8
"""A list of more models than this is cut."""

TROUBLES = {
    "nonfinite_tensors": "hold NaN or infinity; they are left out of distances",
    "zero_tensors": "are all zero",
}
"""Columns that count broken tensors, and what is said of them."""

KIND_WORDS = {"lora": "a LoRA or another adapter", "embedding": "a text embedding"}
"""What checkpoints that are no models are called."""


def describe(fingerprints: Mapping[str, Path]) -> pd.DataFrame:
    """
    Return a row per model and component; one row with its problem for an unreadable model.

    A component that could not be read has its `problem`; one whose weights are in a form that is
    not read says so under `refused`.

    `dtype` lists the component's dtypes, the commonest first; `shared_with` the models that hold
    the same weights bit for bit under whatever names, as `model:component` where the component
    has another name there.
    """
    records: list[dict[str, Any]] = []
    for model, path in fingerprints.items():
        notes = tables.read_notes(path)
        if problem := notes.get("problem"):
            records.append({"model": model, "problem": problem})
            continue
        rows = pq.read_table(
            path, columns=["name", "component", "dtype", "numel", "digest", "norm", "nonfinite"]
        ).to_pandas()
        architectures = notes.get("architectures", {})
        for component, unread in notes.get("unread", {}).items():
            told = Unread(**unread)
            column = "problem" if told.is_broken else "refused"
            known = {"model": model, "kind": notes.get("kind", MODEL), "component": component}
            records.append(known | {column: told.in_full})
        for component, tensors in rows.groupby("component", sort=True):
            architecture = architectures.get(component)
            records.append(
                {"model": model, "kind": notes.get("kind", MODEL), "component": component}
                | {"architecture": architecture}
                | _counts(tensors)
            )
    frame = pd.DataFrame(records, columns=[*COLUMNS, "content"])
    frame["shared_with"] = _sharers(frame)
    return frame[COLUMNS]


def _counts(tensors: pd.DataFrame) -> dict[str, Any]:
    return {
        "dtype": " ".join(tensors["dtype"].value_counts().index),
        "tensors": len(tensors),
        "parameters": int(tensors["numel"].sum()),
        "nonfinite_tensors": int((tensors["nonfinite"] > 0).sum()),
        "zero_tensors": int(((tensors["norm"] == 0) & (tensors["nonfinite"] == 0)).sum()),
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
        shared[row] = " ".join(
            other if held_as == component else f"{other}:{held_as}"
            for other, held_as in holders[content]
            if (other, held_as) != (model, component)
        )
    return shared


def document(
    frame: pd.DataFrame, labels: Mapping[str, str], findings: Mapping[str, Sequence[str]]
) -> str:
    """Return the models as a page: problems first, then what each holds."""
    lines = ["# Models", ""]
    for title, column in (("Unreadable", "problem"), ("Not compared", "refused")):
        told = frame[frame[column].notna()].to_dict("records")
        if told:
            lines += [f"## {title}", ""]
            lines += [f"- **{_part(row, labels)}**: {row[column]}" for row in told]
            lines.append("")
    header = ["model", "component", "architecture", "dtype", "tensors", "parameters", "same as"]
    rows = [
        [
            labels[row["model"]],
            _word(row["component"]),
            row["architecture"] if isinstance(row["architecture"], str) else "",
            row["dtype"],
            f"{row['tensors']:.0f}",
            f"{row['parameters']:,.0f}",
            _listed([_called(holder, labels) for holder in row["shared_with"].split()]),
        ]
        for row in frame[_is_read(frame)].to_dict("records")
    ]
    lines += markdown_table(header, rows, words={0, 1, 2, 3, 6})
    lines += ["", *_remarks(frame, labels, findings)]
    return "\n".join(lines).rstrip() + "\n"


def _is_read(frame: pd.DataFrame) -> pd.Series:
    return frame["problem"].isna() & frame["refused"].isna()


def _part(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    """Return what a row is of: a model, or one of its components."""
    component = row["component"]
    label = labels[row["model"]]
    return f"{label}, {_word(component)}" if isinstance(component, str) else label


def _called(holder: str, labels: Mapping[str, str]) -> str:
    """Return how a page names a model, or a model's component of another name."""
    model, _, component = holder.partition(":")
    return f"{labels[model]}: {_word(component)}" if component else labels[model]


def _word(component: str) -> str:
    return WORDS.get(component, component)


def _listed(names: Sequence[str]) -> str:
    """Return the names, and of many the first ones and how many more there are."""
    more = len(names) - NAMED
    return f"{', '.join(names[:NAMED])} and {more} more" if more > 1 else ", ".join(names)


def _remarks(
    frame: pd.DataFrame, labels: Mapping[str, str], findings: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return what was noticed, each sentence once with all models that it holds of."""
    told: dict[str, list[str]] = {}
    for model, sentence in _noticed(frame, findings):
        told.setdefault(sentence, []).append(labels[model])
    lines = [f"- **{_listed(models)}**: {sentence}" for sentence, models in told.items()]
    return ["## Worth knowing", "", *lines] if lines else []


def _noticed(
    frame: pd.DataFrame, findings: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """Yield (model, sentence): what is broken first, then what is lacking, then the rest."""
    for row in frame.to_dict("records"):
        for column, trouble in TROUBLES.items():
            if row[column] > 0:
                count = f"{row[column]:.0f} of {row['tensors']:.0f} tensors"
                yield row["model"], f"{row['component']}: {count} {trouble}"
    opened = frame[frame["component"].notna()]
    for model, rows in opened.groupby("model", sort=False):
        held = set(rows["component"])
        if (denoiser := held & set(DENOISERS)) and bool("vae" in held) != bool(
            "text_encoder" in held
        ):
            lacking = "text_encoder" if "vae" in held else "vae"
            yield str(model), f"holds a {_word(denoiser.pop())}, but no {_word(lacking)}"
    others = opened[opened["kind"] != MODEL].drop_duplicates("model")
    for row in others.to_dict("records"):
        kind = KIND_WORDS.get(row["kind"], row["kind"])
        yield row["model"], f"{kind}, no model: kept out of comparisons"
    for model, sentences in findings.items():
        yield from ((model, sentence) for sentence in sentences)
