"""One text encoder alone, loaded and asked for what it makes of texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from atlas.basis.errors import AtlasError
from atlas.embeddings.encoders import Encoder
from atlas.embeddings.families import Family, family
from atlas.embeddings.tokens import Tokens
from atlas.networks import fitting
from atlas.networks.sources import Source

BATCH = 16
"""Texts in one forward."""

FLATTENED = "flattened"

Vectors = NDArray[np.float32]


def load(
    encoder: Encoder, source: Source, *, device: torch.device, dtype: torch.dtype
) -> nn.Module:
    """
    Return a text encoder with its weights; nothing else of the model is read.

    Raises
    ------
    AtlasError
        Its configuration makes no network, or another than that of its tensors.
    """
    network = _built(encoder)
    tensors = source.required(encoder.component)
    names = [name for name in tensors if family(encoder.family).has(name)]
    shapes = fitting.expected(network)
    fitting.check(
        fitting.renamed({name: tensors[name].shape for name in names}, shapes),
        shapes,
        lambda faults: (
            f"{source.path}: the tensors of its {encoder.component} are not those that "
            f"{encoder.configuration} tells: {faults}; give the configuration that belongs to it"
        ),
    )
    weights = source.state(encoder.component, names)
    return fitting.loaded(network, weights, dtype=dtype).to(device)


def _built(encoder: Encoder) -> nn.Module:
    import transformers

    try:
        kind = _class_of(encoder)
        with fitting.weightless():
            if kind is not None:
                network: nn.Module = kind(kind.config_class.from_dict(dict(encoder.config)))
            else:
                settings = dict(encoder.config)
                config = transformers.AutoConfig.for_model(settings.pop("model_type"), **settings)
                network = transformers.AutoModel.from_config(config)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ImportError) as error:
        raise AtlasError(
            f"{encoder.configuration}: no network can be made of this configuration of the "
            f"{encoder.component} of {encoder.model} ({error}); compare it with its publisher's"
        ) from error
    return network.eval().requires_grad_(False)


def _class_of(encoder: Encoder) -> Any:
    """Return transformers' class of the text encoder alone; None where its type must tell it."""
    import transformers

    name = encoder.class_name
    if encoder.family == "t5":
        is_wide = name.startswith("UMT5") or encoder.config.get("model_type") == "umt5"
        name = "UMT5EncoderModel" if is_wide else "T5EncoderModel"
    is_whole = name.startswith("CLIPTextModel") or name.endswith("Model")
    stated = encoder.config.get("model_type")
    kind = getattr(transformers, name, None) if is_whole else None
    if kind is not None and stated and kind.config_class.model_type != stated:
        return None if encoder.family == "language model" else kind
    return kind


@torch.no_grad()
def encode(
    encoder: Encoder, network: nn.Module, tokens: Tokens, *, batch: int = BATCH
) -> dict[str, Vectors]:
    """
    Return what an encoder makes of texts, by form.

    `pooled`: the last hidden state, after the final norm, at the first mark of the text's end;
    `projected`: that through the encoder's projection. `last`: the mean, over the word's own
    tokens, of the last hidden states; `penultimate_normed` and `penultimate`: likewise of the last
    but one, with the encoder's final norm (as Stable Diffusion 1 with clip skip 2) or without (as
    SDXL).
    `flattened`: the last hidden states of all tokens, padding with them, one after the other.

    Parameters
    ----------
    batch
        Texts in one forward.

    Returns
    -------
        float32 (texts, width) each; `flattened` is (texts, tokens × width).
    """
    kind = family(encoder.family)
    device = next(network.parameters()).device
    parts: dict[str, list[Vectors]] = {}
    for start in range(0, len(tokens.ids), batch):
        rows = range(start, min(start + batch, len(tokens.ids)))
        ids, mask = _padded([tokens.ids[row] for row in rows], tokens, kind)
        found = _forms(network, kind, ids.to(device), mask.to(device), tokens, rows)
        for form, values in found.items():
            parts.setdefault(form, []).append(values.float().cpu().numpy())
    return {form: np.concatenate(found) for form, found in parts.items()}


def require_finite(encoder: Encoder, made: Mapping[str, Vectors], texts: Sequence[str]) -> None:
    """
    Refuse what is NaN or infinite.

    Raises
    ------
    AtlasError
        With the first text and form.
    """
    for form, vectors in made.items():
        bad = np.logical_not(np.isfinite(vectors)).any(axis=1)
        if bad.any():
            text = texts[int(bad.argmax())]
            raise AtlasError(
                f"the {encoder.component} of {encoder.model} gives NaN or infinity for "
                f"{int(bad.sum())} of {len(texts)} texts ({text!r}, {form}): its weights "
                "are broken (results/models.csv), or overflow: set embeddings › dtype f32"
            )


def _padded(
    ids: Sequence[Sequence[int]], tokens: Tokens, kind: Family
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return int64 (texts, tokens), and which are the texts': likewise, 1 or 0."""
    most = tokens.most if kind.pads else max(map(len, ids))
    filled = torch.full((len(ids), most), tokens.padding)
    mask = torch.zeros_like(filled)
    for row, each in enumerate(ids):
        filled[row, : len(each)] = torch.tensor(each)
        mask[row, : len(each)] = 1
    return filled, mask


def _forms(
    network: nn.Module,
    kind: Family,
    ids: torch.Tensor,
    mask: torch.Tensor,
    tokens: Tokens,
    rows: Sequence[int],
) -> Mapping[str, torch.Tensor]:
    wants_all = any(form.startswith("penultimate") for form in kind.forms)
    # pipelines of diffusers give CLIP no mask: it looks back only, and what pads is behind
    given = {} if kind.pads else {"attention_mask": mask}
    output = network(ids, output_hidden_states=wants_all, **given)
    last = output.last_hidden_state
    found = {"last": _own_means(last, tokens, rows)}
    if "pooled" in kind.forms:
        ends = torch.tensor([tokens.ends[row] for row in rows], device=last.device)
        found["pooled"] = last[torch.arange(len(rows), device=last.device), ends]
        if (projection := getattr(network, "text_projection", None)) is not None:
            found["projected"] = projection(found["pooled"])
    if wants_all:
        before = output.hidden_states[-2]
        found["penultimate"] = _own_means(before, tokens, rows)
        if "penultimate_normed" in kind.forms:
            inner: Any = getattr(network, "text_model", network)
            normed = inner.final_layer_norm(before)
            found["penultimate_normed"] = _own_means(normed, tokens, rows)
    if FLATTENED in kind.forms:
        found[FLATTENED] = last.flatten(1)
    return {form: found[form] for form in kind.forms if form in found}


def _own_means(states: torch.Tensor, tokens: Tokens, rows: Sequence[int]) -> torch.Tensor:
    """Return the mean of the states of each word's own tokens: (texts, width)."""
    return torch.stack(
        [states[at, list(tokens.own[row])].mean(dim=0) for at, row in enumerate(rows)]
    )
