"""Forms of weights that are known and not read, each with its remedy."""

from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.names.quantised import REMEDY

HEADS = (
    (b"GGUF", f"a GGUF file (quantised weights of llama.cpp); {REMEDY}"),
    (b"ggml", f"a GGML file (quantised weights); {REMEDY}"),
    (b"tjgg", f"a GGML file (quantised weights); {REMEDY}"),
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


def check_head(file: Path, head: bytes) -> None:
    """Raise AtlasError where a file's first bytes are those of another form."""
    for start, what in HEADS:
        if head.lstrip().lower().startswith(start.lower()):
            raise AtlasError(f"{file}: {what}")
