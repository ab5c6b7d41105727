"""The table of proofs: a row for each way that was tried, the best of a part first."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from atlas.proofs.parts import Part, Recipe
from atlas.proofs.proof import Attempt, Proof, Proved

COLUMNS = (
    "target", "component", "block", "parents", "weights", "arithmetic", "casts", "elements",
    "equal", "share", "turned", "verdict", "ambiguous", "own_weights", "left_out", "problem",
)  # fmt: skip

JOINED = " + "
AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Failed:
    """A recipe that could not be made again, and why."""

    recipe: Recipe
    problem: str


def text(outcomes: Iterable[Proof | Failed]) -> str:
    """Return the table as CSV with a header."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        writer.writerows(_rows(outcome))
    return file.getvalue()


def _rows(outcome: Proof | Failed) -> Iterator[dict[str, object]]:
    if isinstance(outcome, Failed):
        yield _of_recipe(outcome.recipe) | {
            "parents": JOINED.join(outcome.recipe.parents),
            "weights": _numbers(outcome.recipe.weights),
            "problem": outcome.problem,
        }
        return
    names = dict.fromkeys(
        each.making.arithmetic.name for each in outcome.attempts if each.verdict is Proved.PROVED
    )
    for place, attempt in enumerate(outcome.attempts):
        yield _of_attempt(attempt, outcome.part) | {
            "turned": _share(outcome.turned) if place == 0 else "",
            "ambiguous": "; ".join(name for name in names if name != attempt.making.arithmetic.name)
            if attempt.verdict is Proved.PROVED
            else "",
        }


def _of_recipe(recipe: Recipe) -> dict[str, object]:
    return {"target": recipe.target, "component": recipe.component, "block": recipe.block}


def _of_attempt(attempt: Attempt, part: Part) -> dict[str, object]:
    making, tally = attempt.making, attempt.tally
    sources = [
        next(source for source in parent.sources if source.rounded == rounded)
        for parent, rounded in zip(part.parents, making.casts, strict=True)
    ]
    casts = [source.cast for source in sources]
    return _of_recipe(part.recipe) | {
        "parents": JOINED.join(source.model for source in sources),
        "weights": _numbers(making.weights),
        "arithmetic": making.arithmetic.name,
        "casts": JOINED.join(each or AS_IT_IS for each in casts) if any(casts) else "",
        "elements": tally.elements,
        "equal": tally.equal,
        "share": _share(tally.share),
        "verdict": attempt.verdict.value if attempt.verdict else "",
        "own_weights": sum(each.own is not None for each in part.tensors),
        "left_out": part.left_out,
        "problem": "" if tally.elements else "the parents differ in no element",
    }


def _numbers(weights: Iterable[float]) -> str:
    """Write weights as the shortest decimals that are these numbers."""
    return " ".join(repr(int(each) if each == int(each) else each) for each in weights)


def _share(share: float | None) -> str:
    """Write a share so that only 1 reads as all of them."""
    return "" if share is None else repr(share)
