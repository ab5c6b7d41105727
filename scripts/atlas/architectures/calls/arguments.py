"""
The arguments of a denoiser's forward, derived from its signature, its configuration and facts.

config/calls/arguments.yaml says what the names of arguments mean, config/calls/classes.yaml what
they mean otherwise to one class; an entry of the catalogue may say it of its own denoiser.
"""

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch

from atlas.architectures.architecture import Component
from atlas.architectures.calls import forms
from atlas.architectures.calls.expressions import UnknownNameError
from atlas.architectures.calls.request import Request, Values
from atlas.basis.errors import AtlasError, nearest
from atlas.basis.shipped import CONFIG
from atlas.basis.validation import FaultyFileError, read_yaml

FOLDER = CONFIG / "calls"
ABSENT = "absent"
"""In place of a form: the argument is left out."""
PLAIN = {"return_dict": False}
"""What every denoiser is told."""


def arguments(
    denoiser: Component,
    kind: type[torch.nn.Module],
    request: Request,
    dtype: torch.dtype,
    *,
    own: Mapping[str, Any],
    origin: str,
) -> dict[str, Any]:
    """
    Return the keyword arguments of one forward, as the class's pipeline in diffusers prepares them.

    Every argument without a default is made, and those with one that the facts say are given.

    Parameters
    ----------
    denoiser
        Its configuration.
    kind
        Its class.
    request
        The sizes.
    dtype
        Of the floating tensors.
    own
        Forms of arguments that the entry itself states.
    origin
        Of the entry, for errors.

    Raises
    ------
    AtlasError
        naming the argument whose meaning is not known, and the files where it can be said.
    """
    values = Values(request, denoiser, kind)
    known = _known(denoiser.class_name) | dict(own)
    taken = expected(kind)
    _check_names(own, taken, f"{origin}: denoiser: arguments", denoiser.class_name)
    made: dict[str, Any] = {}
    for name, parameter in taken.items():
        problem = "nothing says what it is" if name not in known else "no form of it fits"
        try:
            form = _fitting(known.get(name, []), values)
            if form is not None:
                made[name] = forms.make(form, values, dtype)
                continue
            if parameter.default is not inspect.Parameter.empty:
                continue
        except UnknownNameError as error:
            problem = f"its size is not known: the configuration lacks the key {error.name}"
        hint = "" if name in known else nearest(name, known)
        raise AtlasError(
            f"{origin}: how to call {denoiser.class_name} is not known: its argument {name}: "
            f"{problem}{hint}; say what it is in the entry (denoiser: arguments:), or for all in "
            "config/calls/arguments.yaml"
        )
    return made | PLAIN


def expected(kind: type[torch.nn.Module]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a class's forward that may be given by name."""
    parameters = inspect.signature(kind.forward).parameters
    named = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    skipped = {"self", *PLAIN}
    return {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind in named and name not in skipped
    }


def _fitting(alternatives: Any, values: Values) -> Any:
    """Return the first form whose condition holds, None where there is none."""
    if alternatives == ABSENT:
        return None
    several = alternatives if isinstance(alternatives, list) else [alternatives]
    return next((form for form in several if forms.fits(form, values)), None)


def _known(class_name: str) -> dict[str, Any]:
    """Return what arguments mean to a class."""
    return {**facts("arguments"), **facts("classes").get(class_name, {})}


@cache
def facts(name: str) -> dict[str, Any]:
    """Return the facts of `arguments` or of `classes`, as config/calls has them."""
    path = FOLDER / f"{name}.yaml"
    content, faults = read_yaml(path)
    if faults:
        raise FaultyFileError(path, faults)
    return dict(content)


def _check_names(
    given: Mapping[str, Any], taken: Mapping[str, Any], where: str, class_name: str
) -> None:
    for name in given:
        if name not in taken:
            hint = nearest(name, taken) or f" (it takes {', '.join(taken)})"
            raise AtlasError(f"{where}: {class_name} takes no argument {name}{hint}")
