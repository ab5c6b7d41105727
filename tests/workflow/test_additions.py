"""ControlNets and LoRAs are asked for in the settings, and stand in tables and findings."""

import csv
import shutil
from pathlib import Path

from workflow_runs import REPOSITORY, Atlas

TESTS = REPOSITORY / "tests"


def asked(folder: Path, **macs: object) -> dict[str, object]:
    shutil.copy(TESTS / "architectures" / "pocket_unet.yaml", folder)
    shutil.copy(TESTS / "additions" / "pocket_controlnet.yaml", folder)
    return {"architectures": ["pocket_unet.yaml"], "resolutions": ["native"]} | macs


def test_additions_are_a_target_of_their_own(tmp_path: Path) -> None:
    names = ["pocket_controlnet.yaml", "lora_r16_attention", "controlnet_sdxl"]
    done = Atlas(tmp_path).run("additions", macs=asked(tmp_path, **{"with": names}))
    assert done.success, done.output
    assert done.jobs == {"profile_additions": 1, "additions": 1}
    assert "Pocket UNet with Pocket ControlNet, 128 × 128 pixels:" in done.output
    assert "ControlNet for SDXL goes with none of the architectures" in done.output
    with (tmp_path / "results/macs/additions.csv").open() as file:
        found = {row["addition"]: row for row in csv.DictReader(file)}
    assert set(found) == {"pocket_controlnet", "lora_r16_attention", "controlnet_sdxl"}
    control = found["pocket_controlnet"]
    assert int(control["step_macs"]) == 2 * int(control["forward_macs"]) > 0
    assert found["controlnet_sdxl"]["problem"].startswith("made for a denoiser with")
    assert not found["controlnet_sdxl"]["forward_macs"]


def test_they_are_planned_with_macs_where_they_are_asked_for_alone(tmp_path: Path) -> None:
    atlas = Atlas(tmp_path)
    without = atlas.run("macs", options=("-n",), macs=asked(tmp_path))
    assert "profile_additions" not in without.jobs
    settings = asked(tmp_path, **{"with": ["pocket_controlnet.yaml"]})
    assert atlas.run("macs", options=("-n",), macs=settings).jobs["profile_additions"] == 1


def test_a_misspelt_one_stops_before_any_job(tmp_path: Path) -> None:
    settings = asked(tmp_path, **{"with": ["controlnet_sdxxl"]})
    done = Atlas(tmp_path).run("additions", options=("-n",), macs=settings)
    assert not done.success
    assert "macs › with: controlnet_sdxxl" in done.output
    assert "did you mean controlnet_sdxl?" in done.output
