"""Follow the tensors of a forward: which part is given what another part, or an argument, made."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from atlas.architectures.nested import tensors_in
from atlas.architectures.portraits import Shape

Makers = frozenset[str]
"""Parts, arguments and parameters that a tensor was made of since the last part it left."""

NOBODY: Makers = frozenset()

OF_FIRST = frozenset({"to", "type_as", "expand_as", "view_as", "reshape_as"})
"""Functions that take values of their first argument alone: of others the type or the shape."""


class Trace(TorchFunctionMode):
    """
    Notes what every part of a module is given, by the tensors themselves.

    Every argument and parameter carries its own name, what leaves a part carries the part's name,
    and every other operation hands on the names of all that it reads. So what enters a part tells
    who made it, however the class is written: nothing is known of classes here.

    Parameters
    ----------
    root
        The module that is run.
    parts
        Dotted path of a module to the name of the part it belongs to; none within another's.
    around
        Paths of modules around some of the parts, to which what passes by those is given.
    """

    def __init__(
        self, root: nn.Module, parts: Mapping[str, str], around: Collection[str] = ()
    ) -> None:
        super().__init__()
        self._root = root
        self._parts = dict(parts)
        self._around = frozenset(around)
        self._running: list[str] = []
        self.flows: dict[tuple[str, str], dict[Shape, None]] = {}
        """(maker, part or what is around parts) to the shapes of what was handed over, in order."""
        self.given: dict[str, list[Makers]] = {}
        """Child of a part to the makers of each tensor that it was given."""
        self.leaving: dict[str, list[Makers]] = {}
        """What is around parts to the makers of each tensor that it put out."""
        self.companions: dict[str, Makers] = {}
        """Parameter outside the parts to the makers of what it was first used with."""
        self.order: dict[str, int] = {}
        """Dotted path of a module to its place in the order in which modules were entered."""

    def place(self, *paths: str) -> int:
        """Return when the first of these modules, or of those in them, ran; else behind all."""
        return min(
            (
                at
                for own, at in self.order.items()
                for path in paths
                if own == path or own.startswith(path + ".")
            ),
            default=len(self.order),
        )

    @contextmanager
    def of(self, arguments: Mapping[str, Any]) -> Iterator["Trace"]:
        """Follow a forward with these arguments."""
        for name, tensor in named_tensors(arguments):
            _mark(tensor, makers_of(tensor) | {name})
        lone = {
            path: parameter
            for path, parameter in self._root.named_parameters()
            if self._part_of(path) is None
        }
        for path, parameter in lone.items():
            _mark(parameter, frozenset({path}))
        self._lone = frozenset(lone)
        handles = [handle for path, part in self._root.named_modules() if path
                   for handle in self._watch(path, part)]  # fmt: skip
        try:
            with self:
                yield self
        finally:
            for handle in handles:
                handle.remove()
            for parameter in lone.values():
                del parameter._makers  # type: ignore[attr-defined]

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run a function, and hand on the makers of what it reads to what it returns."""
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        name = function.__name__
        if name == "__get__" and not isinstance(result, torch.Tensor):
            return result
        if name.endswith("_like") or name.startswith("new_"):
            return result
        read = args[0] if name in OF_FIRST else (args, kwargs)
        makers = NOBODY.union(*(makers_of(tensor) for tensor in tensors_in(read)))
        if not makers:
            return result
        self._note_companions(makers)
        for tensor in tensors_in(result):
            _mark(tensor, makers)
        if name == "__setitem__" or (name.endswith("_") and not name.endswith("__")):
            _mark(args[0], makers)
        return result

    def _note_companions(self, makers: Makers) -> None:
        for path in makers & self._lone:
            others = makers - self._lone
            if others:
                self.companions.setdefault(path, others)

    def _part_of(self, path: str) -> str | None:
        heads = path.split(".")
        return next(
            (
                self._parts[head]
                for length in range(len(heads), 0, -1)
                if (head := ".".join(heads[:length])) in self._parts
            ),
            None,
        )

    def _watch(self, path: str, module: nn.Module) -> list[Any]:
        holder, _, _ = path.rpartition(".")
        handles = [module.register_forward_pre_hook(self._ordering(path))]
        if path in self._parts:
            handles += [
                module.register_forward_pre_hook(self._entering(self._parts[path]),
                                                 with_kwargs=True),
                module.register_forward_hook(self._leaving(self._parts[path]), always_call=True),
            ]  # fmt: skip
        elif holder in self._parts:
            handles.append(
                module.register_forward_pre_hook(self._entering_child(path), with_kwargs=True)
            )
        elif path in self._around:
            handles.append(module.register_forward_hook(self._leaving_around(path)))
        return handles

    def _ordering(self, path: str) -> Callable[..., None]:
        def enter(_module: nn.Module, _inputs: Any) -> None:
            self.order.setdefault(path, len(self.order))

        return enter

    def _entering(self, part: str) -> Callable[..., None]:
        def enter(_module: nn.Module, inputs: Any, kwargs: Any) -> None:
            if not self._running:
                self._note(part, (inputs, kwargs))
            self._running.append(part)

        return enter

    def _note(self, part: str, given: Any) -> None:
        for tensor in tensors_in(given):
            for maker in makers_of(tensor) - {part}:
                if maker.startswith(part + "."):
                    continue
                shapes = self.flows.setdefault((maker, part), {})
                shapes[tuple(tensor.shape)] = None

    def _leaving(self, part: str) -> Callable[..., None]:
        def leave(_module: nn.Module, _inputs: Any, output: Any) -> None:
            self._running.pop()
            if not self._running:
                for tensor in tensors_in(output):
                    _mark(tensor, frozenset({part}))

        return leave

    def _entering_child(self, path: str) -> Callable[..., None]:
        def enter(_module: nn.Module, inputs: Any, kwargs: Any) -> None:
            given = self.given.setdefault(path, [])
            given += [makers_of(tensor) for tensor in tensors_in((inputs, kwargs))]

        return enter

    def _leaving_around(self, path: str) -> Callable[..., None]:
        def leave(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if self._running:
                return
            for tensor in tensors_in(output):
                makers = makers_of(tensor)
                own = frozenset(maker for maker in makers if maker.startswith(path + "."))
                if own:
                    # What passes by the parts within is what the module around them is given.
                    self._note(path, tensor)
                    _mark(tensor, own)
            self.leaving[path] = [makers_of(tensor) for tensor in tensors_in(output)]

        return leave


def named_tensors(arguments: Mapping[str, Any]) -> Iterable[tuple[str, torch.Tensor]]:
    """Yield the tensors among arguments with their names; of nested ones, the innermost."""
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            yield from named_tensors(value)
        else:
            for tensor in tensors_in(value):
                yield name, tensor


def makers_of(tensor: torch.Tensor) -> Makers:
    """Return who made a tensor; nobody if it was made of nothing that is followed."""
    found: Makers = getattr(tensor, "_makers", NOBODY)
    return found


def _mark(tensor: torch.Tensor, makers: Makers) -> None:
    tensor._makers = makers  # type: ignore[attr-defined]
