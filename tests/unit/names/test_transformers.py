"""Original layouts of transformers become diffusers' names, as diffusers' converters do it."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import narrow
import originals
from atlas.checkpoint import open_checkpoint

CONVERTERS = {
    "flux": "convert_flux_transformer_checkpoint_to_diffusers",
    "chroma": "convert_chroma_transformer_checkpoint_to_diffusers",
    "flux2": "convert_flux2_transformer_checkpoint_to_diffusers",
    "sd3": "convert_sd3_transformer_checkpoint_to_diffusers",
    "auraflow": "convert_auraflow_transformer_checkpoint_to_diffusers",
    "lumina2": "convert_lumina2_to_diffusers",
    "sana": "convert_sana_transformer_to_diffusers",
    "z_image": "convert_z_image_transformer_checkpoint_to_diffusers",
}
"""Layouts that diffusers converts itself; the others come from its scripts."""

NEEDED = {"sana": ("pos_embed", "y_embedder.y_embedding")}
"""Keys that a converter drops but insists on."""

LAYOUTS = sorted(set(narrow.TRANSFORMERS) - {"qwen_image"})


def by_diffusers(layout: str, weights: narrow.Weights) -> narrow.Weights:
    """Convert with diffusers' own function, its full widths replaced by the narrow ones."""
    import torch
    from diffusers.loaders import single_file_utils

    source = inspect.getsource(getattr(single_file_utils, CONVERTERS[layout]))
    source = re.sub(r"inner_dim = 3072", f"inner_dim = {narrow.WIDTH}", source)
    source = source.replace("q_dim = 2304", "q_dim = 48").replace("v_dim = 768", "v_dim = 16")
    scope = dict(vars(single_file_utils))
    exec(source, scope)
    checkpoint = {key: torch.from_numpy(np.array(value)) for key, value in weights.items()}
    checkpoint |= {key: torch.zeros(1) for key in NEEDED.get(layout, ())}
    converted = scope[CONVERTERS[layout]](checkpoint)
    return {key: value.numpy() for key, value in converted.items() if value is not None}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_original_layout_is_read_as_the_diffusers_model(
    tmp_path: Path, layout: str, prefix: str
) -> None:
    class_name, config = narrow.TRANSFORMERS[layout]
    named = narrow.weights(narrow.module_shapes(class_name, config))
    written = {prefix + key: value for key, value in originals.original(layout, named).items()}
    opened = open_checkpoint(narrow.save(tmp_path / "model.safetensors", written))
    found = narrow.all_values(opened)
    read = {name.removeprefix("transformer/"): value for name, value in found.items()}
    assert narrow.surprises(opened) == []
    assert read.keys() == named.keys()
    for name, value in named.items():
        np.testing.assert_array_equal(read[name].view(np.float32), value, err_msg=name)


@pytest.mark.parametrize("layout", sorted(CONVERTERS))
def test_rules_agree_with_the_converter_of_diffusers(tmp_path: Path, layout: str) -> None:
    class_name, config = narrow.TRANSFORMERS[layout]
    # SANA 1.5's norms of queries and keys are known to the script of diffusers alone
    config = {key: value for key, value in config.items() if (layout, key) != ("sana", "qk_norm")}
    named = narrow.weights(narrow.module_shapes(class_name, config))
    written = originals.original(layout, named)
    converted = by_diffusers(layout, written)
    assert converted.keys() == named.keys()
    for name, value in named.items():
        np.testing.assert_array_equal(converted[name], value, err_msg=name)
    assert written.keys() != named.keys()


@pytest.mark.parametrize("layout", sorted(narrow.TRANSFORMERS))
def test_diffusers_layout_keeps_its_names(tmp_path: Path, layout: str) -> None:
    class_name, config = narrow.TRANSFORMERS[layout]
    named = narrow.weights(narrow.module_shapes(class_name, config))
    bare = open_checkpoint(narrow.save(tmp_path / "bare.safetensors", named))
    folder = narrow.save(tmp_path / "p/transformer/diffusion_pytorch_model.safetensors", named)
    piped = open_checkpoint(folder.parents[1])
    expected = sorted(f"transformer/{name}" for name in named)
    assert [tensor.name for tensor in bare.tensors] == expected
    assert [tensor.name for tensor in piped.tensors] == expected
