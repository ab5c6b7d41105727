"""The demo's recipes told, and what is said of parts of other kinds."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

import fitted_rows
from atlas.basis import page
from atlas.claims import table as claim_table
from atlas.claims.claim import Claim, Kind, Parent
from atlas.lineage import recipe_page, recipe_table, telling
from atlas.recipes.tables import WHOLE
from fitted_rows import LOW_RANK, PROOFS, by_block, proof, row, summed, taken

HURTING = '</script><img src=x onerror="hurt()"> *b* | [x](y)'
AB = {"a": 0.7, "b": 0.3}


def told_of(folder: Path, rows, *, models=("a", "b", "c", "m"), labels=None, **given):
    """Return what is told of rows of fits, with tables of proofs, claims and low ranks."""
    paths = {
        "proofs": fitted_rows.write_csv(given.get("proofs", []), PROOFS, folder / "proofs.csv"),
        "low_rank": fitted_rows.write_csv(given.get("ranks", []), LOW_RANK, folder / "ranks.csv"),
        "claims": folder / "claims.csv",
    }
    paths["claims"].write_text(claim_table.as_csv(given.get("claims", {})), encoding="utf-8")
    return telling.read(
        fits=fitted_rows.write_fits(rows, folder / "fits.parquet"),
        group="g",
        models=list(models),
        labels=labels or {model: model for model in models},
        is_published=given.get("is_published", False),
        distances=given.get("distances"),
        **paths,
    )


def sentence(folder: Path, *rows, **given) -> str:
    return told_of(folder, rows, **given).sentence("m")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return what is told of the demo's two groups, from their true fits."""
    found = {}
    for group in ("terrain", "digits"):
        models = fitted_rows.tagged(group)
        rows = getattr(fitted_rows, group)()
        found[group] = told_of(
            tmp_path_factory.mktemp(group), rows, models=models, labels=fitted_rows.labels(models)
        )
    return found


def test_the_demos_terrain_is_told_as_its_roster_made_it(demo):
    told = demo["terrain"]
    assert told.sentence("terrain-merge") == (
        "merge 70/30 = 0.7 × terrain 0.4.1 + 0.3 × terrain 0.4.2"
    )
    assert told.sentence("terrain-add-difference") == (
        "0.4.2 + tuning = terrain 0.4.2 + 0.8 × (“0.4.1 tuned” − terrain 0.4.1)"
    )
    by_blocks = told.sentence("terrain-block-merge")
    assert by_blocks.startswith(
        "merge by block = terrain 0.4.1 and terrain 0.4.2, block by block (share of terrain 0.4.2: "
    )
    assert "0 in IN00–IN03; 0.04 in IN04" in by_blocks
    assert by_blocks.endswith("1 in OUT21–OUT24)")
    assert told.sentence("terrain-half") == "0.4.2 in float16: terrain 0.4.2, rounded"
    assert told.kinds["terrain-tuned"] is telling.Kind.NONE
    assert told.kinds["terrain-copy"] is telling.Kind.TAKEN


def test_a_merge_names_the_same_two_models_in_all_components(demo):
    """The digits' text encoder is the base's in one parent, and their UNet in the other."""
    assert demo["digits"].sentence("digits-merge") == (
        "merge 60/40: UNet and text encoder = 0.6 × UNet tuned + 0.4 × text tuned; "
        "VAE: the same in all of them"
    )


def test_every_block_of_a_merge_is_told_with_the_rosters_share(demo):
    roster = fitted_rows.roster()["models"]
    for group, told in demo.items():
        model = f"{group}-block-merge"
        ratios = roster[model]["recipe"]["ratios"]
        fitted = told.fits[model]["unet"]
        found = {block: run.text for run in told.teller.runs(fitted) for block in run.blocks}
        assert {block: float(text) for block, text in found.items()} == ratios


def test_the_same_in_the_fit_and_proved_are_told_by_the_proof(tmp_path):
    rough = summed("m", "unet", WHOLE, AB, error=0.003, verdict="approximate", residual=0.0014)
    assert "leaves 1.4 times what rounding would" in sentence(tmp_path, rough)
    made_again = proof("m", "unet", WHOLE, AB)
    assert sentence(tmp_path, rough, proofs=[made_again]) == (
        "m = 0.7 × a + 0.3 × b, proved bit for bit (float64 sum, rounded once)"
    )
    ambiguous = proof("m", "unet", WHOLE, AB, ambiguous="lerp")
    assert "float64" not in sentence(tmp_path, rough, proofs=[ambiguous])
    near = proof("m", "unet", WHOLE, AB, "not proved", share=0.95678)
    assert sentence(tmp_path, rough, proofs=[near]).endswith(", not proved (95.6 % equal)")
    almost = proof("m", "unet", WHOLE, AB, "order of operations", share=0.9999996)
    assert "order of operations (99.9999 % equal)" in sentence(tmp_path, rough, proofs=[almost])


def test_of_several_ways_the_first_is_told_and_what_could_not_be_tried_is_not(tmp_path):
    rows = [summed("m", "unet", WHOLE, AB, alike=[["c"], []])]
    failed = proof("m", "vae", WHOLE, AB, "", problem="no such file")
    best = proof("m", "unet", WHOLE, {"b": 0.3, "c": 0.7}, arithmetic="lerp")
    worse = proof("m", "unet", WHOLE, AB, "not proved", share=0.5)
    told = told_of(tmp_path, rows, proofs=[failed, best, worse])
    assert told.sentence("m") == "m = 0.7 × a + 0.3 × b, proved bit for bit (lerp)"
    assert ("m", "vae") not in told.proofs


def test_of_proofs_by_block_the_rest_is_counted(tmp_path):
    rows = by_block("m", "unet", {"IN00": 0.2, "IN01": 0.4, "IN02": 1}, "a", "b")
    proofs = [
        proof("m", "unet", "IN00", {"a": 0.8, "b": 0.2}),
        proof("m", "unet", "IN01", {"a": 0.6, "b": 0.4}, "not proved", share=0.5),
    ]
    assert sentence(tmp_path, *rows, proofs=proofs) == (
        "m = a and b, block by block (share of b: 0.2 in IN00; 0.4 in IN01; 1 in IN02), 1 of 2 "
        "blocks proved bit for bit (float64 sum, rounded once), 1 of 2 blocks not proved "
        "(50.0 % equal)"
    )


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (row("m", "unet", WHOLE, "none", nearest="b"), "m: no recipe found (nearest: b)"),
        (row("m", "unet", WHOLE, "not compared"), "m: not compared with any other"),
        (row("m", "unet", WHOLE, "undetermined", parents=["a", "b"]),
         "m: of a; b; rounding hides how much of each"),
        (row("m", "unet", WHOLE, "equal", parents=["a", "b"]), "m: what a and b share"),
        (summed("m", "unet", WHOLE, {"a": 0.7, "b": 0.5}),
         "m = 0.7 × a + 0.5 × b (weights sum to 1.2)"),
        (summed("m", "unet", WHOLE, {"a": 0.5, "b": 0.5}, error=0.03), "m = 0.51 ± 0.03 × a"),
        (summed("m", "unet", WHOLE, AB, verdict="approximate", residual=0.014),
         "m: comes near 0.7 × a + 0.3 × b and leaves 14 times what rounding would: another"),
        (summed("m", "unet", WHOLE, AB, verdict="approximate", floor=None, residual=0.15),
         "m: comes near 0.7 × a + 0.3 × b and leaves 0.1 of the distance from the nearest model"),
        (summed("m", "unet", WHOLE, AB, deviating=[
            {"name": f"norm.{n}", "weights": None, "residual": 1.0, "floor": 0.1}
            for n in range(5)]),
         "m = 0.7 × a + 0.3 × b, but for 5 tensors (norm.0; norm.1; norm.2 and 2 more)"),
    ],
)  # fmt: skip
def test_what_is_said_of_each_verdict(tmp_path, part, told):
    assert sentence(tmp_path, part).startswith(told)


def test_a_swap_of_blocks_is_told_as_such_and_a_fine_tune_not_by_one_block(tmp_path):
    rows = by_block("m", "unet", {"IN00": 0, "IN01": 1, "OUT00": 0}, "a", "b")
    assert sentence(tmp_path, *rows) == (
        "m = a and b, block by block (share of b: 0 in IN00; 1 in IN01; 0 in OUT00)"
    )
    tune = [row("m", "unet", WHOLE, "none"), summed("m", "unet", "IN00", AB, verdict="approximate")]
    told = told_of(tmp_path, tune)
    assert told.kinds["m"] is telling.Kind.NONE
    assert told.sentence("m") == "m: no recipe found"


def test_three_parents_by_block_are_told_as_sums(tmp_path):
    rows = [
        row("m", "unet", WHOLE, "recovered", parents=["a", "b", "c"]),
        summed("m", "unet", "IN00", AB),
        summed("m", "unet", "IN01", AB),
        summed("m", "unet", "OUT00", {"a": 0.5, "c": 0.5}),
        row("m", "unet", "OUT01", "equal", parents=["a", "c"]),
    ]
    assert sentence(tmp_path, *rows) == (
        "m = a, b and c, block by block (IN00–IN01 0.7 × a + 0.3 × b; OUT00 0.5 × a + 0.5 × c; "
        "OUT01 any (they are the same))"
    )


def test_the_table_has_a_row_for_each_parent_and_shares_of_the_nearest_distance(tmp_path):
    rows = [
        summed("m", "unet", WHOLE, AB, alike=[["c"], []], residual=0.003, floor=0.0015),
        taken("m", "vae", ["a", "b"]),
        row("c", "unet", WHOLE, "none", nearest="a", distance=2.0),
    ]
    told = told_of(tmp_path, rows, proofs=[proof("m", "unet", WHOLE, AB)])
    text = recipe_table.as_csv(told)
    found = list(csv.DictReader(StringIO(text)))
    assert [each["target"] for each in found] == ["c", "m", "m", "m"]
    first, second, third = (each for each in found if each["target"] == "m")
    assert (first["parent"], first["weight"], first["alike"]) == ("a", "0.7", "c")
    assert (second["parent"], second["weight"], second["proof"]) == ("b", "0.3", "proved")
    assert (float(first["residual"]), float(first["floor"])) == (0.002, 0.001)
    assert (third["component"], third["verdict"], third["weight"]) == ("vae", "copy", "")
    assert found[0]["parent"] == ""


def test_claims_stand_beside_what_the_weights_say(tmp_path):
    def claimed(weight: float) -> Claim:
        parents = (Parent("a", 1 - weight, model="a"), Parent("b", weight, model="b"))
        return Claim("webui", Kind.WEIGHTED_SUM, parents=parents)

    rows = [summed("m", "unet", WHOLE, AB), row("c", "unet", WHOLE, "none", nearest="a")]
    for weight, answer in ((0.3, "agrees"), (0.5, "contradicted")):
        told = told_of(tmp_path, rows, claims={"m": [claimed(weight)]})
        (said,) = told.said("m")
        assert said.answer == answer
        assert said.what == f"weighted sum of {1 - weight} × a, {weight} × b"
        text = recipe_table.as_csv(told)
        assert f"webui {answer}" in text
        _, findings, sections = recipe_page.overview(told)
        assert any("webui is contradicted" in each for each in findings) == (weight == 0.5)
        (part,) = (each for each in sections if each.title == "What is claimed")
        assert part.rows[0][3] == answer


def test_a_claim_by_block_is_told_without_the_weights_of_one_of_them(tmp_path):
    rows = by_block("m", "unet", {"IN00": 0.2, "IN01": 0.4}, "a", "b")
    claims = [
        Claim("webui", Kind.WEIGHTED_SUM, component="unet", block=block, parents=(
            Parent("a", 1 - share, model="a"), Parent("b", share, model="b")))
        for block, share in (("IN00", 0.2), ("IN01", 0.4))
    ]  # fmt: skip
    (said,) = told_of(tmp_path, rows, claims={"m": claims}).said("m")
    assert said.what == "weighted sum of a; b, with weights of 2 parts"
    assert said.answer == "agrees"


def test_a_lora_is_told_with_its_rank_and_its_layers(tmp_path):
    def change(role: str, verdict: str, rank: str = "32"):
        return {
            "child": "m", "base": "a", "component": "unet", "role": role, "tensors": "4",
            "rank": rank, "verdict": verdict,
        }  # fmt: skip

    rows = [row("m", "unet", WHOLE, "none", nearest="a")]
    ranks = [change("*", "lora"), change("cross_attention", "lora"), change("norm", "full", "")]
    told = told_of(tmp_path, rows, ranks=ranks)
    assert told.baked("m") == ["LoRA of rank 32 baked into the cross-attention of the UNet of a"]
    assert told_of(tmp_path, rows, ranks=[change("*", "full", "")]).baked("m") == []
    squared = told_of(tmp_path, rows, ranks=[change("*", "loha", "64")]).baked("m")
    assert squared == ["LoHa of rank 8 (its product has rank 64) baked into the UNet of a"]
    assert "LoRA of rank 32" in " ".join(recipe_page.overview(told)[1])


def test_pages_hold_hostile_labels_as_text(tmp_path):
    labels = {"a": HURTING, "b": HURTING, "c": "\u202eevil\n", "m": f"m {HURTING}"}
    rows = [summed("m", "unet", WHOLE, AB), row("c", "unet", WHOLE, "none", nearest="a")]
    told = told_of(tmp_path, rows, labels=labels)
    overview = recipe_page.overview(told)
    html = page.html(*overview, contents=True)
    assert "<img" not in html
    assert "<script" not in html
    assert "hurt()" in html
    markdown = page.markdown(*overview)
    assert "\u202e" not in markdown
    assert "\\*b\\*" in markdown
    pages = json.loads(telling.for_pages(told, overview[1]))
    assert list(pages["models"]) == ["c", "m"]
    assert pages["models"]["m"]["recipe"][0]["of"] == "UNet"
    assert "\n" not in json.dumps(pages["findings"])


def test_a_large_group_stays_readable(tmp_path):
    blocks = [f"IN{number:02}" for number in range(12)]
    rows = []
    models = [f"m{number:03}" for number in range(232)]
    for model in models[2:]:
        ratios = {block: 0.01 * place for place, block in enumerate(blocks, start=1)}
        rows += by_block(model, "unet", ratios, "m000", "m001")
        rows += [taken(model, "vae", [models[0]])]
    labels = {model: f"A label of a model, {model}" for model in models}
    told = told_of(tmp_path, rows, models=models, labels=labels)
    title, findings, sections = recipe_page.overview(told)
    html = page.html(title, findings, sections, contents=True)
    assert len(findings) < 20
    assert max(map(len, findings)) < 700
    assert all(part.is_folded for part in sections if len(part.rows) > 40)
    assert all(len(part.rows) <= recipe_page.MOST_ROWS for part in sections)
    assert len(html) < 1_000_000
    assert '<nav><ol>\n<li><a href="#part-0">Recipes</a>' in html


def test_a_group_without_recipes_says_so_in_a_sentence(tmp_path):
    told = told_of(tmp_path, [])
    _, findings, sections = recipe_page.overview(told)
    assert findings[0].startswith("Nothing to compare")
    assert not sections


def test_published_matrices_are_told_as_what_they_are(tmp_path):
    rows = [summed("m", "unet", WHOLE, AB, verdict="approximate", floor=None)]
    told = told_of(tmp_path, rows, models=(), is_published=True)
    assert recipe_page.overview(told)[1][0].startswith("By published distances of four decimals")
    assert told.models == ["m"]


def test_equal_tables_give_equal_texts(tmp_path, demo):
    models = fitted_rows.tagged("digits")
    again = told_of(
        tmp_path, fitted_rows.digits(), models=models, labels=fitted_rows.labels(models)
    )
    for told in (again, demo["digits"]):
        overview = recipe_page.overview(told)
        assert page.html(*overview) == page.html(*recipe_page.overview(again))
        assert telling.for_pages(told, []) == telling.for_pages(again, [])
