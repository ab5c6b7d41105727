"""What trainers write gives a base, and an order of the states of a run."""

from __future__ import annotations

import pytest

from atlas.claims.claim import Kind
from said_in_files import A, said

KOHYA = {
    "ss_sd_model_name": "base.safetensors",
    "ss_sd_model_hash": "43ce4604",
    "ss_new_sd_model_hash": A,
    "ss_session_id": "1234",
    "ss_epoch": "2",
    "ss_steps": "200",
    "ss_network_module": "networks.lora",
    "ss_network_dim": "32",
    "ss_output_name": "shine",
}


def test_kohya_names_the_base_and_the_place_in_the_run() -> None:
    base, epoch = said(KOHYA)
    (parent,) = base.parents
    assert (base.kind, parent.name) == (Kind.LORA, "base.safetensors")
    assert (parent.sha256, parent.legacy_hash) == (A, "43ce4604")
    assert base.detail == "networks.lora, rank 32"
    assert (epoch.kind, epoch.order) == (Kind.EPOCH, 200)
    assert epoch.detail == "session 1234, epoch 2, step 200"


def test_texts_of_none_are_nothing() -> None:
    told = dict.fromkeys(KOHYA, "None")
    assert said(told) == []
    assert said(KOHYA | {"ss_sd_model_name": "None"})[0].parents[0].name == A


def test_without_a_network_it_is_a_fine_tune() -> None:
    texts = {key: text for key, text in KOHYA.items() if "network" not in key}
    assert said(texts)[0].kind == Kind.FINE_TUNE


def test_without_a_session_it_was_extracted() -> None:
    (claim,) = said({"ss_v2": "False", "ss_network_module": "networks.lora"})
    assert claim.kind == Kind.OTHER
    assert "extracted" in claim.detail


def test_lightning_tells_step_and_epoch() -> None:
    texts = {"global_step": "470000", "epoch": "6", "pytorch-lightning_version": "1.4.2"}
    (claim,) = said(texts)
    assert (claim.kind, claim.order) == (Kind.EPOCH, 470000)
    assert claim.detail == "PyTorch Lightning 1.4.2, epoch 6, step 470000"
    assert said({"pytorch-lightning_version": "1.4.2"}) == []


def test_updates_of_averaged_weights_are_counted() -> None:
    (claim,) = said({"model_ema.num_updates": "551602"})
    assert (claim.source, claim.kind, claim.order) == ("averaged weights", Kind.EPOCH, 551602)
    assert claim.detail == "551602 updates of the averaged weights"
    assert said({"model_ema.num_updates": "-1"}) == []


@pytest.mark.parametrize(
    ("texts", "source", "day"),
    [
        ({"modelspec.date": "2024-03-05T10:20:30"}, "modelspec", "2024-03-05"),
        ({"modelspec.date": "2024-03-05"}, "modelspec", "2024-03-05"),
        ({"modelspec.date": "2024-03-05T23:30:00-05:00"}, "modelspec", "2024-03-05"),
        ({"ss_training_finished_at": "1709634030.5"}, "kohya", "2024-03-05"),
        ({"ss_training_started_at": "1709634030"}, "kohya", "2024-03-05"),
    ],
)
def test_dates_are_read(texts: dict[str, str], source: str, day: str) -> None:
    (claim,) = [each for each in said(texts) if each.kind == Kind.DATE]
    assert claim.source == source
    assert claim.detail == f"made on {day}"
    assert 1.7e9 < (claim.order or 0.0) < 1.8e9


@pytest.mark.parametrize("text", ["yesterday", "None", "1970-01-01", "9999-12-31", "0001-01-01"])
def test_what_is_no_date_is_not(text: str) -> None:
    texts = {"modelspec.date": text, "ss_training_finished_at": text}
    assert [each for each in said(texts) if each.kind == Kind.DATE] == []


def test_seconds_beyond_any_date_are_none() -> None:
    for text in ("1e300", "-5", "0", "NaN", "inf"):
        assert said({"ss_training_finished_at": text}) == []
