"""The names that a pickle of weights may ask for, and what they stand for here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from atlas.tensors.entries import are_counts, is_count

Value = Any


@dataclass(frozen=True)
class Global:
    """A name that a pickle asks for: a text, never the thing itself."""

    name: str


@dataclass(frozen=True)
class Storage:
    """A run of elements in the file."""

    key: str
    dtype: str | None
    """One of the atlas's names; None for untyped bytes."""
    count: int
    """Elements, or bytes where untyped."""
    offset: int = 0
    """Elements to skip: a view of a larger storage (files from before PyTorch 0.4)."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as a view of a storage; offset and strides count elements."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass
class Module:
    """A module of a TorchScript archive."""

    name: str
    state: dict[Any, Value] = field(default_factory=dict)


OPAQUE = object()
"""Stands for every value that is no weight and that nobody looks at."""

STORAGES = {
    "DoubleStorage": "f64",
    "FloatStorage": "f32",
    "HalfStorage": "f16",
    "BFloat16Storage": "bf16",
    "LongStorage": "i64",
    "IntStorage": "i32",
    "ShortStorage": "i16",
    "CharStorage": "i8",
    "ByteStorage": "u8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "c64",
    "ComplexDoubleStorage": "c128",
    "UntypedStorage": None,
}
DTYPES = {
    "float64": "f64",
    "float32": "f32",
    "float16": "f16",
    "bfloat16": "bf16",
    "float8_e4m3fn": "f8_e4m3fn",
    "float8_e5m2": "f8_e5m2",
    "int64": "i64",
    "int32": "i32",
    "int16": "i16",
    "int8": "i8",
    "uint64": "u64",
    "uint32": "u32",
    "uint16": "u16",
    "uint8": "u8",
    "bool": "bool",
    "complex64": "c64",
    "complex128": "c128",
}

IGNORED = frozenset(
    {
        # what trainers leave in checkpoints; each stands for OPAQUE, none is imported
        "_codecs.encode",
        "argparse.Namespace",
        "builtins.bytearray",
        "builtins.complex",
        "builtins.set",
        "builtins.slice",
        "collections.Counter",
        "collections.defaultdict",
        "builtins.dict",
        "builtins.int",
        "builtins.long",
        "builtins.float",
        "builtins.list",
        "datetime.datetime",
        "datetime.timedelta",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "numpy.dtype",
        "omegaconf.base.ContainerMetadata",
        "omegaconf.base.Metadata",
        "omegaconf.dictconfig.DictConfig",
        "omegaconf.listconfig.ListConfig",
        "omegaconf.nodes.AnyNode",
        "pathlib.PosixPath",
        "pathlib.WindowsPath",
        "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
        "pytorch_lightning.utilities.enums.DistributedType",
        "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint",
        "torch.device",
        "torch.Size",
        "torch.serialization._get_layout",
        "typing.Any",
    }
)
TRUSTED = "If you trust its source, load it there and save the weights as safetensors"
CODE = {
    "torch_utils.persistence.": (
        "It is a network with its own source code, as EDM and StyleGAN publish theirs. If you "
        "trust it, load it there (pickle.load(file)['ema']) and save its state_dict() alone"
    ),
}
"""Start of what a pickle asks for, and the remedy, where it is known to run code of its own."""

LISTS = "torch.jit._pickle."
"""TorchScript's makers of typed lists; the list is their first argument."""

SCRIPT_MODULES = "__torch__."

PARAMETERS = frozenset(
    {
        "torch.nn.modules.container.ParameterDict",
        "torch.nn.modules.container.ParameterList",
    }
)
"""Modules that hold tensors and nothing else: textual inversions were saved in one."""

PYTHON_2 = "__builtin__."
"""What `builtins` was called when PyTorch chose its pickles' protocol, which still says so."""


def named(name: str) -> Global | None:
    """Return a name as a Global if a pickle of weights may ask for it."""
    if name.startswith(PYTHON_2):
        name = f"builtins.{name.removeprefix(PYTHON_2)}"
    module, _, last = name.rpartition(".")
    is_dtype = module == "torch" and (last in DTYPES or last in STORAGES)
    known = name in CALLS or name in IGNORED or name in PARAMETERS
    known = known or name == "torch.storage.UntypedStorage"
    return Global(name) if known or is_dtype or name.startswith((LISTS, SCRIPT_MODULES)) else None


def call(function: Global, arguments: tuple[Value, ...]) -> Value:
    """
    Return what a call of a name stands for.

    Raises
    ------
    ValueError, TypeError, IndexError
        Where the arguments are not those of the function.
    """
    if function.name in CALLS:
        return CALLS[function.name](arguments)
    if function.name.startswith(LISTS):
        return arguments[0] if arguments else OPAQUE
    if function.name in PARAMETERS or function.name.startswith(SCRIPT_MODULES):
        return Module(function.name)
    return OPAQUE


def storage_of(persistent: Value) -> Storage:
    """
    Return the storage of a persistent id: ("storage", type, key, location, count[, view]).

    Raises
    ------
    ValueError
        Where the id is anything else.
    """
    if not isinstance(persistent, tuple) or len(persistent) < 5 or persistent[0] != "storage":
        raise ValueError("not a storage")
    kind, key, count = persistent[1], persistent[2], persistent[4]
    last = kind.name.rpartition(".")[2] if isinstance(kind, Global) else ""
    if last not in STORAGES or not isinstance(key, str) or not is_count(count):
        raise ValueError("not a storage")
    view = persistent[5] if len(persistent) > 5 else None
    offset = view[1] if isinstance(view, tuple) and len(view) == 3 else 0
    if not is_count(offset):
        raise ValueError("not a storage")
    return Storage(key, STORAGES[last], count, offset)


def _tensor(arguments: tuple[Value, ...], dtype: Value = None) -> StoredTensor:
    storage, offset, shape, strides = arguments[:4]
    if not isinstance(storage, Storage) or not is_count(offset):
        raise ValueError("not a tensor")
    if not are_counts(shape) or not are_counts(strides) or len(shape) != len(strides):
        raise ValueError("shape or strides are no counts")
    name = dtype.name.rpartition(".")[2] if isinstance(dtype, Global) else ""
    kind = DTYPES[name] if name else storage.dtype
    if kind is None:
        raise ValueError("a tensor without a dtype")
    return StoredTensor(storage, kind, offset, tuple(shape), tuple(strides))


def _tensor_with_dtype(arguments: tuple[Value, ...]) -> StoredTensor:
    return _tensor(arguments, arguments[6])


def _of_type(arguments: tuple[Value, ...]) -> Value:
    """Stand for torch._tensor._rebuild_from_type_v2(function, type, arguments, state)."""
    function, inner = arguments[0], arguments[2]
    if not isinstance(function, Global) or function.name not in TENSORS:
        raise ValueError("not a tensor")
    return TENSORS[function.name](inner)


def _first(arguments: tuple[Value, ...]) -> Value:
    return arguments[0]


def _table(arguments: tuple[Value, ...]) -> dict[Any, Value]:
    """Stand for OrderedDict(), or OrderedDict([(key, value), ...]) of Python 2."""
    pairs = arguments[0] if arguments else []
    return {
        pair[0]: pair[1]
        for pair in (pairs if isinstance(pairs, list) else [])
        if isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)
    }


TENSORS: dict[str, Callable[[tuple[Value, ...]], Value]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_with_dtype,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
}
CALLS: dict[str, Callable[[tuple[Value, ...]], Value]] = {
    **TENSORS,
    "torch._tensor._rebuild_from_type_v2": _of_type,
    "torch.nn.parameter.Parameter": lambda arguments: arguments[0] if arguments else OPAQUE,
    "torch.nn.parameter.UninitializedParameter": lambda _: OPAQUE,
    "collections.OrderedDict": _table,
}
