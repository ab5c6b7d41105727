"""
A diffusers folder as an entry: model_index.json and the components' config.json files.

What those files do not say (text lengths, guidance, the pipeline's packing) is taken from
the entry of the catalogue whose denoiser is of the same class and most alike.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from atlas.architectures.architecture import Architecture, Component, Latent, Sampling, Text
from atlas.basis.errors import AtlasError
from atlas.checkpoint.safetensors import read_header
from atlas.checkpoint.selection import weight_sets
from atlas.names.components import DENOISERS

logger = logging.getLogger(__name__)

CALLED = {"movq": "vae"}
"""Other names of components in pipelines' folders: Kandinsky's autoencoder is its movq."""
CONFIGS = ["model_index.json", "*/config.json"]


def fetch(repository: str) -> Path:
    """Download the configuration files (never weights) of a repository on the hub."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, allow_patterns=CONFIGS))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise AtlasError(
            f"{repository}: its configuration could not be fetched from the hub "
            f"({type(error).__name__}), and there is no folder of this name here; check the name "
            "and the network, or download the configuration files elsewhere and give their folder"
        ) from error


def read(
    folder: Path, *, relatives: Sequence[Architecture], repository: str | None = None
) -> Architecture:
    """
    Read a diffusers folder as an architecture; nothing but configuration need be there.

    Raises
    ------
    AtlasError
        if the folder has no model_index.json, no denoiser, or a component no config.json.
    """
    index = _json(folder / "model_index.json", "a diffusers folder has one at its top")
    components = _components(folder, index)
    denoiser = next(iter(components.values()))
    relative = _nearest_relative(denoiser, relatives)
    if relative is None:
        logger.warning(
            "%s: no entry of the catalogue has a %s; text lengths, guidance and steps are "
            "assumed. Write config/architectures/<name>.yaml to state them.",
            folder,
            denoiser.class_name,
        )
    components = _with_lengths(components, relative)
    latent = _latent(components, relative)
    name = (repository or folder.resolve().name).replace("/", "--")
    return Architecture(
        name=name,
        label=repository or folder.resolve().name,
        kind=relative.kind if relative else _kind(denoiser),
        components=components,
        latent=latent,
        native=_native(denoiser, latent, relative),
        largest=relative.largest if relative else None,
        text=relative.text if relative else _text(components),
        sampling=_sampling(index, relative),
        sources=(repository or str(folder),),
        origin=repository or str(folder),
        repository=repository,
    )


def _json(path: Path, remedy: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise AtlasError(f"{path}: no such file; {remedy}") from error
    except ValueError as error:
        raise AtlasError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise AtlasError(f"{path}: should hold an object; {remedy}")
    return content


def _components(folder: Path, index: dict[str, Any]) -> dict[str, Component]:
    """Read the listed models in canonical order; tokenizers and the like are left out."""
    listed = {
        CALLED.get(key, key): (folder / key, value)
        for key, value in index.items()
        if isinstance(value, list) and len(value) == 2 and None not in value
    }
    wanted = [*DENOISERS, "vae", *sorted(key for key in listed if key.startswith("text_encoder"))]
    components = {name: _component(*listed[name]) for name in wanted if name in listed}
    if not set(DENOISERS) & set(components):
        raise AtlasError(
            f"{folder / 'model_index.json'}: lists neither a unet nor a transformer; "
            "only pipelines with one of them can be read"
        )
    return components


def _component(folder: Path, entry: list[str]) -> Component:
    library, class_name = entry
    config = _json(folder / "config.json", "model_index.json lists this component")
    return Component(
        class_name=class_name,
        config={key: value for key, value in config.items() if not key.startswith("_")},
        library="transformers" if library == "transformers" else "diffusers",
        parameters=_stored_parameters(folder),
    )


def _stored_parameters(folder: Path) -> int | None:
    """Count the elements in the headers of the component's safetensors files, if any."""
    # several precisions may lie side by side (model.fp16.safetensors): the preferred one is first
    for weights in weight_sets(folder):
        if weights.suffix == ".safetensors":
            weights.check_complete()
            listings = [read_header(file) for file in weights.files]
            return sum(prod(entry.shape) for listing in listings for entry in listing.entries)
    return None


def _nearest_relative(
    denoiser: Component, relatives: Sequence[Architecture]
) -> Architecture | None:
    """Return the entry of the same denoiser class with the most equal configuration values."""
    alike = [entry for entry in relatives if entry.denoiser.class_name == denoiser.class_name]
    return max(alike, key=lambda entry: _equal_values(entry.denoiser, denoiser), default=None)


def _equal_values(one: Component, other: Component) -> int:
    return sum(other.config.get(key) == value for key, value in one.config.items())


def _with_lengths(
    components: dict[str, Component], relative: Architecture | None
) -> dict[str, Component]:
    known = relative.components if relative else {}
    return {
        name: _with_length(component, known.get(name))
        if component.library == "transformers"
        else component
        for name, component in components.items()
    }


def _with_length(encoder: Component, known: Component | None) -> Component:
    if known is not None and known.class_name == encoder.class_name:
        return replace(encoder, tokens=known.tokens, most_tokens=known.most_tokens)
    positions = encoder.config.get("max_position_embeddings")
    return replace(encoder, tokens=min(positions or 256, 256), most_tokens=positions)


def _latent(components: dict[str, Component], relative: Architecture | None) -> Latent:
    denoiser = next(iter(components.values()))
    vae = components.get("vae")
    patch = relative.latent.patch if relative else _patch(denoiser)
    multiple = relative.latent.multiple if relative else patch
    if vae is None:
        return Latent(int(denoiser.config["in_channels"]), 1, patch, multiple)
    channels = vae.config.get("latent_channels") or vae.config.get("z_dim") or 4
    levels = vae.config.get("block_out_channels") or vae.config.get("encoder_block_out_channels")
    if levels:
        downsampling = 2 ** (len(levels) - 1)
    else:
        downsampling = relative.latent.downsampling if relative else 8
    return Latent(int(channels), downsampling, patch, multiple)


def _patch(denoiser: Component) -> int:
    return 1 if _kind(denoiser) == "UNet" else int(denoiser.config.get("patch_size") or 1)


def _kind(denoiser: Component) -> Any:
    return "UNet" if "UNet" in denoiser.class_name else "DiT"


def _native(denoiser: Component, latent: Latent, relative: Architecture | None) -> int:
    side = denoiser.config.get("sample_size")
    if isinstance(side, int):
        return side * latent.downsampling
    return relative.native if relative else 1024


def _text(components: dict[str, Component]) -> Text | None:
    lengths = [component.tokens for component in components.values() if component.tokens]
    return Text(usual=max(lengths)) if lengths else None


def _sampling(index: dict[str, Any], relative: Architecture | None) -> Sampling:
    scheduler = (index.get("scheduler") or [None, None])[1]
    assumed = relative.sampling if relative else Sampling(30, 2, "classifier-free", "epsilon", "")
    return replace(assumed, scheduler=scheduler or assumed.scheduler)
