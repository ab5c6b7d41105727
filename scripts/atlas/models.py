"""What each model of the roster holds, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from atlas import tables
from atlas.contents import MODEL, UNWEIGHED
from atlas.verdicts import COMPONENT_WORDS

COLUMNS = [
    "model", "kind", "component", "architecture", "dtype", "tensors", "parameters",
    "nonfinite_tensors", "zero_tensors", "shared_with", "problem",
]  # fmt: skip

KINDS = {"lora": "a LoRA or another adapter", "embedding": "a text embedding"}
"""What checkpoints that are no models are called."""


def describe(fingerprints: Mapping[str, Path]) -> pd.DataFrame:
    """
    Return a row per model and component; one row with its problem for an unreadable model.

    `dtype` lists the component's dtypes, the commonest first; `shared_with` the models that hold
    the same component bit for bit.
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
        "content": hash(tuple(zip(tensors["name"], tensors["digest"], strict=True))),
    }


def _sharers(frame: pd.DataFrame) -> list[str]:
    """Return, per row, the other models whose component has the same tensors."""
    weighed = frame[frame["component"].notna() & (frame["component"] != UNWEIGHED)]
    families = weighed.groupby(["component", "content"])["model"].agg(list)
    shared = []
    for row in frame.to_dict("records"):
        members = families.get((row["component"], row["content"]), [])
        shared.append(" ".join(member for member in members if member != row["model"]))
    return shared


def document(
    frame: pd.DataFrame, labels: Mapping[str, str], findings: Mapping[str, Sequence[str]]
) -> str:
    """Return the models as a page: problems first, then what each holds."""
    lines = ["# Models", ""]
    broken = frame[frame["problem"].notna()]
    if len(broken):
        lines += ["## Unreadable", ""]
        lines += [
            f"- **{labels[row['model']]}**: {row['problem']}" for row in broken.to_dict("records")
        ]
        lines.append("")
    lines += ["| model | component | architecture | dtype | tensors | parameters | same as |"]
    lines += ["|---|---|---|---|---:|---:|---|"]
    for row in frame[frame["problem"].isna()].to_dict("records"):
        component = COMPONENT_WORDS.get(row["component"], row["component"])
        same = ", ".join(labels[model] for model in row["shared_with"].split())
        lines.append(
            f"| {labels[row['model']]} | {component} | {row['architecture'] or ''} "
            f"| {row['dtype']} | {row['tensors']:.0f} | {row['parameters']:,.0f} | {same} |"
        )
    lines += ["", *_remarks(frame, labels, findings)]
    return "\n".join(lines).rstrip() + "\n"


def _remarks(
    frame: pd.DataFrame, labels: Mapping[str, str], findings: Mapping[str, Sequence[str]]
) -> list[str]:
    told = [
        f"- **{labels[model]}**: {sentence}"
        for model, sentences in findings.items()
        for sentence in sentences
    ]
    others = frame[frame["kind"].notna() & (frame["kind"] != MODEL)].drop_duplicates("model")
    for row in others.to_dict("records"):
        told.append(
            f"- **{labels[row['model']]}**: {KINDS.get(row['kind'], row['kind'])}, no model: "
            "kept out of comparisons"
        )
    for row in frame[frame["nonfinite_tensors"] > 0].to_dict("records"):
        count = f"{row['nonfinite_tensors']:.0f} of {row['tensors']:.0f} tensors"
        told.append(
            f"- **{labels[row['model']]}**: {row['component']}: {count} hold NaN or infinity; "
            "they are left out of distances"
        )
    return ["## Worth knowing", "", *told] if told else []
