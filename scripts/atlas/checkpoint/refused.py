"""Forms of weights that are known and not read, each with its remedy."""

import re
from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.tensors.entries import Listing

BEFORE = "use the model's file before quantisation"

HEADS = (
    (b"GGUF", f"a GGUF file (quantised weights of llama.cpp); {BEFORE}"),
    (b"ggml", f"a GGML file (quantised weights); {BEFORE}"),
    (b"tjgg", f"a GGML file (quantised weights); {BEFORE}"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the weights; run git lfs pull"),
    (b"\x93NUMPY", "a NumPy array; save the weights as safetensors"),
    (b"\x89HDF\r\n", "an HDF5 file (Keras); save the weights as safetensors"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"\x1f\x8b", "a gzip archive; unpack it"),
)
"""First bytes of files that are something else, and what to do."""

REMEDIES = {
    ".onnx": "an ONNX graph has no names to go by: save the weights as safetensors",
    ".h5": "save the weights as safetensors",
    ".msgpack": "Flax's weights: save them as safetensors",
    ".index": "TensorFlow's weights: save them as safetensors",
    ".tflite": "save the weights as safetensors",
}
"""By suffix, for files that their first bytes do not tell."""

QUANTISED = (
    (
        re.compile(
            r"\.(absmax|quant_map|nested_absmax|quant_state\.bitsandbytes__\w+)$", re.MULTILINE
        ),
        f"4-bit weights of bitsandbytes (nf4 or fp4); {BEFORE}",
    ),
    (
        re.compile(r"\.(SCB|weight_format)$", re.MULTILINE),
        f"8-bit weights of bitsandbytes; {BEFORE}",
    ),
    (
        re.compile(r"(^|\.)(scaled_fp8|scale_weight|weight_scale|weight_scale_2)$", re.MULTILINE),
        f"scaled float8 weights, whose scales stand beside them; {BEFORE}",
    ),
    (
        re.compile(r"(\.comfy_quant|\.weight\._(data|scale))$", re.MULTILINE),
        f"quantised weights (ComfyUI or quanto); {BEFORE}",
    ),
    (
        re.compile(
            r"\.(qweight|qzeros|g_idx|scales_and_zeros|wscales|smooth_factor)$", re.MULTILINE
        ),
        f"quantised weights (GPTQ, AWQ or SVDQuant); {BEFORE}",
    ),
)
"""Keys that only quantised files have."""


def check_head(file: Path, head: bytes) -> None:
    """Raise AtlasError where a file's first bytes are those of another form."""
    for start, what in HEADS:
        if head.lstrip().lower().startswith(start.lower()):
            raise AtlasError(f"{file}: {what}")


def check_keys(file: Path, listing: Listing) -> None:
    """Raise AtlasError where the keys are those of quantised weights."""
    keys = "\n".join(entry.key for entry in listing.entries)
    for pattern, what in QUANTISED:
        if found := pattern.search(keys):
            key = keys[keys.rfind("\n", 0, found.start()) + 1 : found.end()]
            raise AtlasError(f"{file}: {what} (found {key})")
