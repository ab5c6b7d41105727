"""The demo's rules in a folder of their own: relatives from recipes, wheels put by hand."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from atlas_demo import facts
from workflow_runs import REPOSITORY, Atlas

FIRST, SECOND = facts.terrain()["wheels"].values()


@pytest.fixture
def demo(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> Atlas:
    """Return the demo's roster in a folder with no network and no data."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for variable in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    return atlas


def settings(folder: Path, **changes: float) -> dict[str, str]:
    """Write the demo's roster with other shares of the merge; its paths stay the workflow's."""
    roster = yaml.safe_load((REPOSITORY / "config" / "roster.yaml").read_text())
    roster["models"] = {
        name: entry | {"path": str(REPOSITORY / "config" / entry["path"])}
        for name, entry in roster["models"].items()
    }
    roster["models"]["terrain-merge"]["recipe"]["parents"].update(changes)
    (folder / "demo.yaml").write_text(yaml.safe_dump(roster, sort_keys=False))
    return {"roster": "demo.yaml"}


def test_a_wheel_out_of_reach_and_a_wrong_one_put_by_hand_are_told(demo):
    place = demo.folder / "resources" / "wheels" / FIRST
    place.parent.mkdir(parents=True)
    place.write_bytes(b"not a wheel")
    made = [f"resources/terrain/adm/terrain-{number}.safetensors" for number in ("041", "042")]
    run = demo.run(*made, **settings(demo.folder))
    assert not run.success
    assert f"{FIRST} is not the declared file" in run.output
    assert place.read_bytes() == b"not a wheel"
    assert f"{SECOND} is missing" in run.output
    assert facts.wheels()[SECOND]["sha256"] in run.output
    assert f"by hand at resources/wheels/{SECOND}" in run.output
    assert "Traceback" not in run.output


@pytest.fixture(scope="module")
def at_hand(fetched_wheel) -> list[Path]:
    """Return both wheels, fetched before a test takes the network away."""
    return [fetched_wheel(name) for name in (FIRST, SECOND)]


def test_a_changed_recipe_makes_that_relative_anew(at_hand, demo):
    wheels = demo.folder / "resources" / "wheels"
    wheels.mkdir(parents=True)
    for wheel in at_hand:
        shutil.copy(wheel, wheels)
    made = "resources/terrain/diffusers/terrain-merge"
    first = demo.run(made, **settings(demo.folder))
    assert first.jobs == {"extract_terrain": 2, "make_relative": 1, "convert_terrain": 1}
    assert demo.run(made, **settings(demo.folder)).jobs == {}
    again = demo.run(made, **settings(demo.folder, **{"terrain-041": 0.4, "terrain-042": 0.6}))
    assert again.jobs == {"make_relative": 1, "convert_terrain": 1}
    adm = demo.folder / "resources" / "terrain" / "adm"
    merge, a, b = (
        load_file(adm / f"terrain-{name}.safetensors")["input_blocks.0.0.weight"]
        for name in ("merge", "041", "042")
    )
    expected = 0.4 * a.astype(np.float64) + 0.6 * b.astype(np.float64)
    np.testing.assert_array_equal(merge, expected.astype(np.float32))
