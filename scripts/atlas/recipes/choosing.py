"""The parents of a target: convex first, then with negative weights, then of another sum than 1."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from atlas.recipes import affine
from atlas.recipes.bounds import Left, is_common
from atlas.recipes.direction import is_shaped, is_turned, may_be_child
from atlas.recipes.measuring import Part, measured
from atlas.recipes.search import Found, search, solved, without_one
from atlas.recipes.verdicts import Form

Array = NDArray[np.float64]

ASKED = 6
"""Blocks that tell whether a search for an exact sum is in vain."""
FAR = 10.0
"""Squared residuals that are larger than what is exact by so much are not."""
SHARPER = 2.0
"""Measuring must leave so many times less of a set than of the median candidate to search again."""
LEAST_WEIGHT = 1e-3
"""What has less, or less than three of its errors, is no parent."""
MOST_CHILDREN = 12
"""Candidates that turn out to be children of the target are left out, one by one, up to so many."""
WORTH_A_PARENT = 1.5
"""
Of a sum that is not exact, each parent divides the squared residual by so much.

A model that correlates 0.3 with a parent that is missing divides it by 1/(1 − 0.09) = 1.1.
"""
WORTH_A_SIGN = 3.0
"""The same of a parent of a sum with negative weights, which is more easily had by chance."""
BEYOND_CHANCE = 10.0
"""
The same of a parent of an exact sum with weights that no tool gives it: see `is_shaped`.

Where a merge takes part in an added difference beside its own parents, no negative weight is
balanced. Where a parent is missing, small terms soak up a residual of a few floors.
"""
CHILD_RATIO = 2.5
"""Squared residual of a candidate as the target's child, over the target's own floor's square."""
MOST_SIGNED = 3
"""Parents of a sum with negative weights that is not exact: an add-difference."""
ENOUGH_BLOCKS = 8
"""Angles in fewer blocks don't tell which of two readings of an added difference is the one."""
OUTWEIGHS = 2.0
"""
Of a sum that is not exact, w d² of each parent is the squared residual times so much.

Of a base among its own fine-tunes in independent directions, their mean has w d² equal to it,
however many they are.
"""


def distinct(part: Part, block: int, choice: Choice) -> Choice:
    """Let one parent stand for those that are equal to it in a block."""
    kept: list[int] = []
    for each in choice.members:
        if all(part.between[block, each, other] > 0 for other in kept):
            kept.append(each)
    return replace(choice, members=tuple(kept))


@dataclass(frozen=True, eq=False)
class Choice:
    """The parents of a component, as far as its blocks tell."""

    members: tuple[int, ...]
    """Places of candidates; () where there are none."""
    form: Form | None
    exact: bool
    """Whether rounding explains what they leave in most blocks; else they come near."""


NOTHING = Choice((), None, False)


def choose(part: Part, *, most: int, norms: Array | None = None) -> Choice:
    """
    Return the parents of a target.

    Parameters
    ----------
    most
        Largest number of parents.
    norms
        (blocks, n), the target's first, to look for weights of another sum than 1.
    """
    if not len(part.told) or part.to_target.shape[1] < 2:
        return NOTHING
    if not _can_be_exact(part, norms):
        few = part.some(_asked(part))
        best = search(few.problem(), convex=True, most=most)[0]
        near = _essential(few, best, convex=True)
        return Choice(near.members, Form.CONVEX, False) if len(near.members) > 1 else NOTHING
    convex = _searched(part, convex=True, most=most)
    for found in convex[:3]:
        if len(found.members) > 1 and _is_exact(part, found):
            return Choice(found.members, Form.CONVEX, True)
    single = next((each for each in convex if len(each.members) == 1), None)
    if single is not None and len(part.told) > 1 and _is_exact(part, single):
        return Choice(single.members, Form.CONVEX, True)
    signed, children = _signed(part, most)
    if signed is not None and signed.exact:
        return signed
    if norms is not None:
        scaled = _scaled(part.with_zero(norms), most, children)
        if scaled is not None:
            return scaled
    if children:
        some, kept = part.without(children)
        if some.to_target.shape[1] < 2:
            return NOTHING
        found = _essential(some, search(some.problem(), convex=True, most=most)[0], convex=True)
        near = replace(found, members=tuple(kept[each] for each in found.members))
    else:
        near = _essential(part, convex[0], convex=True)
    if signed is not None and _is_far_better(part, signed.members, near.members):
        return signed
    return Choice(near.members, Form.CONVEX, False) if len(near.members) > 1 else NOTHING


def _searched(part: Part, *, convex: bool, most: int) -> list[Found]:
    """
    Return the sets that explain a part best, the best first.

    Where most candidates are far off, so is what their distances' errors hide. If the best set is
    not exact by its own, which are smaller, these tell it from others.
    """
    problem = part.problem()
    found = search(problem, convex=convex, most=most)
    if len(found[0].members) > 1 and not _is_exact(part, found[0]):
        sharper = part.problem(found[0])
        if (SHARPER * sharper.least < problem.least).any():
            return search(sharper, convex=convex, most=most)
    return found


def _can_be_exact(part: Part, norms: Array | None) -> bool:
    """
    Tell whether any sum of candidates may be exact: all of them together leave little.

    No set leaves less than all candidates do. A few blocks tell.
    """
    rows = _asked(part)
    few = part.some(rows)
    if norms is not None:
        few = few.with_zero(norms[rows])
    weights = affine.system(few.between, few.to_target).weights
    residual = affine.residual_squares(weights, few.between, few.to_target)
    typical = np.median(few.to_target, axis=1)
    least = few.roundings * few.floors**2 + FAR * few.precision[0] * typical
    return bool(2 * np.count_nonzero(residual <= FAR * least) >= len(rows))


def _asked(part: Part) -> NDArray[np.intp]:
    """Return a few of the blocks that tell."""
    asked = np.unique(np.linspace(0, len(part.told) - 1, ASKED).astype(int))
    return np.asarray(part.told[asked])


def _signed(part: Part, most: int) -> tuple[Choice | None, set[int]]:
    """Return the best sum with negative weights, and candidates that are the target's children."""
    children: set[int] = set()
    while part.to_target.shape[1] - len(children) > 2 and len(children) < MOST_CHILDREN:
        some, kept = part.without(children)
        best = _searched(some, convex=False, most=most)[0]
        if made := _made_of_target(some, best):
            children |= {kept[each] for each in made}
            continue
        exact = _is_exact(some, best)
        child = _child(some, best) if exact and len(best.members) > 1 else None
        if child is not None:
            children.add(kept[child])
            continue
        if not (exact and _is_believed(some, best)):
            best, exact = _essential(some, best, convex=False), False
            if len(best.members) > MOST_SIGNED:
                break
        if len(best.members) < 2 or _child(some, best) is not None:
            break
        return Choice(tuple(kept[each] for each in best.members), Form.SIGNED, exact), children
    return None, children


def _scaled(part: Part, most: int, children: set[int]) -> Choice | None:
    """Return the best sum of other weights if it is exact; the zero vector stands last."""
    some, kept = part.without(children)
    zero = some.to_target.shape[1] - 1
    found = _searched(some, convex=False, most=most + 1)[0]
    parents = tuple(each for each in found.members if each != zero)
    if zero not in found.members or len(parents) < 2 or not _is_exact(some, found):
        return None
    own = [found.members.index(each) for each in parents]
    if (np.abs(found.weights[:, own]) > 1 + LEAST_WEIGHT).any():
        return None
    return Choice(tuple(kept[each] for each in parents), Form.SCALED, True)


def _is_exact(part: Part, found: Found) -> bool:
    """Tell whether rounding explains what a set leaves in at least half of the blocks."""
    each = [
        measured(part, int(block), found.members, weights).left
        for block, weights in zip(part.told, found.weights, strict=True)
    ]
    exact, half = each.count(Left.ROUNDING), each.count(Left.HALF_ARITHMETIC)
    return 2 * exact >= len(each) or is_common(half, len(each))


def _is_believed(part: Part, found: Found) -> bool:
    """Tell whether an exact sum with negative weights is of tools' making, or beyond chance."""
    problem = part.problem()
    needed = np.log(BEYOND_CHANCE) * problem.elements.sum()
    worth = problem.worth(found.residual) + needed
    if all(
        problem.worth(each.residual) >= worth for each in without_one(problem, found, convex=False)
    ):
        return True
    return _is_shaped(part, found)


def _is_shaped(part: Part, found: Found) -> bool:
    """Tell whether in at least half of the blocks tools make sums of such weights."""
    shaped = [
        is_shaped(weights, measured(part, int(block), found.members, weights).errors)
        for block, weights in zip(part.told, found.weights, strict=True)
    ]
    return 2 * sum(shaped) >= len(shaped)


def _made_of_target(part: Part, found: Found) -> list[int]:
    """
    Return the members of a set that lie between the target and others: these are its children.

    Several children of one target tell of it together, and rounding less so than of each alone.
    """
    places = list(found.members)
    squares = _with_target(part, places)
    made = []
    for at, member in enumerate(places):
        others = [each for each in range(1 + len(places)) if each != 1 + at]
        between = squares[:, others][:, :, others]
        to_member = squares[:, 1 + at, others]
        weights = affine.convex(between, to_member).weights
        residual = affine.residual_squares(weights, between, to_member)
        precision = np.append(part.precision[:1], part.precision[np.delete(places, at)])
        blur = affine.resolution(weights, between, to_member, precision)
        rows = part.told
        allowed = CHILD_RATIO * part.roundings * part.floors[rows] ** 2 + blur
        exact = (residual <= allowed) & (weights[:, 0] > LEAST_WEIGHT)
        if 2 * np.count_nonzero(exact) >= len(rows):
            made.append(member)
    return made


def _with_target(part: Part, places: list[int]) -> Array:
    """Return squares among the target, first, and some candidates, over the blocks that tell."""
    rows = part.told
    squares = np.zeros((len(rows), 1 + len(places), 1 + len(places)))
    squares[:, 1:, 1:] = part.between[np.ix_(rows, np.array(places), np.array(places))]
    squares[:, 0, 1:] = squares[:, 1:, 0] = part.to_target[rows][:, places]
    return squares


def _child(part: Part, found: Found) -> int | None:
    """Return the candidate that the relation has as its child, None where it is the target."""
    votes = voters = 0
    places = list(found.members)
    for block, weights in zip(part.told, found.weights, strict=True):
        own = measured(part, int(block), found.members, weights)
        if (np.abs(weights) <= np.maximum(3 * own.errors, LEAST_WEIGHT)).any():
            continue
        voters += 1
        votes += may_be_child(weights, own.errors)
    if voters and 2 * votes >= voters:
        if len(part.told) < ENOUGH_BLOCKS:
            return None
        squares = _with_target(part, places).sum(axis=0)
        between, to_target = squares[1:, 1:], squares[0, 1:]
        if not is_turned(affine.system(between, to_target).weights, between, to_target):
            return None
    return places[int(np.argmax(found.weights.mean(axis=0)))]


def _essential(part: Part, found: Found, *, convex: bool) -> Found:
    """Drop parents of a sum that is not exact until each explains much: see WORTH_A_PARENT."""
    problem = part.problem()
    needed = np.log(WORTH_A_PARENT if convex else WORTH_A_SIGN) * problem.elements.sum()
    while len(found.members) > 1:
        without = without_one(problem, found, convex=convex)
        gains = [
            float(problem.worth(each.residual) - problem.worth(found.residual)) for each in without
        ]
        least = int(np.argmin(gains))
        part_of = (np.abs(found.weights) * problem.to_target[:, list(found.members)]).sum(axis=0)
        outweighed = part_of < OUTWEIGHS * found.residual.sum()
        if gains[least] >= needed and not outweighed.any():
            return found
        found = without[int(np.argmin(part_of)) if gains[least] >= needed else least]
    return found


def _is_far_better(part: Part, signed: tuple[int, ...], convex: tuple[int, ...]) -> bool:
    """Tell whether a sum with negative weights that is not exact is worth telling."""
    problem = part.problem()
    own = solved(problem, signed, convex=False)
    other = solved(problem, convex, convex=True)
    gain = float(problem.worth(other.residual) - problem.worth(own.residual))
    return gain > float(np.log(10.0)) * float(problem.elements.sum())
