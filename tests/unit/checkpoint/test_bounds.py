"""Small files cost little, whatever they say of themselves: each ends soon, somehow or other."""

import json
import signal
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import narrow
import originals
from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint, own_problem, remarks, watched_files
from atlas.fingerprints import fingerprint

SECONDS = 20
"""That a file of some kilobytes may take, on a machine with more to do."""


@contextmanager
def limited() -> Iterator[None]:
    """Fail where the block takes longer."""

    def stop(*_: object) -> None:
        pytest.fail(f"takes more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def ends(file: Path) -> str | None:
    """Return the message that a file is refused with, None where it is fingerprinted instead."""
    told = None
    try:
        with limited(), own_problem(file):
            assert len(fingerprint.table(open_checkpoint(file)))
    except AtlasError as error:
        told = str(error)
    assert told is None or str(file) in told
    assert "report it" not in (told or ""), "foreseen"
    return told


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def whole(value: int) -> bytes:
    return b"\x8a\x0a" + (value % 2**79).to_bytes(10, "little")


def counts(values: list[int]) -> bytes:
    return b"(" + b"".join(map(whole, values)) + b"t"


def tensor(shape: list[int], strides: list[int], *, kind: str = "Float", offset: int = 0) -> bytes:
    """Return the opcodes of a view of storage 0."""
    storage = b"(" + text("storage") + f"ctorch\n{kind}Storage\n".encode() + text("0")
    storage += text("cpu") + whole(1) + b"tQ"
    arguments = b"(" + storage + whole(offset) + counts(shape) + counts(strides) + b"\x89}t"
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R"


def table(items: dict[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def archive(file: Path, pickled: bytes, storage: bytes = bytes(64)) -> Path:
    """Write a pickle with one storage as PyTorch does."""
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("m/data.pkl", b"\x80\x02" + pickled + b".")
        written.writestr("m/data/0", storage)
    return file


TENSOR = tensor([4], [1])


def averages_within_averages(depth: int) -> bytes:
    """Each level is the weights and the averages of the one around it."""
    inner = table({"a": TENSOR}) + b"q\x00"
    for level in range(1, depth):
        inner = b"}(" + text("model") + inner + text("ema") + b"h" + bytes([level - 1]) + b"u"
        inner += b"q" + bytes([level])
    return inner


def shared_by_many(count: int) -> bytes:
    """Many keys of one large table without a tensor, and a tensor at last."""
    shared = table({f"{number}": b"}" for number in range(count)}) + b"q\x00"
    keys = {f"k{number}": b"h\x00" for number in range(1, count)}
    return table({"k0": shared} | keys | {"last": table({"a": TENSOR})})


BOMBS = {
    "stride of 0": (table({"a": tensor([2**18, 2**18], [0, 0])}), "over and over"),
    "one view many times": (
        table({f"{number}": tensor([2**10] * 2, [0, 0]) for number in range(100)}),
        "over and over",
    ),
    "2**126 elements": (table({"a": tensor([2**62] * 2, [0, 0])}), "over and over"),
    "averages within averages": (averages_within_averages(31), None),
    "a table shared by many": (shared_by_many(20_000), None),
    "numbers that collide": (
        b"N" + b"".join(b"p%d\n" % (number * (2**61 - 1)) for number in range(100_000)),
        "no pickler writes",
    ),
    "a name of a megabyte": (
        text("__torch__") + b"q\x00" + text("x" * 10**6) + b"q\x01" + b"h\x00h\x01\x930" * 400_000,
        "a name of 1000009 characters",
    ),
    "a line of a megabyte": (b"F" + b"x" * 10**6 + b"\n", "broken at byte"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_soon(tmp_path: Path, name: str) -> None:
    pickled, words = BOMBS[name]
    told = ends(archive(tmp_path / "bomb.pt", pickled))
    assert (told is None) == (words is None)
    assert words is None or words in str(told)
    assert told is None or len(told) < 1000


def test_averages_are_those_that_stand_furthest_out(tmp_path: Path) -> None:
    opened = open_checkpoint(archive(tmp_path / "a.pt", averages_within_averages(4)))
    assert {tensor.key for tensor in opened.tensors} == {"a", "model_ema.a"}


def test_weights_that_are_tied_and_repeated_are_read(tmp_path: Path) -> None:
    layers = {f"layers.{number}.weight": tensor([512, 512], [512, 1]) for number in range(24)}
    layers["mask"] = tensor([77, 77], [0, 1])
    file = archive(tmp_path / "tied.pt", table(layers), bytes(4 * 512 * 512))
    assert ends(file) is None


DTYPES = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "U8": 1, "F8_E4M3": 1, "BOOL": 1}
KEYS = st.text(max_size=12) | st.sampled_from(
    ["model.diffusion_model.out.0.weight", "a.lora_A.weight", "emb_params", "string_to_param.*"]
)
SIZES = st.integers(0, 3) | st.integers(2**31, 2**64) | st.just(10**3000)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
ROWS = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(list(DTYPES)) | JUNK,
        "shape": st.lists(SIZES, max_size=4) | JUNK,
        "data_offsets": st.lists(SIZES, min_size=2, max_size=2) | JUNK,
    }
)
MANY = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@MANY
@given(header=st.dictionaries(KEYS | st.just("__metadata__"), ROWS | JUNK, max_size=4))
def test_any_header_ends_in_tensors_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, header: dict[str, object]
) -> None:
    file = tmp_path_factory.mktemp("any") / "any.safetensors"
    written = json.dumps(header).encode()
    file.write_bytes(len(written).to_bytes(8, "little") + written + bytes(12))
    ends(file)


@MANY
@given(
    tensors=st.dictionaries(
        KEYS,
        st.tuples(st.sampled_from(list(DTYPES)), st.lists(st.integers(0, 3), max_size=9)),
        min_size=1,
        max_size=4,
    ),
    data=st.data(),
)
def test_sound_headers_of_odd_names_and_shapes_are_read(
    tmp_path_factory: pytest.TempPathFactory,
    tensors: dict[str, tuple[str, list[int]]],
    data: st.DataObject,
) -> None:
    file = tmp_path_factory.mktemp("odd") / "odd.safetensors"
    rows: dict[str, object] = {}
    end = 0
    for key, (dtype, shape) in tensors.items():
        begin, end = end, end + prod(shape) * DTYPES[dtype]
        rows[key] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    written = json.dumps(rows).encode()
    weights = data.draw(st.binary(min_size=min(end, 64), max_size=min(end, 64)))
    file.write_bytes(len(written).to_bytes(8, "little") + written + weights.ljust(end, b"\xff"))
    ends(file)


SHORT = st.lists(st.integers(0, 5) | st.integers(2**30, 2**66), max_size=5)
LEAVES = st.one_of(
    st.builds(
        tensor,
        st.lists(st.integers(0, 5), max_size=4) | SHORT,
        st.lists(st.integers(0, 5), max_size=4) | SHORT,
        kind=st.sampled_from(["Float", "Half", "Long", "ComplexFloat", "Untyped", "Double"]),
        offset=st.integers(0, 20),
    ),
    st.sampled_from(
        [TENSOR, b"N", b"\x88", b"h\x00", b"2", b"0", b"1", b"]", b"(", b"Q", b"R", b"b"]
    ),
    st.integers(-5, 2**70).map(whole),
    st.text(max_size=6).map(text),
    st.binary(max_size=4),
)
NAMES = st.sampled_from(["model", "state_dict", "ema", "a.weight", "optimizer", "b", "lora_A"])
PICKLES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, max_size=4).map(table),
        st.lists(inner, max_size=4).map(lambda items: b"](" + b"".join(items) + b"e"),
        inner.map(lambda item: item + b"q\x00"),
        inner.map(lambda item: b"c__torch__\nM\n)\x81" + table({"a": item}) + b"b"),
        st.lists(inner, max_size=3).map(b"".join),
    ),
    max_leaves=12,
)


@MANY
@given(pickled=PICKLES, zipped=st.booleans())
def test_any_pickle_ends_in_tensors_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, pickled: bytes, zipped: bool
) -> None:
    file = tmp_path_factory.mktemp("any") / "any.pt"
    if zipped:
        archive(file, pickled)
    else:
        file.write_bytes(b"\x80\x02" + pickled + b".")
    ends(file)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_true_names_with_untrue_shapes_end_in_tensors_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(["sd1", "sd2"]))
    named = originals.as_ldm(narrow.stable_diffusion(kind), kind)
    keys = sorted(named)
    for key in data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=40)):
        shape = data.draw(st.lists(st.integers(0, 4), max_size=5))
        named[key] = np.ones(shape, data.draw(st.sampled_from([np.float16, np.int64])))
    ends(narrow.save(tmp_path_factory.mktemp("untrue") / "untrue.safetensors", named))


PLACES = st.sampled_from(
    ["model-00001-of-00002.safetensors", "../a", "", "\ud800", "a\0", "b" * 999]
)
INDEXES = st.one_of(
    JUNK,
    st.fixed_dictionaries({"weight_map": JUNK | st.dictionaries(KEYS, PLACES | JUNK, max_size=3)}),
    st.dictionaries(KEYS, st.lists(KEYS | JUNK, max_size=3), max_size=3),
)


@MANY
@given(index=INDEXES, name=st.sampled_from(["model.safetensors.index.json", "model_index.json"]))
def test_any_index_ends_in_files_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, index: object, name: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / name).write_text(json.dumps(index))
    for number in (1, 2):
        weights = {f"{number}.weight": np.ones(2, np.float32)}
        narrow.save(folder / f"model-{number:05d}-of-00002.safetensors", weights)
    path = folder / name if name.startswith("model.") else folder
    assert watched_files(path) or ends(path)
    "".join(remarks(path)).encode()
