"""PyTorch's files are read as data: their tensors are places in the file, nothing is run."""

import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import narrow
import originals
from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint

torch = pytest.importorskip("torch")

BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
FORMATS = (True, False)
"""Zip archives of PyTorch 1.6 and later, and the pickles from before."""


def state_dict() -> OrderedDict:
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(6, 4, generator=generator)
    tied = torch.randn(3, generator=generator)
    return OrderedDict(
        whole=base.clone(),
        transposed=torch.randn(5, 2, generator=generator).T,
        rows=base[2:5],
        every_second=base[:, ::2],
        expanded=torch.ones(1, 3).expand(4, 3),
        scalar=torch.tensor(2.5, dtype=torch.float64),
        empty=torch.zeros(0, 3),
        half=base.half(),
        brain=base.bfloat16(),
        eight=base.to(torch.float8_e4m3fn),
        eight_wide=base.to(torch.float8_e5m2),
        index=torch.arange(7),
        mask=torch.tensor([True, False]),
        parameter=torch.nn.Parameter(tied),
        tied=tied,
    )


def write(file: Path, value: object, zipped: bool) -> Path:
    torch.save(value, file, _use_new_zipfile_serialization=zipped)
    return file


def keyed(opened) -> dict[str, np.ndarray]:
    values = narrow.all_values(opened)
    return {tensor.key: values[tensor.name] for tensor in opened.tensors}


@pytest.mark.parametrize("zipped", FORMATS)
def test_every_view_and_dtype_reads_as_pytorch_reads_it(tmp_path: Path, zipped: bool) -> None:
    weights = state_dict()
    if not zipped:  # float8 is younger than the old format, in which PyTorch cannot read it back
        weights = {key: value for key, value in weights.items() if not key.startswith("eight")}
    file = write(tmp_path / "m.pt", weights, zipped)
    read, loaded = keyed(open_checkpoint(file)), torch.load(file, weights_only=True)
    assert read.keys() == loaded.keys()
    for key, value in loaded.items():
        bits = value.detach().contiguous().view(BITS[value.element_size()]).numpy()
        assert read[key].shape == value.shape
        assert read[key].tobytes() == bits.tobytes(), key


@pytest.mark.parametrize("zipped", FORMATS)
@pytest.mark.parametrize("holder", ["state_dict", "model", "model_state_dict", "params_ema", "x"])
def test_holders_of_trainers_are_unwrapped(tmp_path: Path, holder: str, zipped: bool) -> None:
    weights = {"a.weight": torch.ones(2, 2)}
    momentum = {"state": {0: {"exp_avg": torch.ones(2, 2)}}, "param_groups": [{"lr": 0.1}]}
    saved = {"epoch": 3, holder: weights, "optimizer": momentum, "lr_schedulers": [momentum]}
    opened = open_checkpoint(write(tmp_path / "m.ckpt", saved, zipped))
    assert [tensor.key for tensor in opened.tensors] == ["a.weight"]


def test_averages_beside_raw_weights_become_the_ema(tmp_path: Path) -> None:
    unet = originals.unet_as_ldm(narrow.stable_diffusion("sd1")["unet"])
    raw = {f"model.diffusion_model.{key}": torch.from_numpy(v) for key, v in unet.items()}
    saved = {"model": raw, "model_ema": {key: value + 1 for key, value in raw.items()}}
    opened = open_checkpoint(write(tmp_path / "m.ckpt", saved, True))
    counts = {"unet": 686, "ema": 686}
    for component, count in counts.items():
        assert sum(tensor.component == component for tensor in opened.tensors) == count


def test_counters_beside_the_weights_do_not_hide_their_holder(tmp_path: Path) -> None:
    saved = {"step": torch.tensor(3), "state_dict": {"a.weight": torch.ones(2)}}
    opened = open_checkpoint(write(tmp_path / "m.pt", saved, True))
    assert [tensor.key for tensor in opened.tensors] == ["a.weight"]


def test_several_networks_in_one_file_keep_their_places(tmp_path: Path) -> None:
    saved = {"encoder": {"a.weight": torch.ones(2)}, "decoder": {"a.weight": torch.ones(3)}}
    opened = open_checkpoint(write(tmp_path / "m.pt", saved, True))
    assert [tensor.key for tensor in opened.tensors] == ["decoder.a.weight", "encoder.a.weight"]


def test_a_textual_inversion_is_told_from_a_model(tmp_path: Path) -> None:
    saved = {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.ones(2, 8)}, "step": 9}
    assert open_checkpoint(write(tmp_path / "style.pt", saved, True)).kind == "embedding"


@pytest.mark.parametrize("zipped", FORMATS)
def test_a_textual_inversion_in_a_dict_of_parameters_is_read(tmp_path: Path, zipped: bool) -> None:
    """As its first scripts saved it: the module is named in the pickle, and not imported."""
    vector = torch.arange(16.0).reshape(2, 8)
    saved = {
        "string_to_token": {"*": torch.tensor(265)},
        "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(vector)}),
    }
    opened = open_checkpoint(write(tmp_path / "style.pt", saved, zipped))
    assert opened.kind == "embedding"
    values = {tensor.key: narrow.values(tensor) for tensor in opened.tensors}
    np.testing.assert_array_equal(values["string_to_param.*"].view(np.float32), vector.numpy())


def test_a_list_of_parameters_is_read(tmp_path: Path) -> None:
    saved = {"prompts": torch.nn.ParameterList([torch.ones(2), torch.ones(3)])}
    opened = open_checkpoint(write(tmp_path / "m.pt", saved, True))
    assert {tensor.key: tensor.shape for tensor in opened.tensors} == {"0": (2,), "1": (3,)}


def test_builtins_are_known_by_the_name_that_pytorch_writes(tmp_path: Path) -> None:
    """As in settings that trainers save: protocol 2 calls the module as Python 2 did."""
    settings = defaultdict(list, layers=[1])
    file = write(tmp_path / "m.ckpt", {"hparams": settings, "model": {"a": torch.ones(2)}}, True)
    with zipfile.ZipFile(file) as archive:
        assert b"__builtin__" in archive.read("m/data.pkl")
    assert [tensor.key for tensor in open_checkpoint(file).tensors] == ["a"]


def test_what_lightning_leaves_behind_is_passed_over(tmp_path: Path) -> None:
    """As in Stable Diffusion 1's own file, whose callbacks have a class for a key."""
    file = write(tmp_path / "m.ckpt", {"state_dict": {"a": torch.ones(3)}, "callbacks": {}}, True)
    name = b"cpytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint\n"
    with zipfile.ZipFile(file) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    empty = b"callbacksq\x10}q\x11"
    assert empty in parts["m/data.pkl"]
    parts["m/data.pkl"] = parts["m/data.pkl"].replace(empty, empty + name + b"}s")
    with zipfile.ZipFile(file, "w") as archive:
        for entry, data in parts.items():
            archive.writestr(entry, data)
    assert [tensor.key for tensor in open_checkpoint(file).tensors] == ["a"]


def test_torchscript_is_read_for_its_tensors(tmp_path: Path) -> None:
    class Inner(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 2), torch.nn.Linear(2, 1)])

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    network = Inner()
    torch.jit.save(torch.jit.script(network), str(tmp_path / "m.jit"))
    read = keyed(open_checkpoint(tmp_path / "m.jit"))
    assert read.keys() == network.state_dict().keys()
    for key, value in network.state_dict().items():
        np.testing.assert_array_equal(read[key].view(np.float32), value.numpy())


class Call:
    """Asks the unpickler for a call."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple:
        return self.function, self.arguments


def nested_tuples(depth: int) -> bytes:
    return b"\x80\x02" + b"N" + b"\x85" * depth + b"."


def doubled_tuples(depth: int) -> bytes:
    """A tuple of itself twice over: hashing or printing it would take 2**depth steps."""
    return b"\x80\x02}N" + b"2\x86" * depth + b"Ns."


HOSTILE = {
    "os.system": pickle.dumps({"w": Call(os.system, "touch ran")}),
    "os.system, protocol 0": b"cos\nsystem\n(S'touch ran'\ntR.",
    "getattr chain": pickle.dumps(
        Call(getattr, Call(getattr, Call(__import__, "os"), "environ"), "clear")
    ),
    "eval": pickle.dumps(Call(eval, "open('ran', 'w')")),
    "instance": b"(S'touch ran'\nios\nsystem\n.",
    "object": b"(cos\nsystem\nS'touch ran'\no.",
    "setstate": b"\x80\x02c__main__\nX\n)\x81}X\x01\x00\x00\x00aK\x01sb.",
    "extension": b"\x80\x02\x82\x01.",
    "numpy array": pickle.dumps({"w": np.ones(2)}),
    "memo bomb": b"\x80\x02Nr\xff\xff\xff\xff.",
    "long text": b"\x80\x02X\xff\xff\xff\xff.",
    "nested lists": b"]" * 1_000_000 + b"a" * 999_999 + b".",
    "nested tuples": nested_tuples(1_000_000),
    "nested marks": b"(" * 1_000_000 + b".",
    "doubled tuples": doubled_tuples(200),
    "billion laughs": b"]" + b"2(2222222222le" * 200 + b".",
    "dict of itself": b"}q\x00X\x05\x00\x00\x00modelh\x00s.",
    "averages of itself": b"}q\x00(X\x05\x00\x00\x00modelh\x00X\x03\x00\x00\x00emah\x00u.",
    "endless": b"N0" * 1_500_000,
    "huge number": b"\x80\x02\x8b\x00\x00\x00\x02" + b"\x7f" * 2**25 + b".",
    "copied list": b"]q\x00(" + b"N" * 100_000 + b"eccollections\nOrderedDict\nq\x01"
    + b"h\x01h\x00\x85R0" * 100_000 + b".",
    "colliding keys": b"}("
    + b"".join(b"\x8a\x0a" + (k * (2**61 - 1)).to_bytes(10, "little") + b"N" for k in range(9**5))
    + b"u.",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused_without_running(tmp_path: Path, name: str) -> None:
    """In a process of its own, with little memory and time."""
    bare, zipped = tmp_path / "bare.ckpt", tmp_path / "zipped.ckpt"
    bare.write_bytes(HOSTILE[name])
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("x/data.pkl", HOSTILE[name])
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "from pathlib import Path\n"
        "from atlas.checkpoint import open_checkpoint\n"
        "from atlas.basis.errors import AtlasError\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        open_checkpoint(Path(name))\n"
        "    except AtlasError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(bare), str(zipped)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "scripts")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line.startswith(str(tmp_path)) for line in done.stdout.splitlines()] == [True, True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare.ckpt", "zipped.ckpt"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("os.system", "posix.system"),
        ("getattr chain", "getattr"),
        ("eval", "eval"),
        ("numpy array", "_reconstruct"),
        ("instance", "INST"),
    ],
)
def test_refusals_name_what_was_asked_for(tmp_path: Path, name: str, asked: str) -> None:
    file = tmp_path / "hostile.pt"
    file.write_bytes(HOSTILE[name])
    with pytest.raises(AtlasError, match=asked) as error:
        open_checkpoint(file)
    assert "safetensors" in str(error.value)


def test_a_pickled_module_is_refused_by_the_name_of_its_class(tmp_path: Path) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 2)), tmp_path / "m.pt")
    with pytest.raises(AtlasError, match=r"torch\.nn\.modules\.container\.Sequential"):
        open_checkpoint(tmp_path / "m.pt")


@pytest.mark.parametrize("zipped", FORMATS)
def test_tensors_beyond_their_storage_are_refused(tmp_path: Path, zipped: bool) -> None:
    file = write(tmp_path / "m.pt", {"a": torch.ones(3, 7)}, zipped)
    raw = file.read_bytes()
    shape, larger = b"K\x03K\x07\x86", b"K\x03K\x09\x86"
    assert raw.count(shape) == 1
    file.write_bytes(raw.replace(shape, larger))
    with pytest.raises(AtlasError, match="beyond its storage"):
        open_checkpoint(file)


@pytest.mark.parametrize("zipped", FORMATS)
def test_cut_files_are_refused(tmp_path: Path, zipped: bool) -> None:
    raw = write(tmp_path / "m.pt", state_dict(), zipped).read_bytes()
    for length in range(1, len(raw) - 1, 37):
        (tmp_path / "cut.pt").write_bytes(raw[:length])
        with pytest.raises(AtlasError):
            open_checkpoint(tmp_path / "cut.pt")


def test_an_archive_whose_directory_points_elsewhere_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "m.pt", {"a": torch.ones(3)}, True)
    raw = bytearray(file.read_bytes())
    entry = raw.index(b"m/data/0", raw.index(b"PK\x01\x02"))
    raw[entry - 4] ^= 4  # the lowest byte of its offset
    file.write_bytes(raw)
    with pytest.raises(AtlasError, match="m/data/0 is not where its directory says"):
        open_checkpoint(file)


def test_compressed_archives_and_other_zips_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", b"}" * 1000 + b".")
    with pytest.raises(AtlasError, match="compressed"):
        open_checkpoint(tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "b.pt", "w") as archive:
        archive.writestr("readme.txt", b"hello")
    with pytest.raises(AtlasError, match=r"no data\.pkl"):
        open_checkpoint(tmp_path / "b.pt")


def test_complex_tables_are_left_out_and_said(tmp_path: Path) -> None:
    saved = {"a": torch.ones(2), "freqs": torch.ones(3, dtype=torch.complex64)}
    opened = open_checkpoint(write(tmp_path / "m.pt", saved, True))
    assert [tensor.key for tensor in opened.tensors] == ["a"]
    assert "freqs" in opened.findings[0]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_files_never_end_in_anything_but_a_message(tmp_path_factory, data) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    zipped = data.draw(st.booleans())
    raw = bytearray(write(folder / "m.pt", state_dict(), zipped).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (folder / "m.pt").write_bytes(bytes(raw))
    try:
        opened = open_checkpoint(folder / "m.pt")
    except AtlasError:
        return
    narrow.all_values(opened)


def test_a_network_with_its_own_source_code_is_refused_with_what_to_give_instead(tmp_path: Path):
    file = tmp_path / "edm-imagenet-64x64-cond-adm.pkl"
    asks = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n"
    file.write_bytes(b"\x80\x02}X\x03\x00\x00\x00ema" + asks + b"(dtRs.")
    with pytest.raises(AtlasError, match=r"nothing of it was run.*save its state_dict\(\) alone"):
        open_checkpoint(file)
