"""ControlNets and LoRAs are asked for in the settings, and stand in tables and findings."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

from workflow_runs import REPOSITORY, jobs_of

TESTS = REPOSITORY / "tests"


def run(folder: Path, *words: str, **macs: object) -> subprocess.CompletedProcess[str]:
    """Call the workflow on the pocket UNet, without a roster; both outputs are in stdout."""
    shutil.copy(TESTS / "architectures" / "pocket_unet.yaml", folder)
    shutil.copy(TESTS / "additions" / "pocket_controlnet.yaml", folder)
    settings = {"architectures": ["pocket_unet.yaml"], "resolutions": ["native"]} | macs
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")),
            *("--cores", "1", *words, "--config", f"macs={json.dumps(settings)}"),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_additions_are_a_target_of_their_own(tmp_path: Path) -> None:
    names = ["pocket_controlnet.yaml", "lora_r16_attention", "controlnet_sdxl"]
    done = run(tmp_path, "additions", **{"with": names})
    assert done.returncode == 0, done.stdout
    assert jobs_of(done.stdout) == {"profile_additions": 1, "additions": 1}
    assert "Pocket UNet with Pocket ControlNet, 128 × 128 pixels:" in done.stdout
    assert "ControlNet for SDXL goes with none of the architectures" in done.stdout
    with (tmp_path / "results/macs/additions.csv").open() as file:
        found = {row["addition"]: row for row in csv.DictReader(file)}
    assert set(found) == {"pocket_controlnet", "lora_r16_attention", "controlnet_sdxl"}
    control = found["pocket_controlnet"]
    assert int(control["step_macs"]) == 2 * int(control["forward_macs"]) > 0
    assert found["controlnet_sdxl"]["problem"].startswith("made for a denoiser with")
    assert not found["controlnet_sdxl"]["forward_macs"]


def test_they_are_planned_with_macs_where_they_are_asked_for_alone(tmp_path: Path) -> None:
    without = run(tmp_path, "macs", "--dry-run")
    assert without.returncode == 0, without.stdout
    assert "profile_additions" not in jobs_of(without.stdout)
    asked = run(tmp_path, "macs", "--dry-run", **{"with": ["pocket_controlnet.yaml"]})
    assert jobs_of(asked.stdout)["profile_additions"] == 1


def test_a_misspelt_one_stops_before_any_job(tmp_path: Path) -> None:
    done = run(tmp_path, "additions", "--dry-run", **{"with": ["controlnet_sdxxl"]})
    assert done.returncode != 0
    assert "macs › with: controlnet_sdxxl" in done.stdout
    assert "did you mean controlnet_sdxl?" in done.stdout
