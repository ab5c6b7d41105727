"""
A diffusers folder as an entry: model_index.json and the components' config.json files.

What those files do not say (text lengths, the pipeline's packing) is taken from the entry of the
catalogue whose denoiser is of the same class and most alike.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, TypeGuard

from atlas.architectures.architecture import Architecture, Component, Latent, Sampling, Text
from atlas.architectures.relatives import Relative, Scheduler, nearest_relative
from atlas.basis.errors import AtlasError
from atlas.checkpoint.safetensors import read_header
from atlas.checkpoint.selection import weight_sets
from atlas.names.components import DENOISERS

logger = logging.getLogger(__name__)

CALLED = {"movq": "vae"}
"""Other names of components in pipelines' folders: Kandinsky's autoencoder is its movq."""
ASSUMED = "not known: assumed, as no entry of the catalogue is alike"
SCHEDULER = "scheduler/scheduler_config.json"
CONFIGS = ["model_index.json", "*/config.json", SCHEDULER]


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
    folder: Path,
    *,
    relatives: Sequence[Architecture],
    stated: str | None = None,
    repository: str | None = None,
) -> Architecture:
    """
    Read a diffusers folder as an architecture; nothing but configuration need be there.

    Parameters
    ----------
    folder
        With model_index.json and the components' configurations.
    relatives
        The catalogue's entries.
    stated
        The name of the entry that it is said to be.
    repository
        Where on the hub it was fetched from.

    Raises
    ------
    AtlasError
        if the folder has no model_index.json, no denoiser, or a component no config.json.
    """
    index = _json(folder / "model_index.json", "a diffusers folder has one at its top")
    components = _components(folder, index)
    denoiser = next(iter(components.values()))
    found = nearest_relative(
        components,
        _scheduler(folder, index),
        relatives,
        stated=_stated(folder, stated, relatives, denoiser),
    )
    relative = found.entry if found else None
    if relative is None:
        logger.warning(
            "%s: no entry of the catalogue has a %s; text lengths, guidance and steps are "
            "assumed. Write config/architectures/<name>.yaml to state them.",
            folder,
            denoiser.class_name,
        )
    components = _with_lengths(components, relative)
    latent = found.entry.latent if _is_whole(found, components) else _latent(components, relative)
    name = (repository or folder.resolve().name).replace("/", "--")
    return Architecture(
        name=name,
        label=repository or folder.resolve().name,
        kind=relative.kind if relative else _kind(denoiser),
        components=components,
        latent=latent,
        native_size=_native_size(denoiser, latent, relative),
        largest=relative.largest if relative else None,
        text=relative.text if relative else _text(components),
        sampling=_sampling(index, found),
        sources=(repository or str(folder),),
        origin=repository or str(folder),
        repository=repository,
        video=relative.video if relative else None,
        references=relative.references if relative else None,
    )


def _stated(
    folder: Path, name: str | None, relatives: Sequence[Architecture], denoiser: Component
) -> Architecture | None:
    """Return the entry that a folder is said to be; None if nothing is said, or no entry's name."""
    entry = next((entry for entry in relatives if entry.name == name), None)
    if entry is not None and entry.denoiser.class_name != denoiser.class_name:
        raise AtlasError(
            f"{folder}: is said to be {name}, whose denoiser is a {entry.denoiser.class_name}, but "
            f"has a {denoiser.class_name}; correct its architecture in the roster"
        )
    return entry


def _scheduler(folder: Path, index: dict[str, Any]) -> Scheduler:
    class_name = (index.get("scheduler") or [None, None])[1]
    path = folder / SCHEDULER
    config = _json(path, "it describes the scheduler") if path.is_file() else None
    return Scheduler(class_name or "", config)


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
        return replace(known, config=encoder.config, parameters=encoder.parameters)
    positions = encoder.config.get("max_position_embeddings")
    return replace(encoder, tokens=min(positions or 256, 256), most_tokens=positions)


def _is_whole(found: Relative | None, components: dict[str, Component]) -> TypeGuard[Relative]:
    """Say whether denoiser and autoencoder are an entry's, so that its latent is theirs."""
    if found is None or not found.is_equal:
        return False
    own, known = components.get("vae"), found.entry.components.get("vae")
    if own is None or known is None:
        return own is known
    return own.class_name == known.class_name and all(
        own.config.get(key) == value for key, value in known.config.items()
    )


def _latent(components: dict[str, Component], relative: Architecture | None) -> Latent:
    denoiser = next(iter(components.values()))
    vae = components.get("vae")
    patch = relative.latent.patch if relative else _patch(denoiser)
    multiple = relative.latent.multiple if relative else patch
    if vae is None:
        return Latent(int(denoiser.config["in_channels"]), 1, patch, multiple)
    extra = relative.latent.extra if relative else {}
    channels = vae.config.get("latent_channels") or vae.config.get("z_dim") or 4
    levels = vae.config.get("block_out_channels") or vae.config.get("encoder_block_out_channels")
    if levels:
        downsampling = 2 ** (len(levels) - 1)
    else:
        downsampling = relative.latent.downsampling if relative else 8
    return Latent(int(channels), downsampling, patch, multiple, extra)


def _patch(denoiser: Component) -> int:
    return 1 if _kind(denoiser) == "UNet" else int(denoiser.config.get("patch_size") or 1)


def _kind(denoiser: Component) -> Any:
    return "UNet" if "UNet" in denoiser.class_name else "DiT"


def _native_size(
    denoiser: Component, latent: Latent, relative: Architecture | None
) -> tuple[int, int]:
    """Return width and height by the denoiser's sample_size: in the unit that a relative has it."""
    side = denoiser.config.get("sample_size")
    known = relative.denoiser.config.get("sample_size") if relative else None
    if relative and (side == known or not isinstance(side, int)):
        return relative.native_size
    if relative and isinstance(known, int) and isinstance(side, int):
        return (relative.native * side // known,) * 2
    return (side * latent.downsampling if isinstance(side, int) else 1024,) * 2


def _text(components: dict[str, Component]) -> Text | None:
    lengths = [component.tokens for component in components.values() if component.tokens]
    return Text(cap=max(lengths)) if lengths else None


def _sampling(index: dict[str, Any], found: Relative | None) -> Sampling:
    class_name = (index.get("scheduler") or [None, None])[1] or ""
    if found is None:
        return Sampling(30, 2, "classifier-free", "epsilon", class_name, stated=ASSUMED)
    return replace(found.sampling, scheduler=class_name or found.sampling.scheduler)
