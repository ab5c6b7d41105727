"""Match two sets of names whose tensors hold the same weights, one for one."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

Digests = Mapping[str, str]
"""Digest of a tensor's weights by its name."""

ANCESTORS = 4
"""Modules above a tensor that are looked at."""


def bijection(witnesses: Sequence[tuple[Digests, Digests]]) -> dict[str, str]:
    """
    Return which name of the second set each name of the first stands for.

    Each witness has the digests of a component under the first names, and of another model's
    equal component under the second. Where several tensors hold the same weights (biases of zeros,
    norms of ones), their names are told apart by the modules that the others are in; a name that
    still has several counterparts is left out.
    """
    classes = _classes(witnesses)
    found = {ours[0]: theirs[0] for ours, theirs in classes if len(ours) == 1}
    open_ones = [each for each in classes if len(each[0]) > 1]
    for ours, theirs in open_ones:
        inner = {_inner(name): name for name in theirs}
        found |= {name: inner[_inner(name)] for name in ours if _inner(name) in inner}
    progress = True
    while progress:
        before = len(found)
        modules = _modules(found)
        for level in range(1, ANCESTORS + 1):
            taken = set(found.values())
            for ours, theirs in open_ones:
                left = [name for name in ours if name not in found]
                free = [name for name in theirs if name not in taken]
                found |= _within_modules(left, free, level, modules)
        progress = len(found) > before
    return found


def _classes(
    witnesses: Sequence[tuple[Digests, Digests]],
) -> list[tuple[list[str], list[str]]]:
    """Return names that no witness tells apart; one that contradicts the others is not asked."""
    ours: dict[str, tuple[str, ...]] = dict.fromkeys(witnesses[0][0], ())
    theirs: dict[str, tuple[str, ...]] = dict.fromkeys(witnesses[0][1], ())
    for one, other in witnesses:
        finer = {name: (*seen, one[name]) for name, seen in ours.items()}
        also = {name: (*seen, other[name]) for name, seen in theirs.items()}
        if Counter(finer.values()) == Counter(also.values()):
            ours, theirs = finer, also
    members: dict[tuple[str, ...], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, names in enumerate((ours, theirs)):
        for name in sorted(names):
            members[names[name]][side].append(name)
    return [members[seen] for seen in sorted(members)]


def _inner(name: str) -> str:
    """Return a name without its component."""
    return name.partition("/")[2]


def _above(name: str, level: int) -> str:
    """Return the module so many levels above a tensor."""
    return ".".join(_inner(name).split(".")[:-level])


def _modules(found: Mapping[str, str]) -> dict[str, str]:
    """Return which module stands for which, as most of the matched tensors within it say."""
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for own, name in found.items():
        for level in range(1, ANCESTORS + 1):
            if module := _above(own, level):
                said[module][_above(name, level)] += 1
    return {
        module: counts.most_common(1)[0][0]
        for module, counts in said.items()
        if 2 * counts.most_common(1)[0][1] > counts.total()
    }


def _within_modules(
    ours: Sequence[str], theirs: Sequence[str], level: int, modules: Mapping[str, str]
) -> dict[str, str]:
    """Match names of one class where their modules, or those and their last parts, are alone."""
    found: dict[str, str] = {}
    for module in dict.fromkeys(_above(name, level) for name in ours):
        if other := modules.get(module):
            left = [name for name in ours if _above(name, level) == module]
            free = [name for name in theirs if _inner(name).startswith(f"{other}.")]
            if len(left) == len(free) == 1:
                found[left[0]] = free[0]
            elif len({_last(name) for name in free}) == len(free):
                ends = {_last(name): name for name in free}
                mine = Counter(map(_last, left))
                found |= {
                    n: ends[_last(n)] for n in left if mine[_last(n)] == 1 and _last(n) in ends
                }
    return found


def _last(name: str) -> str:
    return name.rpartition(".")[2]
