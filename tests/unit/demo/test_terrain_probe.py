"""The terrain networks run by the library's probe: as the demo draws them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from atlas.activations.probes import registry
from atlas.activations.probes.pixel_probe import as_images
from atlas.activations.recorder import Recorder
from atlas.activations.samples import batches
from atlas.networks.sources import Source
from atlas_demo import facts
from atlas_demo.terrain import networks
from demo import convert_terrain, extract_terrain

MODELS = ("terrain-041", "terrain-042")
DIFFICULTY = {"name": "difficulty", "from": 1, "to": 100}
SAMPLES, SEED = 60, 0


@pytest.fixture(scope="module", params=MODELS)
def folder(request, fetched_wheel, tmp_path_factory) -> Path:
    """Return a network's diffusers folder."""
    wheel = fetched_wheel(facts.terrain()["wheels"][request.param])
    place = tmp_path_factory.mktemp(request.param)
    extract_terrain.main(
        package=wheel,
        sha256=facts.wheels()[wheel.name]["sha256"],
        checkpoint=place / "shipped.safetensors",
    )
    convert_terrain.main(checkpoint=place / "shipped.safetensors", folder=place / "folder")
    return place / "folder"


def test_maps_are_the_demos_and_the_middle_knows_the_difficulty(folder):
    probe = registry.chosen(Source("m", folder), {"labels": DIFFICULTY})
    assert (probe.name, probe.times, probe.image_size) == ("unet", (80.0,), (128, 128))
    difficulty = probe.conditions(SEED, range(SAMPLES))["difficulty"]
    images = []
    with (
        torch.inference_mode(),
        Recorder(
            probe.load(torch.device("cpu")), probe.layers(), has_maps=False, dtype="float16"
        ) as kept,
    ):
        for batch in batches(0, SAMPLES, size=6, seed=SEED):
            images.append(probe.draw(batch, kept))
        means = torch.cat(kept.taken()["mid", 80.0].means).numpy().astype(np.float64)
        first = batches(0, 6, size=6, seed=SEED)[0]
        maps = networks.load(folder).draw(first.noise((1, 128, 128)), torch.tensor(difficulty[:6]))
    assert np.array_equal(images[0], as_images(maps))
    assert means.shape == (SAMPLES, 128)
    component = np.linalg.svd(means - means.mean(0), full_matrices=False)[0][:, 0]
    assert abs(np.corrcoef(component, difficulty)[0, 1]) >= 0.9


def test_the_file_as_shipped_is_the_same_network_with_the_folders_configuration(folder):
    shipped = Source("m", folder.parent / "shipped.safetensors", configuration=folder)
    one, other = (
        registry.chosen(source, {}).load(torch.device("cpu")).state_dict()
        for source in (shipped, Source("m", folder))
    )
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
