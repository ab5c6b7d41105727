"""Made-up rows of a tidy table: how far parts of models are apart, without any weights."""

from itertools import combinations

import numpy as np
import pyarrow as pa

from atlas.relations.groups import SCHEMA, TOTAL

TENSORS, PARAMETERS = 4, 100
"""Of each part."""
ROLES = ("self_attention", "feed_forward", "convolution")


def part(a, b, block, role=TOTAL, *, far=None, same=0, covered=PARAMETERS, component="unet"):
    """
    Return a row: so many of four tensors the same, so much covered, and so far apart.

    The whole part is identical where same is 4; nothing was compared where covered is 0.
    """
    compared = round(TENSORS * covered / PARAMETERS)
    return {
        "a": a,
        "b": b,
        "component": component,
        "block": block,
        "role": role,
        "tensors": TENSORS,
        "parameters": PARAMETERS,
        "compared_tensors": compared,
        "compared_parameters": covered,
        "identical_tensors": min(same, compared),
        "relative_l2": 0.0 if same and far is None else far,
    }


def tidy(rows):
    """Return the rows as a tidy table; what they do not tell is null."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


def moved_group(models, blocks, *, seed=0, copies=0, apart=0, component="unet"):
    """
    Return the tidy table of models whose blocks moved at random.

    The last `copies` are the first model's, the `apart` before them were compared with nothing.
    """
    random = np.random.default_rng(seed)
    rows = []
    for a, b in combinations(models, 2):
        first = a == models[0]
        place = models.index(b)
        known = len(models) - copies - apart > place
        look = {"same": TENSORS} if place >= len(models) - copies else {"covered": 0}
        for block, role in [
            *((each, TOTAL) for each in blocks),
            *((TOTAL, each) for each in ROLES),
        ]:
            far = {"far": float(random.lognormal(-4, 1))}
            rows.append(
                part(
                    a, b, block, role, component=component, **(look if first and not known else far)
                )
            )
    return tidy(rows)
