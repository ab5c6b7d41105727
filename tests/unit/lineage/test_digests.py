"""Edges that digests prove."""

import pandas as pd
import pytest

from atlas.lineage.digests import derived
from atlas.lineage.evidence import Evidence, Strength

MODELS = ("cast", "copy", "full", "part", "renamed", "tuned")


def identity(*rows):
    names = ["a", "b", "component", "verdict", "raw_is_ema", "renamed_tensors"]
    return pd.DataFrame(rows, columns=names)


def described(dtypes):
    """A table of models: (model, component) to dtype."""
    return pd.DataFrame(
        [
            {"model": model, "component": part, "dtype": dtype, "bytes": "8", "problem": "",
             "refused": "", "tensors": "1"}
            for (model, part), dtype in dtypes.items()
        ]
    )  # fmt: skip


@pytest.fixture
def group():
    """The full model, its copy, cast, and part, and a tune that shares the VAE."""
    whole = {"full", "copy", "renamed"}
    rows = []
    for place, a in enumerate(MODELS):
        for b in MODELS[place + 1 :]:
            pair = {a, b}
            vae = "cast" if "cast" in pair else "identical"
            unet = "different" if "tuned" in pair else vae
            if "part" in pair:
                unet = "only in a" if b == "part" else "only in b"
            rows.append((a, b, "unet", unet, "", int(pair == {"full", "renamed"})))
            rows.append((a, b, "vae", vae, "", 0))
    dtypes = {
        (model, part): "f16" if model == "cast" else "f32"
        for model in MODELS
        for part in ("unet", "vae")
        if (model, part) != ("part", "unet")
    }
    assert whole < set(MODELS)
    return identity(*rows), described(dtypes)


def found(group, base="full", claims=None, keys=None):
    names = keys or {}
    return derived(
        *group, MODELS, base=base, claims=claims or {},
        keys=lambda model: names.get(model, ("x", "y")),
    )  # fmt: skip


def test_equal_weights_stand_behind_the_base_without_a_direction(group):
    told = found(group)
    assert {told.same[one] for one in ("copy", "full", "renamed")} == {"full"}
    kinds = {edge.child: edge for edge in told.edges if edge.kind in ("copy", "rename")}
    assert kinds["copy"].kind == "copy"
    assert kinds["renamed"].kind == "rename"
    assert not kinds["copy"].is_decided


def test_some_changed_names_make_a_rename(group):
    told = found(group, keys={"copy": ("x", "z")})
    assert {edge.child: edge.kind for edge in told.edges}["copy"] == "rename"


def test_cast_and_part_are_decided_by_digests(group):
    edges = {edge.child: edge for edge in found(group).edges}
    assert (edges["cast"].parent, edges["cast"].kind) == ("full", "cast")
    assert (edges["part"].parent, edges["part"].kind) == ("full", "prune")
    assert edges["cast"].strength == edges["part"].strength == "digests"
    assert "tuned" not in edges


def test_claim_chooses_among_sources_and_directs_copies(group):
    sign = (Evidence("claim", Strength.CLAIM, "said"),)
    claims = {("part", "tuned"): sign, ("full", "copy"): sign}
    told = found(group, base=None, claims=claims)
    edges = {edge.child: edge for edge in told.edges}
    assert edges["part"].parent == "tuned"
    assert told.same["full"] == "copy"
    assert edges["full"].is_decided


def test_claim_against_digests_is_told_as_contradicted(group):
    claims = {("full", "cast"): (Evidence("claim", Strength.CLAIM, "full is made of cast"),)}
    edges = {edge.child: edge for edge in found(group, claims=claims).edges}
    assert edges["cast"].parent == "full"
    assert "contradicted: full is made of cast" in edges["cast"].note
