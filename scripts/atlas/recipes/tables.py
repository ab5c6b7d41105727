"""The table of fitted recipes, as `fit_recipes` writes it and all others read it."""

import pyarrow as pa

WHOLE = "*"
"""The block of rows that stand for a component as a whole."""

WORD = pa.dictionary(pa.int32(), pa.string())

DEVIATING = pa.struct(
    {
        "name": pa.string(),
        "weights": pa.list_(pa.float64()),
        "residual": pa.float64(),
        "floor": pa.float64(),
    }
)
"""
A tensor that does not follow its block's recipe.

`weights` are those that explain it, in the order of the row's parents, and null where none do; its
residual by the block's own weights and its floor are absolute L2.
"""

FITS = pa.schema(
    {
        "target": WORD,
        "component": WORD,
        "block": WORD,
        "verdict": WORD,
        "form": WORD,
        "parents": pa.list_(pa.string()),
        "weights": pa.list_(pa.float64()),
        "errors": pa.list_(pa.float64()),
        "alike": pa.list_(pa.list_(pa.string())),
        "residual": pa.float64(),
        "floor": pa.float64(),
        "nearest": WORD,
        "distance": pa.float64(),
        "tensors": pa.int32(),
        "parameters": pa.int64(),
        "deviating": pa.list_(DEVIATING),
    }
)
"""
One row for each target, component and block, and one of block WHOLE for each component.

target, component, block: in order of the roster, of names, of the network.
verdict: a Verdict. form: a Form, null where there are no weights.
parents: ids, heaviest first and of equal weights by id; of a copy or cast its one source.
weights: of the parents, as fitted; null where the part has parents and no weights (`equal`,
  `undetermined`, and WHOLE where the blocks' weights differ: MBW).
errors: standard errors of the weights, from the floor.
alike: for each parent the other models of the group that hold the same here, or it rounded.
residual: L2 of the target less the sum, over tensors that do not deviate. floor: the L2 that
  rounding the sum to the target's dtype leaves, from the target's own exponents.
nearest, distance: the nearest other model by L2 in this part, and that L2.
tensors, parameters: that were compared with all parents. deviating: see DEVIATING.
"""
