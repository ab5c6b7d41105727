"""The formats of weight files, told apart by their contents: a suffix proves nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.checkpoint import refused, safetensors, state_dict, texts, torch_files
from atlas.tensors.entries import Listing, without_complex

HEAD_BYTES = 64


@dataclass(frozen=True)
class Format:
    """A format that is read: how its files begin, and what lists their tensors."""

    what: str
    """In findings, with its article."""
    suffixes: tuple[str, ...]
    """That its files have."""
    is_sure: Callable[[bytes], bool]
    """Tells by a file's first HEAD_BYTES that it can be nothing else."""
    read: Callable[[Path], Listing]
    may_be: Callable[[bytes, str], bool] = lambda head, suffix: False
    """Tells by first bytes and suffix whether to try it where no format is sure."""


ZIPPED = Format(
    what="a PyTorch pickle",
    suffixes=(".ckpt", ".pt", ".pth", ".bin", ".pkl", ".jit", ".th", ".tar"),
    is_sure=torch_files.is_zip,
    read=lambda file: state_dict.listing_of(file, torch_files.read_zip(file)),
)
SAFETENSORS: Format = Format(
    what="a safetensors file",
    suffixes=(".safetensors", ".sft"),
    is_sure=safetensors.looks_like,
    read=safetensors.read_header,
    # its reader says best what is wrong
    may_be=lambda head, suffix: suffix in SAFETENSORS.suffixes,
)
PICKLED = replace(
    ZIPPED,
    is_sure=torch_files.is_pickle,
    read=lambda file: state_dict.listing_of(file, torch_files.read_legacy(file)),
    may_be=lambda head, suffix: torch_files.may_be_old_pickle(head),
)
FORMATS = (ZIPPED, SAFETENSORS, PICKLED)
"""In the order in which they are tried. To add one, write its reader and list it here."""


def read_file(file: Path) -> Listing:
    """
    Return what one weight file lists; its first bytes decide the format.

    Raises
    ------
    AtlasError
        Where the file is empty, broken, or of a form that is not read.
    """
    if file.stat().st_size == 0:
        raise AtlasError(f"{file}: the file is empty; download or save it again")
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    refused.check_head(file, head)
    if text := texts.told(file):
        raise AtlasError(f"{file}: {text}")
    form = _format(head, file)
    return _with_finding(file, form, without_complex(form.read(file)))


def _format(head: bytes, file: Path) -> Format:
    suffix = file.suffix.lower()
    sure = [form for form in FORMATS if form.is_sure(head)]
    for form in sure or [form for form in FORMATS if form.may_be(head, suffix)]:
        return form
    raise AtlasError(
        f"{file}: neither a safetensors nor a PyTorch file; "
        f"{refused.REMEDIES.get(suffix, 'name a file of weights')}"
    )


def _with_finding(file: Path, form: Format, listing: Listing) -> Listing:
    """Say where the suffix is another format's."""
    suffix = file.suffix.lower()
    known = {suffix for each in FORMATS for suffix in each.suffixes}
    if suffix in form.suffixes or suffix not in known:
        return listing
    lie = f"{file.name} is {form.what} in spite of its name"
    return replace(listing, findings=(*listing.findings, lie))
