"""Read checkpoints as people have them: every format and layout, one form of tensors."""

from atlas.checkpoint.files import files_of
from atlas.checkpoint.opening import open_checkpoint
from atlas.tensors.tensors import FLOATING, ITEM_BYTES, Checkpoint, Part, Tensor

__all__ = [
    "FLOATING",
    "ITEM_BYTES",
    "Checkpoint",
    "Part",
    "Tensor",
    "files_of",
    "open_checkpoint",
]
