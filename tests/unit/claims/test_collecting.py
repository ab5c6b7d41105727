"""Claims that seem to be a parent's are marked."""

from __future__ import annotations

from collections.abc import Mapping

from atlas.claims.claim import Claim
from atlas.claims.collecting import Believed, Subject, collected
from atlas.fingerprints.provenance import FileMark, Provenance
from atlas.tensors.tensors import FileMetadata
from said_in_files import SD1, A, B, merge

RECIPE = {
    "type": "webui",
    "primary_model_hash": A,
    "secondary_model_hash": B,
    "interp_method": "Weighted sum",
    "multiplier": 0.3,
}
KOHYA = {"ss_sd_model_name": "a", "ss_session_id": "1", "ss_steps": "9"}


def subject(
    name: str, texts: Mapping[str, str] = {}, *, base: str | None = None, kind: str = "model"
) -> Subject:
    file = f"{name}.safetensors"
    provenance = Provenance((FileMark(file, 1, ""),), (FileMetadata(file, texts=texts),))
    return Subject.of(Believed(name, name, f"models/{file}", base), provenance, SD1, kind)


def written(claims: list[Claim]) -> list[tuple[str, bool]]:
    return [
        (each.source, each.inherited) for each in claims if not each.source.startswith("roster")
    ]


def test_parents_are_found_among_all_models() -> None:
    claims = collected([subject("m", merge(RECIPE)), subject("a")], [Believed("b", "b", "b")])
    (claim,) = claims["m"]
    assert [(parent.model, parent.how) for parent in claim.parents] == [("a", "id"), ("b", "id")]
    assert claims["a"] == []


def test_the_same_recipe_in_a_parent_is_inherited() -> None:
    claims = collected(
        [subject("a"), subject("m", merge(RECIPE)), subject("n", merge(RECIPE), base="m")]
    )
    assert written(claims["m"]) == [("sd_merge_recipe webui", False)]
    assert written(claims["n"]) == [("sd_merge_recipe webui", True)]
    assert claims["n"][-1].detail == "m has the same"


def test_equal_recipes_of_models_that_are_no_parents_are_not() -> None:
    claims = collected([subject("m", merge(RECIPE)), subject("n", merge(RECIPE))])
    assert written(claims["m"]) == written(claims["n"]) == [("sd_merge_recipe webui", False)]


def test_a_recipe_that_was_saved_under_another_models_name_is_inherited() -> None:
    texts = merge(RECIPE | {"custom_name": "m"})
    claims = collected([subject("m", texts), subject("other", texts)])
    assert written(claims["m"]) == [("sd_merge_recipe webui", False)]
    assert written(claims["other"]) == [("sd_merge_recipe webui", True)]


def test_a_file_that_was_renamed_keeps_its_claims() -> None:
    claims = collected([subject("renamed", merge(RECIPE | {"custom_name": "m"}))])
    assert written(claims["renamed"]) == [("sd_merge_recipe webui", False)]


def test_what_is_written_into_loras_is_inherited_by_a_model() -> None:
    texts = KOHYA | {"ss_network_module": "networks.lora"}
    claims = collected([subject("lora", texts, kind="lora"), subject("m", texts)])
    assert written(claims["lora"]) == [("kohya", False), ("kohya", False)]
    assert written(claims["m"]) == [("kohya", True), ("kohya", False)]


def test_epochs_of_one_run_keep_their_own() -> None:
    texts = KOHYA | {"ss_output_name": "run"}
    claims = collected(
        [subject("run", texts, kind="lora"), subject("run-000004", texts, kind="lora")]
    )
    assert not any(each.inherited for said in claims.values() for each in said)
