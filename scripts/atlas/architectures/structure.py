"""
What a denoiser is built of, in order of execution: its units, what is outside them, and parts.

The sums of the units and of what is outside are the whole's parameters and MACs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Any

from torch import nn

from atlas.architectures import build, inputs, units
from atlas.architectures.architecture import Architecture
from atlas.architectures.counting import Count, Kind, count
from atlas.architectures.nested import tensors_in
from atlas.architectures.portraits import OUTSIDE, OWN, PRODUCTS, Piece, RolePiece, Shape, Structure
from atlas.architectures.streams import Streams, sources
from atlas.architectures.tracing import Trace
from atlas.architectures.units import Unit
from atlas.basis.errors import AtlasError
from atlas.names.roles import roles_of


def structure(
    architecture: Architecture, module: nn.Module, *, width: int, height: int, batch: int = 1
) -> Structure:
    """
    Run a denoiser once on the meta device and describe what it is built of.

    Raises
    ------
    AtlasError
        if the units and what is outside them do not add up to the whole.
    """
    arguments = inputs.denoiser(architecture, width=width, height=height, batch=batch)
    parts = units.of(module)
    outputs = Outputs(architecture.image_tokens(width, height))
    outside = {path: _weighing_children(module, path) for path in units.outside(module, parts)}
    trace = Trace(
        module,
        {own: unit.mark for unit in parts for path in unit.paths for own in _run(module, path)}
        | {part: part for path, children in outside.items() for part in children or [path]},
        around=[path for path, children in outside.items() if children],
    )
    with outputs.of(module), trace.of(arguments):
        counted = count(module, arguments)
    parts = _as_executed(parts, trace)
    given = sources(architecture, arguments)
    streams = Streams(
        trace,
        [unit.mark for unit in parts],
        given,
        {path: outside.get(path) or [path] for path in _outside(module, parts, counted)},
        undivided=[*_multiplying(counted), *_owning(module)],
    )
    surveyor = _Surveyor(module, counted, outputs.shapes, trace)
    found = Structure(
        class_name=type(module).__name__,
        units=tuple(surveyor.unit(unit) for unit in parts),
        outside=tuple(
            replace(surveyor.module(path), stream=streams.of_piece(path))
            for path in sorted(streams.pieces, key=lambda path: trace.place(path))
        ),
        roles=tuple(_roles(module, parts, counted)),
        parameters=build.parameters(module),
        buffers=build.buffers(module),
        macs=counted.total,
        samples=tuple(surveyor.unit(unit, levels=2) for unit in _representatives(module, parts)),
        sources=tuple(given),
        flows=tuple(streams.flows()),
    )
    check_sums(architecture.name, found)
    return found


def _as_executed(parts: list[Unit], trace: Trace) -> list[Unit]:
    """Return units and the modules in each in the order in which they ran."""
    sorted_within = [
        Unit(unit.mark, tuple(sorted(unit.paths, key=lambda path: trace.place(path))))
        for unit in parts
    ]
    return sorted(sorted_within, key=lambda unit: trace.place(*unit.paths))


def _run(root: nn.Module, path: str) -> list[str]:
    """Return the paths of what is called of a module: of a list of modules its members."""
    module = root.get_submodule(path)
    if not isinstance(module, nn.ModuleList | nn.ModuleDict):
        return [path]
    return [own for name, _ in module.named_children() for own in _run(root, f"{path}.{name}")]


def _weighing_children(root: nn.Module, path: str) -> list[str]:
    """Return the paths of a module's own modules that have parameters; none of a parameter's."""
    if path not in dict(root.named_modules()):
        return []
    return [
        f"{path}.{name}"
        for name, child in root.get_submodule(path).named_children()
        if next(child.parameters(), None) is not None
    ]


def _multiplying(counted: Count) -> set[str]:
    """Return the modules that multiply in none of their own modules."""
    return {path for path, _ in counted.macs}


def _owning(root: nn.Module) -> set[str]:
    """Return the modules that own parameters in none of their own modules."""
    return {path.rpartition(".")[0] for path, _ in root.named_parameters()}


def check_sums(name: str, found: Structure) -> None:
    """
    Raise AtlasError unless all parts add up to their wholes.

    Units and what is outside, and roles, to the denoiser; the modules of an expanded block, with
    its own products and parameters, to it.
    """
    pieces = (*found.units, *found.outside)
    for what, parts in (("units", pieces), ("roles", found.roles)):
        for measure in ("parameters", "macs"):
            total = sum(getattr(part, measure) for part in parts)
            if total != getattr(found, measure):
                raise AtlasError(
                    f"{name}: the {measure} of its {what} add up to {total:,}, but the whole has "
                    f"{getattr(found, measure):,}; correct scripts/atlas/architectures/units.py"
                )
    for sample in found.samples:
        _check_parts(name, sample)


def _check_parts(name: str, piece: Piece) -> None:
    """Raise AtlasError unless the parts of an expanded piece add up to it, on every level."""
    for measure in ("parameters", "macs"):
        total = sum(getattr(part, measure) for part in piece.parts)
        if piece.parts and total != getattr(piece, measure):
            raise AtlasError(
                f"{name}: the {measure} of the parts of {piece.mark} add up to {total:,}, but it "
                f"has {getattr(piece, measure):,}; correct scripts/atlas/architectures/structure.py"
            )
    for part in piece.parts:
        _check_parts(name, part)


OF_KIND: dict[Kind, str] = {
    "attention": "of attention",
    "convolution": "of convolutions",
    "linear": "with parameters",
    "other matmul": "of activations",
}
"""Kind of MACs that a module makes in none of its own modules to what its part is called."""


class _Surveyor:
    """Weighs modules of a denoiser that has been run and counted."""

    def __init__(
        self, root: nn.Module, counted: Count, shapes: Mapping[str, Shape], trace: Trace
    ) -> None:
        self._root = root
        self._trace = trace
        self._modules = dict(root.named_modules())
        self._counted = counted
        self._shapes = shapes
        self._order = {place: number for number, place in enumerate(counted.macs)}
        # Tied parameters count where they appear first, as they do in sums.
        self._parameters = {path: value.numel() for path, value in root.named_parameters()}
        self._buffers = {path: value.numel() for path, value in root.named_buffers()}

    def unit(self, unit: Unit, levels: int = 0) -> Piece:
        """Describe a unit; with levels, its modules too."""
        modules = [self.module(path, levels) for path in unit.paths]
        # Kandinsky 3 has modules that do nothing where others have attention.
        working = [part for part in modules if part.classes != ("Identity",)]
        return Piece(
            mark=unit.mark,
            paths=unit.paths,
            classes=tuple(name for part in working for name in part.classes),
            parameters=sum(part.parameters for part in modules),
            buffers=sum(part.buffers for part in modules),
            macs=sum(part.macs for part in modules),
            shape=next((part.shape for part in reversed(working) if part.shape), None),
            parts=modules[0].parts if len(modules) == 1 else tuple(modules),
        )

    def module(self, path: str, levels: int = 0) -> Piece:
        """Describe a module, or a parameter that lies in no module but the root."""
        found = self._modules[path] if path in self._modules else self._root.get_parameter(path)
        return Piece(
            mark=path,
            paths=(path,),
            classes=(type(found).__name__,),
            parameters=_within(self._parameters, path),
            buffers=_within(self._buffers, path),
            macs=self._macs(path),
            shape=self._shape(found, path),
            parts=self._parts(found, path, levels) if isinstance(found, nn.Module) else (),
        )

    def _parts(self, found: nn.Module, path: str, levels: int) -> tuple[Piece, ...]:
        """Return a module's modules as they ran, its own products and its own parameters."""
        children = [f"{path}.{name}" for name, _ in found.named_children()]
        if not levels or not children:
            return ()
        parts = [
            self.module(child, levels - 1)
            for child in sorted(children, key=lambda child: self._trace.place(child))
        ]
        # Products come behind the last module that multiplied before them, norms included.
        for kind, macs in self._own_products(path):
            behind = sum(self._multiplied(part.mark) < self._place(path, kind) for part in parts
                         if part.macs and part.paths)  # fmt: skip
            multiplying = [at for at, part in enumerate(parts) if part.macs and part.paths]
            at = multiplying[behind] if behind < len(multiplying) else len(parts)
            parts.insert(at, Piece(PRODUCTS, (), (OF_KIND[kind],), 0, 0, macs, None))
        own = sum(
            size for name, size in self._parameters.items() if name.rpartition(".")[0] == path
        )
        if own:
            parts.append(Piece(OWN, (), ("Parameter",), own, 0, 0, None))
        return tuple(parts)

    def _own_products(self, path: str) -> list[tuple[Kind, int]]:
        """Return the MACs that a module makes in none of its modules, by kind."""
        return [(kind, macs) for (own, kind), macs in self._counted.macs.items() if own == path]

    def _place(self, path: str, kind: Kind) -> int:
        return self._order[path, kind]

    def _multiplied(self, path: str) -> int:
        """Return when a module first multiplied."""
        return min(
            place
            for (own, _), place in self._order.items()
            if own == path or own.startswith(path + ".")
        )

    def _shape(self, found: nn.Module | nn.Parameter, path: str) -> Shape | None:
        """Return what a module puts out; a list of modules, what the last that ran of it does."""
        if isinstance(found, nn.ModuleList | nn.ModuleDict):
            members = reversed([*found.named_children()])
            shapes = (self._shape(member, f"{path}.{name}") for name, member in members)
            return next(filter(None, shapes), None)
        return self._shapes.get(path)

    def _macs(self, path: str) -> int:
        """Return a module's MACs; of the root, those alone that are in no part of it."""
        if path:
            return self._counted.within(path)
        return sum(macs for (own, _), macs in self._counted.macs.items() if not own)


def _within(sizes: Mapping[str, int], path: str) -> int:
    return sum(size for own, size in sizes.items() if own == path or own.startswith(path + "."))


def _outside(root: nn.Module, parts: list[Unit], counted: Count) -> list[str]:
    """Return the highest paths outside the units that own parameters or multiply, in order."""
    owning = units.outside(root, parts)
    multiplying = dict.fromkeys(
        path
        for path, _ in counted.macs
        if units.mark_of(path, parts) is None
        and not any(path == own or path.startswith(own + ".") for own in owning)
    )
    return [*owning, *multiplying]


def _representatives(root: nn.Module, parts: list[Unit]) -> list[Unit]:
    """
    Return the first unit of each type of a transformer's blocks; of what has none, none.

    A type of a single block (the last of SD3, which drops the text) is left out beside others.
    """
    if units.is_unet(root) or not units.block_lists(root):
        return []
    types: defaultdict[Any, list[Unit]] = defaultdict(list)
    for unit in parts:
        block = root.get_submodule(unit.paths[0])
        names = tuple(name for name, _ in block.named_children())
        types[type(block), names, build.parameters(block)].append(unit)
    common = [alike[0] for alike in types.values() if len(alike) > 1]
    return common or [alike[0] for alike in types.values()]


def _roles(root: nn.Module, parts: list[Unit], counted: Count) -> list[RolePiece]:
    """Add up parameters and MACs per unit and role, in the order of the units."""
    parameters = dict(root.named_parameters())
    shapes = {path: tuple(value.shape) for path, value in parameters.items()}
    # A module that multiplies without a weight of its own has the role of one it would have.
    shapes |= {f"{path}.weight": shapes.get(f"{path}.weight", ()) for path, _ in counted.macs}
    role_of = roles_of(shapes)
    marks = {path: units.mark_of(path, parts) or OUTSIDE for path in shapes}
    weights: defaultdict[tuple[str, str], int] = defaultdict(int)
    macs: defaultdict[tuple[str, str], int] = defaultdict(int)
    modules: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for path, parameter in parameters.items():
        place = marks[path], role_of[path]
        weights[place] += parameter.numel()
        modules[place].add(path.rpartition(".")[0])
    for (path, _), number in counted.macs.items():
        place = marks[f"{path}.weight"], role_of[f"{path}.weight"]
        macs[place] += number
        modules[place].add(path)
    order = [*(unit.mark for unit in parts), OUTSIDE]
    return [
        RolePiece(mark, role, len(modules[mark, role]), weights[mark, role], macs[mark, role])
        for mark, role in sorted(modules, key=lambda place: (order.index(place[0]), place[1]))
    ]


class Outputs:
    """
    Notes the shape that every module of a denoiser puts out.

    Of a module that runs several times, as CogView4's feed-forward does for image and for text,
    the image's is kept, else the last one.
    """

    def __init__(self, image_tokens: int) -> None:
        self._image_tokens = image_tokens
        self.shapes: dict[str, Shape] = {}

    @contextmanager
    def of(self, root: nn.Module) -> Iterator[None]:
        """Watch all modules of a root while they run."""
        handles = [
            module.register_forward_hook(self._note(path)) for path, module in root.named_modules()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _note(self, path: str) -> Callable[..., None]:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            shape = self._image_shape(output)
            known = self.shapes.get(path)
            if shape is not None and not (self._is_image(known) and not self._is_image(shape)):
                self.shapes[path] = shape

        return note

    def _image_shape(self, output: Any) -> Shape | None:
        """
        Return the shape of the image's stream among a module's outputs.

        Blocks of two streams put out the text's and the image's tokens, in either order: the
        image's are told by their number; where text and image are joined, it is the largest.
        """
        shapes = [tuple(tensor.shape) for tensor in tensors_in(output)]
        own = [shape for shape in shapes if self._is_image(shape)]
        return own[0] if own else max(shapes, key=prod, default=None)

    def _is_image(self, shape: Shape | None) -> bool:
        return shape is not None and len(shape) == 3 and shape[1] == self._image_tokens
