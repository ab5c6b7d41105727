"""Read checkpoints as people have them: every format and layout, one form of tensors."""

from atlas.checkpoint.files import files_of, remarks, watched_files
from atlas.checkpoint.opening import open_checkpoint
from atlas.checkpoint.problems import UnclearPathError, own_problem
from atlas.tensors.tensors import FLOATING, ITEM_BYTES, Checkpoint, Part, Tensor

__all__ = [
    "FLOATING",
    "ITEM_BYTES",
    "Checkpoint",
    "Part",
    "Tensor",
    "UnclearPathError",
    "files_of",
    "open_checkpoint",
    "own_problem",
    "remarks",
    "watched_files",
]
