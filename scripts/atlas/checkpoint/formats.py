"""Which format a weight file is in, by its contents: a suffix proves nothing."""

from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.checkpoint import refused, safetensors, state_dict, torch_files
from atlas.tensors.entries import Contents, without_complex

SUFFIXES = {
    "safetensors": (".safetensors", ".sft"),
    "torch": (".ckpt", ".pt", ".pth", ".bin", ".pkl", ".jit", ".th", ".tar"),
}

FIRST_OPCODES = frozenset(b"(]})cNIJKLMFGSTUVX")
"""Bytes that a pickle of an old protocol may begin with: what needs nothing before it."""


def read_file(file: Path) -> Contents:
    """
    Return what one weight file lists; its first bytes decide the format.

    Raises
    ------
    AtlasError
        Where the file is empty, broken, or of a form that is not read.
    """
    size = file.stat().st_size
    if size == 0:
        raise AtlasError(f"{file}: the file is empty; download or save it again")
    with file.open("rb") as stream:
        head = stream.read(64)
    refused.check_head(file, head)
    form = _format(head, file)
    contents = without_complex(_read(file, form))
    refused.check_contents(file, contents)
    return _with_finding(file, form, contents)


def _format(head: bytes, file: Path) -> str:
    if head.startswith(b"PK\x03\x04"):
        return "torch"
    if safetensors.looks_like(head):
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return "torch"
    if file.suffix in SUFFIXES["safetensors"]:
        return "safetensors"  # its reader says best what is wrong
    if head[0] in FIRST_OPCODES:
        return "torch"
    raise AtlasError(
        f"{file}: neither a safetensors nor a PyTorch file; "
        f"{refused.REMEDIES.get(file.suffix, 'name a file of weights')}"
    )


def _read(file: Path, form: str) -> Contents:
    if form == "safetensors":
        return safetensors.read_header(file)
    with file.open("rb") as stream:
        is_zip = stream.read(4) == b"PK\x03\x04"
    return state_dict.contents_of(
        file, torch_files.read_zip(file) if is_zip else torch_files.read_legacy(file)
    )


def _with_finding(file: Path, form: str, contents: Contents) -> Contents:
    others = [suffix for name, suffixes in SUFFIXES.items() if name != form for suffix in suffixes]
    if file.suffix.lower() not in others:
        return contents
    real = {"safetensors": "a safetensors file", "torch": "a PyTorch pickle"}[form]
    lie = f"{file.name} is {real} in spite of its name"
    return Contents(contents.entries, contents.metadata, (*contents.findings, lie))
