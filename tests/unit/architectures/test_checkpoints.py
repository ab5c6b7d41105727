"""A checkpoint as an entry: recognised by its tensors, its own counts beside the catalogue's."""

import struct
from dataclasses import replace
from json import dumps
from pathlib import Path

import pytest

from atlas.architectures import catalogue
from atlas.basis.errors import AtlasError
from meta_modules import built

ITEM_BYTES = 2


def write_hollow(path: Path, architecture: str, components: dict[str, str]) -> None:
    """Write a safetensors file of an entry's true shapes whose weights are a hole in the file."""
    header, end = {}, 0
    for component, prefix in components.items():
        for name, tensor in built(architecture, component).state_dict().items():
            start, end = end, end + ITEM_BYTES * tensor.numel()
            header[f"{prefix}{name}"] = {
                "dtype": "F16", "shape": list(tensor.shape), "data_offsets": [start, end],
            }  # fmt: skip
    told = dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(told)) + told)
        file.truncate(8 + len(told) + end)


def test_a_single_file_is_recognised_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "tuned.safetensors"
    write_hollow(file, "pixart_alpha_512", {"transformer": ""})
    found, known = catalogue.load(file), catalogue.load("pixart_alpha_512")
    assert found.name == "tuned"
    assert found.label == "tuned (PixArt-α 512)"
    assert found.denoiser.parameters == 610_856_096
    assert found.denoiser == replace(known.denoiser, parameters=610_856_096)
    assert list(found.components) == list(known.components)
    # The file holds no text encoder: the header says nothing of one.
    assert found.components["text_encoder"].parameters is None
    assert (found.latent, found.text, found.sampling) == (known.latent, known.text, known.sampling)


def test_what_the_roster_states_decides_among_alike(tmp_path: Path) -> None:
    file = tmp_path / "few-steps.safetensors"
    write_hollow(file, "sdxl", {"unet": ""})
    assert catalogue.load(file).sampling.steps == catalogue.load("sdxl").sampling.steps
    stated = catalogue.load(file, name="mine", stated="dmd2_sdxl")
    assert (stated.name, stated.label) == ("mine", "mine (DMD2 (SDXL))")
    assert (stated.sampling.steps, stated.sampling.forwards_per_step) == (4, 1)


def test_an_unknown_checkpoint_is_told(tmp_path: Path) -> None:
    file = tmp_path / "odd.safetensors"
    write_hollow(file, "sd15", {"vae": ""})
    with pytest.raises(AtlasError, match=r"odd\.safetensors: its architecture is not recognised"):
        catalogue.load(file)
