"""Names and shapes of every component of the catalogue."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

from atlas.basis.shipped import CONFIG, load
from atlas.names.views import Shape

FOLDER = "layouts/expected"
"""Below config/."""
INDEX = f"{FOLDER}/index"
NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)|^\d+(?=\.)")
RANGES = re.compile(r"\{([\d,-]+)\}")


@dataclass(frozen=True)
class Expected:
    """What one component of one or several architectures consists of."""

    component: str
    architectures: tuple[str, ...]
    shapes: Mapping[str, Shape]


def digest(shapes: Mapping[str, Shape]) -> str:
    """Return a hash of names and shapes: equal for equal structures."""
    lines = "\n".join(f"{name} {list(shapes[name])}" for name in sorted(shapes))
    return hashlib.blake2b(lines.encode(), digest_size=8).hexdigest()


def exact(shapes: Mapping[str, Shape]) -> Mapping[str, list[str]]:
    """Return the architectures that have just these tensors, by their component."""
    found: Mapping[str, list[str]] = load(INDEX)["digests"].get(digest(shapes), {})
    return found


def architectures() -> list[str]:
    """Return the names of all architectures of the catalogue, in order."""
    return sorted(
        {name for fits in load(INDEX)["digests"].values() for n in fits.values() for name in n}
    )


def patterns(names: Iterable[str]) -> set[str]:
    """Return names with their numbers left open: the kinds of tensors that there are."""
    return {NUMBER.sub("{}", name) for name in names}


@cache
def tables(part: str) -> tuple[Expected, ...]:
    """Return the tables of a part: denoiser, vae or text_encoder."""
    files = sorted((CONFIG / FOLDER).glob(f"{part}.*.yaml"))
    return tuple(_table(f"{FOLDER}/{file.stem}") for file in files)


def _table(name: str) -> Expected:
    facts = load(name)
    return Expected(facts["component"], tuple(facts["architectures"]), expanded(facts["shapes"]))


def expanded(table: Mapping[str, list[int]]) -> dict[str, Shape]:
    """
    Return every name of a table that shortens numbers to ranges.

    >>> expanded({"blocks.{0-1,3}.weight": [4]})
    {'blocks.0.weight': (4,), 'blocks.1.weight': (4,), 'blocks.3.weight': (4,)}
    """
    return {name: tuple(shape) for short, shape in table.items() for name in _names(short)}


def shortened(shapes: Mapping[str, Shape]) -> dict[str, list[int]]:
    """Return the shortest table from which `expanded` makes these names and shapes again."""
    groups: dict[tuple[str, Shape], set[tuple[int, ...]]] = defaultdict(set)
    for name, shape in shapes.items():
        numbers = tuple(int(number) for number in NUMBER.findall(name))
        groups[NUMBER.sub("{}", name), shape].add(numbers)
    rows = {
        pattern.format(*map(_written, ranges)): list(shape)
        for (pattern, shape), numbers in groups.items()
        for ranges in _products(numbers)
    }
    return dict(sorted(rows.items()))


def _names(short: str) -> Iterator[str]:
    pieces = RANGES.split(short)
    numbers = [_read(text) for text in pieces[1::2]]
    for values in product(*numbers):
        joined = [*pieces]
        joined[1::2] = [str(value) for value in values]
        yield "".join(joined)


def _products(tuples: set[tuple[int, ...]]) -> list[list[list[int]]]:
    """Cut a set of index tuples into products of ranges, the first index merged last."""
    if tuples == {()}:
        return [[]]
    rests: dict[int, set[tuple[int, ...]]] = defaultdict(set)
    for first, *rest in tuples:
        rests[first].add(tuple(rest))
    merged: dict[frozenset[tuple[int, ...]], list[int]] = defaultdict(list)
    for first in sorted(rests):
        merged[frozenset(rests[first])].append(first)
    return [[firsts, *ranges] for rest, firsts in merged.items() for ranges in _products(set(rest))]


def _written(numbers: list[int]) -> str:
    """Write sorted numbers: a lone one as it is, others in braces as 0-3,5."""
    if len(numbers) == 1:
        return str(numbers[0])
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return "{" + ",".join(texts) + "}"


def _read(text: str) -> Iterable[int]:
    for run in text.split(","):
        first, _, last = run.partition("-")
        yield from range(int(first), int(last or first) + 1)
