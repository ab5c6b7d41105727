"""Made-up families of models as points in weight space: tunes, merges and copies of a base."""

import numpy as np

from atlas.relations.matrices import Matrix

DIMENSIONS = 200
LABEL = "VBP23-1024-ep49-cbp2-mzpikas_tmnd-aweb5m-lracrc2oh-sd-v1-4.safetensors"


def family(size, *, copies=0, apart=0, seed=0, **options):
    """
    Return the L2 matrix of a family whose first model, m-0, is the base.

    A quarter of the models are merges; the last `copies` are copies of earlier ones; `apart`
    models were compared with nothing.
    """
    random = np.random.default_rng(seed)
    points = [np.zeros(DIMENSIONS)]
    for model in range(1, size):
        if model >= size - copies:
            points.append(points[random.integers(model)].copy())
        elif model > 3 and random.random() < 0.25:
            a, b = random.choice(model, 2, replace=False)
            ratio = random.uniform(0.3, 0.7)
            points.append(ratio * points[a] + (1 - ratio) * points[b])
        else:
            parent = points[random.integers(max(0, model - 6), model)]
            points.append(parent + random.normal(size=DIMENSIONS) * random.lognormal(0.3, 0.7))
    stacked = np.array(points)
    values = np.linalg.norm(stacked[:, None] - stacked[None], axis=2)
    identical = values == 0
    for model in random.choice(np.arange(1, size), apart, replace=False):
        values[model], values[:, model] = np.nan, np.nan
        identical[model], identical[:, model] = False, False
        values[model, model], identical[model, model] = 0.0, True
    return matrix_of(values, identical=identical, **options)


def matrix_of(values, *, identical=None, labels=None, **options):
    """Return a matrix of made-up models; identical are those on the diagonal if not given."""
    size = len(values)
    defaults = {"component": "unet", "group": "synthetic"}
    return Matrix(
        ids=tuple(f"m-{number}" for number in range(size)),
        labels=labels or tuple(f"{number:02d}-{LABEL}" for number in range(size)),
        values=np.asarray(values, dtype=np.float64),
        identical=np.eye(size, dtype=bool) if identical is None else identical,
        **defaults | options,
    )
