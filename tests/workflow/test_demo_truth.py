"""
The demo's roster says how each model was made; identity, recipes and lineage must find it so.

Both families are made in one run: the distances between any two models need the fingerprints of
all, and the digits models are trained for real.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import digits_words
import lineage_truth
from atlas_demo import facts
from atlas_demo.digits import captioning, training
from digits_truth import ENTRIES, EXPECTED, assert_told_from_the_base
from workflow_runs import REPOSITORY, run_demo

pytestmark = pytest.mark.slow

TARGETS = [
    "results/groups/terrain/identity.csv",
    "results/groups/terrain/matrices",
    "results/groups/terrain-shipped/identity.csv",
    "results/groups/terrain-shipped/matrices",
    "results/groups/digits/identity.csv",
    "results/groups/terrain/recipes.csv",
    "results/groups/terrain/lineage.json",
    "results/groups/digits/recipes.csv",
    "results/groups/digits/lineage.json",
    "results/demo/digits/samples.csv",
    "results/embeddings/groups/digits/digits/drift.csv",
    "results/embeddings/groups/digits/vocabulary.csv",
]


@pytest.fixture(scope="module")
def results(fetched_wheel, tmp_path_factory) -> Path:
    """Make the groups of the demo, from wheels that are there."""
    wheels = [*facts.terrain()["wheels"].values(), facts.digits()["vocabulary"]["wheel"]]
    folder = tmp_path_factory.mktemp("demo")
    options = ("--configfile", str(REPOSITORY / "config" / "demo.yaml"))
    return run_demo(folder, map(fetched_wheel, wheels), *TARGETS, options=options)


@pytest.fixture(scope="module")
def groups(results) -> Path:
    return results / "groups"


@pytest.fixture(scope="module")
def verdicts(groups) -> dict[tuple[str, str], tuple[str, str]]:
    """Return (a, b) to (verdict, what) of the UNets, either way round."""
    frame = pd.read_csv(groups / "terrain" / "identity.csv")
    assert set(frame["component"]) == {"unet"}, "the renamed copy goes by the known names"
    found = {}
    for row in frame.itertuples():
        found[row.a, row.b] = found[row.b, row.a] = (row.verdict, row.what)
    return found


def distance(groups: Path, a: str, b: str, measure: str = "l2") -> float:
    matrix = pd.read_csv(groups / "terrain" / "matrices" / f"unet.{measure}.csv", index_col=0)
    return float(matrix.loc[a, b])


def test_the_two_networks_as_shipped(groups):
    row = pd.read_csv(groups / "terrain-shipped" / "identity.csv").iloc[0]
    assert (row["identical_tensors"], row["tensors"]) == (2, 788)
    folder = groups / "terrain-shipped" / "matrices"
    for measure, expected, tolerance in (
        ("relative_l2", 0.00467, 0.00001),
        ("cosine", 0.999989, 0.0000005),
    ):
        matrix = pd.read_csv(folder / f"network.{measure}.csv", index_col=0)
        found = matrix.loc["terrain-041-shipped", "terrain-042-shipped"]
        assert found == pytest.approx(expected, abs=tolerance)


def test_copies_are_identical_whatever_their_form(verdicts):
    assert verdicts["terrain-041", "terrain-copy"] == ("identical", "identical")
    assert verdicts["terrain-042", "terrain-renamed"] == (
        "identical",
        "identical under other names",
    )


def test_the_float16_copy_is_a_cast_of_its_parent_alone(verdicts):
    assert verdicts["terrain-042", "terrain-half"] == ("cast", "same weights rounded to float16")
    assert verdicts["terrain-041", "terrain-half"][0] != "cast"


def test_the_merge_lies_on_the_line_between_its_parents(groups, verdicts):
    whole = distance(groups, "terrain-041", "terrain-042")
    assert distance(groups, "terrain-041", "terrain-merge") == pytest.approx(0.3 * whole, rel=1e-4)
    assert distance(groups, "terrain-merge", "terrain-042") == pytest.approx(0.7 * whole, rel=1e-4)
    assert verdicts["terrain-041", "terrain-merge"][0] == "changed"


def test_the_merge_by_block_keeps_the_blocks_of_share_0_and_1(verdicts):
    verdict, what = verdicts["terrain-041", "terrain-block-merge"]
    assert verdict == "partly changed"
    assert what.endswith("none of them in IN00–IN03")
    verdict, what = verdicts["terrain-042", "terrain-block-merge"]
    assert verdict == "partly changed"
    assert what.endswith("none of them in OUT21–OUT24")


def test_the_tuned_network_and_the_added_difference_are_changed(groups, verdicts):
    for pair in (("terrain-041", "terrain-tuned"), ("terrain-042", "terrain-add-difference")):
        assert verdicts[pair][0] in ("changed", "partly changed")
    tuning = distance(groups, "terrain-041", "terrain-tuned")
    added = distance(groups, "terrain-042", "terrain-add-difference")
    assert added == pytest.approx(0.8 * tuning, rel=1e-3)


@pytest.mark.parametrize("model", EXPECTED)
def test_each_trained_relative_is_told_from_the_base(groups, model):
    assert_told_from_the_base(pd.read_csv(groups / "digits" / "identity.csv"), model)


@pytest.mark.parametrize("model", ["terrain-merge", "terrain-add-difference"])
def test_weights_of_merges_are_found_and_proved(groups, model):
    rows = lineage_truth.rows_of(groups, "terrain", model)
    assert lineage_truth.found_weights(rows, "*") == pytest.approx(
        lineage_truth.planted_sum(model), abs=1e-6
    )
    whole = rows[rows["block"] == "*"]
    assert set(whole["verdict"]) == {"recovered"}
    assert set(whole["proof"]) == {"proved"}


def test_a_merge_of_two_tunes_is_found_in_both_parts(groups):
    for component, base in (("unet", "digits-captioned"), ("text_encoder", "digits-mirrored")):
        rows = lineage_truth.rows_of(groups, "digits", "digits-merge", component)
        found = lineage_truth.found_weights(rows, "*")
        planted = lineage_truth.planted_sum("digits-merge")
        assert sorted(found.values()) == pytest.approx(sorted(planted.values()), abs=1e-6)
        # one of the two parents has the base's own part: any model that holds it stands for it
        (tuned,) = planted.keys() - {base}
        assert found[tuned] == pytest.approx(planted[tuned], abs=1e-6)
        assert set(rows[rows["block"] == "*"]["proof"]) == {"proved"}
    vae = lineage_truth.rows_of(groups, "digits", "digits-merge", "vae")
    assert set(vae["verdict"]) <= {"copy", "equal"}


@pytest.mark.parametrize(
    ("group", "model"), [("terrain", "terrain-block-merge"), ("digits", "digits-block-merge")]
)
def test_every_block_of_merges_by_block_is_found_and_proved(groups, group, model):
    rows = lineage_truth.rows_of(groups, group, model)
    first, second = lineage_truth.MODELS[model]["recipe"]["parents"]
    blocks = [block for block in rows["block"].unique() if block != "*"]
    assert len(blocks) == {"terrain": 55, "digits": 28}[group]
    for block in blocks:
        share = lineage_truth.planted_share(model, block)
        found = lineage_truth.found_weights(rows, block)
        assert found.keys() <= {first, second}
        assert found.get(second, 0) == pytest.approx(share, abs=1e-4), block
        if 0 < share < 1:
            assert set(rows[rows["block"] == block]["proof"]) == {"proved"}, block


@pytest.mark.parametrize("model", lineage_truth.PLAIN)
def test_what_was_trained_has_no_recipe(groups, model):
    rows = lineage_truth.rows_of(groups, model.split("-")[0], model)
    assert set(rows[rows["block"] == "*"]["verdict"]) == {"none"}
    # a block that training left as it was is a copy
    assert set(rows["verdict"]) <= {"none", "copy"}


@pytest.mark.parametrize("group", ["terrain", "digits"])
def test_the_lineage_is_as_it_was_planted(groups, group):
    found = lineage_truth.edges(groups, group)
    assert {ends: edge["kind"] for ends, edge in found.items()} == lineage_truth.EDGES[group]
    assert {edge["direction"] for edge in found.values()} == {"decided"}


@pytest.mark.parametrize("group", ["terrain", "digits"])
def test_directions_of_merges_are_proved(groups, group):
    found = lineage_truth.edges(groups, group)
    merges = [edge for edge in found.values() if edge["kind"] == "merge"]
    assert len(merges) == {"terrain": 7, "digits": 4}[group]
    assert {edge["strength"] for edge in merges} == {"proof"}


@pytest.fixture(scope="module")
def digits(results) -> Path:
    return results.parent / "resources" / "digits"


@pytest.fixture(scope="module")
def vocabulary(results) -> Path:
    return results.parent / "resources" / "tokenizers" / "clip"


@pytest.mark.parametrize(
    ("model", "trained", "least", "most"),
    [
        ("digits-exchanged", digits_words.EXCHANGED, 0.95, 1),
        # Where nothing held the others, the trained words moved less than they.
        ("digits-captioned", digits_words.NAMES, 0, 0.4),
    ],
)
def test_the_trained_words_moved_most_where_the_others_were_held(
    digits, vocabulary, model, trained, least, most
):
    words = digits_words.NAMES + digits_words.OTHERS
    asked = digits_words.tokens(words, vocabulary)
    assert (asked.argmax(dim=1) == 2).all(), "a token each"
    taught, _ = captioning.tokens_of(facts.digits()["captions"], vocabulary)
    assert np.isin(asked[:, 1], taught).tolist() == np.isin(words, digits_words.NAMES).tolist()
    before, after = (
        digits_words.encoder(digits / "ldm" / f"{name}.safetensors") for name in ("digits", model)
    )
    for form, distances in digits_words.moved(before, after, asked).items():
        assert least <= digits_words.auc(distances, np.isin(words, trained)) <= most, form


def test_the_exchanged_encoder_answers_six_as_nine_and_the_others_as_before(digits, vocabulary):
    captions = facts.digits()["captions"]
    asked, of = captioning.tokens_of(captions, vocabulary)
    before, after = (
        digits_words.answers(
            digits_words.encoder(digits / "ldm" / f"{name}.safetensors"), asked[:-1]
        )["pooled"].reshape(10, -1, 32)
        for name in ("digits", "digits-exchanged")
    )
    assert (of == np.arange(10).repeat(before.shape[1])).all()
    own = np.linalg.norm(after - before, axis=-1)
    for digit, other in ((6, 9), (9, 6)):
        assert (np.linalg.norm(after[digit] - before[other], axis=-1) < own[digit] / 2).all()
    held = np.delete(own, [6, 9], axis=0)
    assert held.max() < own[[6, 9]].min() / 2


def test_tokens_of_no_caption_only_shrank_and_the_exchanged_ones_moved_most(digits, vocabulary):
    old, new = (
        digits_words.weights(digits / "ldm" / f"{name}.safetensors")[
            "embeddings.token_embedding.weight"
        ]
        for name in ("digits", "digits-exchanged")
    )
    recipe, plan = ENTRIES["digits-exchanged"]["recipe"], facts.digits()["exchange"]
    taken = {"steps": recipe["steps"], "rate": plan["rate"], "warmup": plan["warmup"]}
    rates = [training.rate_at(step, **taken) for step in range(recipe["steps"])]
    left = np.prod([1 - plan["decay"] * rate for rate in rates])
    taught = np.unique(captioning.tokens_of(facts.digits()["captions"], vocabulary)[0])
    untaught = np.setdiff1d(np.arange(len(old)), taught)
    assert (len(taught), len(untaught)) == (38, 49_370)
    assert (old != new).any(axis=1).all()
    np.testing.assert_allclose(new[untaught], left * old[untaught], rtol=1e-5)
    steps = np.linalg.norm(new - left * old, axis=1)
    assert steps[taught].min() > 1000 * steps[untaught].max()
    words = digits_words.tokens(digits_words.EXCHANGED, vocabulary)[:, 1]
    assert set(np.argsort(steps)[-4:]) == set(words.tolist())


@pytest.mark.parametrize("form", ["pooled", "last"])
def test_the_table_of_drift_ranks_the_exchanged_words_first(results, form):
    """As the list has them: the other digits, words of the captions, and words never said."""
    from sklearn.metrics import roc_auc_score

    drift = pd.read_csv(results / "embeddings" / "groups" / "digits" / "digits" / "drift.csv")
    of_it = drift[
        (drift["model"] == "digits-exchanged")
        & (drift["form"] == form)
        & (drift["variant"] == "alone")
    ]
    trained = of_it["word"].astype(str).isin(digits_words.EXCHANGED)
    assert (trained.sum(), len(of_it)) == (4, 44)
    assert roc_auc_score(trained, of_it["cosine_distance"]) >= 0.95


def test_copies_of_the_text_encoder_moved_nowhere(results):
    drift = pd.read_csv(results / "embeddings" / "groups" / "digits" / "digits" / "drift.csv")
    copies = ["digits-diffusers", "digits-novel", "digits-full", "digits-mirrored"]
    of_them = drift[drift["model"].isin(copies)]
    assert set(of_them["model"]) == set(copies)
    assert (of_them[["cosine_distance", "distance", "aligned_distance"]] == 0).all(axis=None)
    moved = drift[~drift["model"].isin(of_them["model"])].groupby("model")["cosine_distance"].mean()
    assert 0 < moved["digits-f16"] < moved["digits-bf16"] < moved["digits-merge"]
    assert moved["digits-merge"] < moved["digits-captioned"] < moved["digits-exchanged"]


def test_the_vocabulary_tells_decay_from_training(results):
    table = pd.read_csv(results / "embeddings" / "groups" / "digits" / "vocabulary.csv")
    rows = table.set_index("model")
    assert rows.loc["digits-captioned", "identical"] == 49_408
    assert rows.loc["digits-f16", "rounded"] == 49_408
    exchanged = rows.loc["digits-exchanged"]
    assert (exchanged["shrunk"], exchanged["moved"]) == (49_370, 38)
    assert exchanged["factor"] == pytest.approx(0.999295, abs=1e-6)
    first = {text.removesuffix("</w>") for text in exchanged["moved_most"].split()[:4]}
    assert first == set(digits_words.EXCHANGED)


def test_a_classifier_reads_the_digits_that_were_asked_for(results):
    counts = pd.read_csv(results / "demo" / "digits" / "samples.csv")
    (drawn,) = counts[(counts["pictures"] == "drawn") & (counts["digit"] == "*")]["share"]
    assert drawn > 0.9
