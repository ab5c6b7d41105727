"""What the identity table must say of the digits models, as the roster tells how they are made."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml

ROSTER = Path(__file__).parents[1] / "config" / "roster.yaml"
ENTRIES = {
    model: entry
    for model, entry in yaml.safe_load(ROSTER.read_text())["models"].items()
    if "digits" in entry.get("tags", ())
}
IDENTICAL = ("identical", "identical")
# (verdict, what) of UNet, VAE and text encoder against `digits`; None: what is not looked at.
EXPECTED = {
    "digits-full": [("changed", None), IDENTICAL, IDENTICAL],
    "digits-pruned": [("changed", None), IDENTICAL, IDENTICAL],
    "digits-diffusers": [IDENTICAL, IDENTICAL, IDENTICAL],
    "digits-novel": [IDENTICAL, IDENTICAL, IDENTICAL],
    "digits-f16": [("cast", "same weights rounded to float16")] * 3,
    "digits-bf16": [("cast", "same weights rounded to bfloat16")] * 3,
    "digits-vae": [("only in a", None), IDENTICAL, ("only in a", None)],
    "digits-mirrored": [("changed", None), IDENTICAL, IDENTICAL],
    "digits-captioned": [IDENTICAL, IDENTICAL, ("partly changed", None)],
    "digits-decoder": [IDENTICAL, ("partly changed", "only the decoder differs"), IDENTICAL],
    "digits-merge": [("changed", None), IDENTICAL, ("partly changed", None)],
    "digits-block-merge": [("changed", None), IDENTICAL, IDENTICAL],
    "digits-exchanged": [
        *(IDENTICAL, IDENTICAL),
        ("partly changed", "193 of 196 tensors changed, none of them in final_layer_norm"),
    ],
}


def found(identities: pd.DataFrame, a: str, b: str, component: str) -> pd.Series:
    """Return the identity table's row of a pair and component."""
    (row,) = identities.query("a == @a and b == @b and component == @component").iloc
    return row


def assert_told_from_the_base(identities: pd.DataFrame, model: str) -> None:
    """Hold what the table says of `digits` and a relative against the truth."""
    components = ("unet", "vae", "text_encoder")
    for component, (verdict, what) in zip(components, EXPECTED[model], strict=True):
        row = found(identities, "digits", model, component)
        assert row["verdict"] == verdict, (component, row["what"])
        assert what is None or row["what"].startswith(what)
