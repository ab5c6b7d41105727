"""What making recipes again has shown, read by target, component and block, and told in words."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atlas.lineage.expressions import MINUS, plain

PROVED = "proved"
"""All weights that differ between the parents are equal bit for bit."""
ORDERED = "order of operations"
"""But for the order of operations."""
NOT_PROVED = "not proved"
RANKS = (PROVED, ORDERED, NOT_PROVED)
"""Verdicts, the best first."""
JOINED = " + "
"""Between the parents of a row."""


@dataclass(frozen=True)
class Proof:
    """A row of the table of proofs."""

    block: str
    parents: tuple[str, ...]
    weights: tuple[float, ...]
    verdict: str
    arithmetic: str = ""
    ambiguous: str = ""
    share: float | None = None
    turned: float | None = None

    def told_weights(self, families: Sequence[Collection[str]]) -> list[str] | None:
        """
        Return the weights that were used, as texts; None where they are of others, or not proved.

        Parameters
        ----------
        families
            Of each parent of the fit the models that hold the same: a proof may take another of
            them, one of more digits.
        """
        if self.verdict == NOT_PROVED or len(families) != len(self.parents):
            return None
        told = []
        for family in families:
            held = [place for place, parent in enumerate(self.parents) if parent in family]
            if len(held) != 1:
                return None
            told.append(plain(self.weights[held[0]]))
        return told


Proofs = Mapping[tuple[str, str], Mapping[str, Proof]]
"""Target and component to block to proof; block WHOLE is the component."""


def read(table: Path | None) -> Proofs:
    """
    Return the proofs of a group, of each part the best; none where recipes are not made again.

    What could not be made again, as its parents differ nowhere or a file is gone, has none.
    """
    if table is None:
        return {}
    found: dict[tuple[str, str], dict[str, Proof]] = {}
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if not row["verdict"]:
                continue
            own = found.setdefault((row["target"], row["component"]), {})
            if row["block"] in own:
                continue
            own[row["block"]] = Proof(
                block=row["block"],
                parents=tuple(row["parents"].split(JOINED)) if row["parents"] else (),
                weights=tuple(map(float, row["weights"].split())),
                verdict=row["verdict"],
                arithmetic=row["arithmetic"],
                ambiguous=row["ambiguous"],
                share=_number(row["share"]),
                turned=_number(row["turned"]),
            )
    return found


def words(proofs: Iterable[Proof]) -> str:
    """
    Return what the proofs of one component say; "" where there is none.

    >>> words([Proof("*", ("a", "b"), (0.7, 0.3), "proved", "float64, rounded once", share=1.0)])
    'proved bit for bit (float64, rounded once)'
    """
    found = list(proofs)
    if not found:
        return ""
    by_verdict = {verdict: [each for each in found if each.verdict == verdict] for verdict in RANKS}
    proved = by_verdict[PROVED]
    if len(proved) == len(found):
        return f"proved bit for bit{_by(found)}"
    told = [f"{len(proved)} of {len(found)} blocks proved bit for bit{_by(proved)}"] * bool(proved)
    if ordered := by_verdict[ORDERED]:
        told.append(
            f"{_some(ordered, found)}made again but for the order of operations "
            f"({_lowest(ordered)} equal)"
        )
    if rest := by_verdict[NOT_PROVED]:
        told.append(f"{_some(rest, found)}not proved ({_lowest(rest)} equal)")
    return ", ".join(told)


def verdict_of(proofs: Iterable[Proof]) -> str:
    """Return the worst verdict of some proofs: that of them together; "" of none."""
    return max((each.verdict for each in proofs), key=RANKS.index, default="")


def _by(proofs: Sequence[Proof]) -> str:
    """Return the arithmetic, where it is one, and none other gives the same."""
    names = {each.arithmetic for each in proofs}
    if any(each.ambiguous for each in proofs):
        return ""
    return f" ({names.pop()})" if len(names) == 1 and "" not in names else ""


def _some(part: Sequence[Proof], every: Sequence[Proof]) -> str:
    return "" if len(part) == len(every) else f"{len(part)} of {len(every)} blocks "


def _lowest(proofs: Sequence[Proof]) -> str:
    """Return the lowest share, cut and never rounded up to all."""
    shares = [each.share for each in proofs if each.share is not None]
    if not shares:
        return "not all"
    lowest = min(shares)
    digits = 1 if lowest < 0.999 else 4
    cut = int(lowest * 100 * 10**digits) / 10**digits
    return f"{cut:.{digits}f} %".replace("-", MINUS)


def _number(text: str) -> float | None:
    return float(text) if text else None
