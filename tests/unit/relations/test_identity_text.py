"""The identity table's page: what was found comes first, and it can be read at any size."""

from __future__ import annotations

from itertools import combinations

import ml_dtypes
import numpy as np
import pandas as pd
import pytest

import factory
from atlas.basis import page
from atlas.basis.page import Section
from atlas.relations import identity, identity_text

BASE = factory.weights(seed=1)


def told(lay, weights: dict[str, factory.Weights], **further: object) -> tuple:
    """Return title, findings and sections for models in the order given."""
    facts = {"group": "test", "models": list(weights), "labels": {}} | further
    return identity_text.overview(identity.table(lay(weights)), **facts)


def section(sections: list[Section], title: str) -> Section:
    (found,) = (part for part in sections if part.title == title)
    return found


def test_findings_families_and_pairs_are_named_by_label_and_id(lay_side_by_side):
    weights = {"c": dict(BASE), "b": factory.changed(BASE, 2, "unet/"), "a": BASE}
    facts = {"labels": {"a": "A, first", "b": "B"}, "models": ["c", "b", "a", "lost"]}
    title, findings, sections = told(lay_side_by_side, weights, **facts)
    assert title == "Which components of test are the same"
    assert findings == [
        "Not compared, for models.md tells of trouble: lost.",
        "Identical in every component: c; A, first (a).",
        "UNet: 2 of 3 models have the same weights: c; A, first (a).",
        "VAE: 3 of 3 models have the same weights: c; B (b); A, first (a).",
        "Text encoder: 3 of 3 models have the same weights: c; B (b); A, first (a).",
    ]
    assert section(sections, "Model by model").rows == [
        ["c", "A", "A", "A"],
        ["B (b)", "own", "A", "A"],
        ["A, first (a)", "A", "A", "A"],
    ]
    assert section(sections, "Families").rows[0] == ["UNet", "A", "2", "c; A, first (a)"]
    pairs = section(sections, "Pair by pair").rows
    assert pairs[0] == ["c", "B (b)", "UNet", "changed", "all 6 tensors changed"]
    assert pairs[3] == ["c", "A, first (a)", "UNet", "identical", ""]


def test_roundings_and_copies_of_one_model_are_found(lay_side_by_side):
    models = {
        "full": BASE,
        "half": {name: value.astype(np.float16) for name, value in BASE.items()},
        "brain": {name: value.astype(ml_dtypes.bfloat16) for name, value in BASE.items()},
        "other": factory.weights(seed=2),
    }
    _, findings, sections = told(lay_side_by_side, models)
    assert findings[:2] == [
        "One model in several dtypes: full; half; brain.",
        "Roundings of one model, full: half; brain (UNet, VAE, Text encoder).",
    ]
    assert section(sections, "Model by model").rows[1] == ["half", *["A, rounded"] * 3]
    assert not [text for text in findings if "same weights: " in text], "rounded is not the same"


def test_two_models_that_round_to_one_are_not_called_one(lay_side_by_side):
    half = {name: value.astype(np.float16) for name, value in BASE.items()}
    near = {name: np.nextafter(value.astype(np.float32), np.inf) for name, value in half.items()}
    widened = {name: value.astype(np.float32) for name, value in half.items()}
    _, findings, _ = told(lay_side_by_side, {"a": near, "b": half, "c": widened})
    assert findings[:2] == [
        "One model in several dtypes: a; b.",
        "One model in several dtypes: b; c.",
    ]


def test_a_training_copy_is_told_of_models_not_of_pairs(lay_side_by_side):
    unet = {name: value for name, value in BASE.items() if name.startswith("unet/")}
    copied = {name.replace("unet/", "ema/"): value + 1 for name, value in unet.items()}
    raw = {name: value + 1 for name, value in unet.items()}
    models = {"a": BASE | copied, "b": raw, "c": factory.weights(seed=3), "d": dict(raw)}
    _, findings, sections = told(lay_side_by_side, models, labels={"a": "A"})
    assert "The EMA of A (a) is the raw weights of b; d." in findings
    assert "Training copy (EMA): A (a) alone has one." in findings
    verdicts = {tuple(row[2:4]) for row in section(sections, "Pair by pair").rows}
    assert ("Training copy (EMA)", "only in A (a)") in verdicts
    assert not [text for text in findings if "only in a" in text or "pairs" in text]


@pytest.mark.parametrize("models", [["one"], ["one", "two", "three"]])
def test_nothing_to_compare_is_told_in_a_sentence(models):
    facts = {"group": "g", "models": models, "labels": {}}
    frame = pd.DataFrame(columns=identity.COLUMNS)
    text = page.markdown(*identity_text.overview(frame, **facts))
    assert text.count("\n") == 3
    assert "\n- Nothing to compare: " in text
    assert ("has one model" if len(models) == 1 else "no two of the 3 models hold") in text


def crowd(models: int) -> pd.DataFrame:
    """Return the identity table of so many models: seven UNets, two VAEs, text encoders half so."""
    rows = []
    for a, b in combinations(range(models), 2):
        same = {"unet": a % 7 == b % 7, "vae": a % 2 == b % 2}
        for component, is_same in same.items():
            rows.append(row(a, b, component, 100 if is_same else 0))
        rows.append(row(a, b, "text_encoder", 100 if a % 9 == b % 9 else 50))
    return pd.DataFrame(rows)


def row(a: int, b: int, component: str, same: int) -> dict[str, object]:
    verdict = {100: "identical", 50: "partly changed", 0: "changed"}[same]
    names = {"a": f"m{a:03d}", "b": f"m{b:03d}", "component": component, "verdict": verdict}
    return names | {
        "identical_tensors": same,
        "cast_tensors": 0,
        "tensors": 100,
        "what": "identical" if same == 100 else f"{100 - same} of 100 tensors changed",
    }


def test_at_232_models_the_page_stays_readable():
    models = [f"m{number:03d}" for number in range(232)]
    title, findings, sections = identity_text.overview(
        crowd(232), group="all", models=models, labels={}
    )
    assert len(findings) < 12
    assert max(map(len, findings)) < 300
    text = page.markdown(title, findings, sections)
    assert text.count("\n") < 600
    assert max(map(len, text.splitlines())) < 600
    assert "The 80388 rows of all pairs and components are in identity.csv." in text
    assert [part.title for part in sections] == [
        *("Model by model", "Families", "What differs from a family", "Pair by pair"),
    ]
    assert len(section(sections, "Model by model").rows) == 232
    differences = section(sections, "What differs from a family")
    assert len(differences.rows) == identity_text.MAX_DIFFERENCES
    assert differences.rows[0][0] == "Text encoder"
    assert "more are in identity.csv" in differences.text
