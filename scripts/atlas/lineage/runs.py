"""Blocks side by side of which the same is to be said, folded into one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from atlas.names.block_order import in_order, series_of


@dataclass(frozen=True)
class Run:
    """Some blocks, in the network's order, and what is said of each of them."""

    blocks: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """The blocks in short."""
        return blocks_in_short(self.blocks)


def folded(told: Iterable[tuple[str, str]]) -> list[Run]:
    """
    Return runs of blocks, in the network's order, that are followed by others of the same text.

    Parameters
    ----------
    told
        Blocks and what is said of each.

    >>> runs = folded([("IN01", "0.5"), ("IN00", "0.5"), ("MID", "1"), ("IN02", "0.2")])
    >>> [(run.name, run.text) for run in runs]
    [('IN00–IN01', '0.5'), ('IN02', '0.2'), ('MID', '1')]
    """
    texts = dict(told)
    return [
        Run(tuple(blocks), text) for text, blocks in groupby(in_order(texts), key=texts.__getitem__)
    ]


def blocks_in_short(blocks: Sequence[str]) -> str:
    """
    Return blocks with the first and last of each series in the place of all.

    >>> blocks_in_short(["IN00", "IN01", "IN02", "MID", "OUT00"])
    'IN00–IN02, MID, OUT00'
    >>> blocks_in_short(["layers.0", "layers.2", "layers.3"])
    'layers.0, layers.2–layers.3'
    """
    found: list[list[str]] = []
    for block in in_order(blocks):
        series, number = series_of(block)
        if found and number:
            last_series, last = series_of(found[-1][-1])
            if last_series == series and last and int(number) == int(last) + 1:
                found[-1].append(block)
                continue
        found.append([block])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in found)


def shortened(runs: Sequence[Run], most: int, tell: Callable[[Run], str]) -> list[str]:
    """
    Return what is told of runs; of many the first ones, how many are left out, and the last.

    >>> runs = [Run((f"IN{n:02}",), str(n)) for n in range(9)]
    >>> shortened(runs, 4, lambda run: run.text)
    ['0', '1', '2', '5 more', '8']
    """
    if len(runs) <= most:
        return [tell(run) for run in runs]
    left_out = len(runs) - most
    first = [tell(run) for run in runs[: most - 1]]
    return [*first, f"{left_out} more", tell(runs[-1])]
