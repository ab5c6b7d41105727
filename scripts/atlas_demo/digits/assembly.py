"""Put the trained components together as Stable Diffusion 1's full training checkpoint."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from atlas_demo.digits import ldm_keys, schedules, single_file

Weights = dict[str, np.ndarray]


def full(
    components: Mapping[str, Weights],
    average: Weights,
    *,
    digits: Mapping[str, Any],
    keys: Mapping[str, Any],
) -> Weights:
    """
    Return all tensors of the full checkpoint: 1831, as Stable Diffusion 1 has.

    686 of the UNet and as many of its moving average, 248 of the autoencoder, 197 of the text
    encoder (its position_ids included), 12 of the schedule, and the average's decay and count.

    Parameters
    ----------
    components
        `unet`, `vae` and `text_encoder` under diffusers' names.
    average
        The UNet's moving average under the same names as the UNet.
    digits, keys
        config/demo/digits.yaml and sd1_keys.yaml.
    """
    single = schedules.buffers(digits["scheduler"])
    single |= ldm_keys.to_ldm(components, keys)
    context = digits["captions"]["context"]
    text = keys["prefixes"]["text_encoder"]
    single[f"{text}embeddings.position_ids"] = np.arange(context, dtype=np.int64)[None]
    averaged = ldm_keys.to_ldm({"unet": average}, keys)
    single |= {single_file.average_key(key): array for key, array in averaged.items()}
    plan = digits["training"]["unet"]
    single["model_ema.decay"] = np.array(plan["ema_decay"], dtype=np.float32)
    single["model_ema.num_updates"] = np.array(plan["steps"], dtype=np.int32)
    return single
