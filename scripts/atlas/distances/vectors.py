"""
The inner loop of the kernel, written as LLVM vector code from the measures' definitions.

A loop over arrays is turned to vector instructions only while LLVM's heuristics like its form: a
`max` in it, or an index that might be negative, costs a factor of 15, and half-width vectors are
preferred where full ones are a third faster. Here the vectors are spelled out, and the lanes'
partial sums are added up in a fixed order.
"""

from collections.abc import Sequence
from typing import Any

import numba
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba.extending import intrinsic

from atlas.distances.tracing import Lanes, Product, call
from atlas.measures import MEASURED, Measured

VECTOR_BYTES = 256
"""
Bytes of a content whose elements are added up side by side, each in a lane of its own.

It is the same on every processor, so that all of them add in the same order and get equal bits.
"""

REGISTER_BYTES = 256 if binding.get_host_cpu_features().get("avx512f") else 64
"""Bytes of a vector taken at a time: as much as leaves the sums of five measures in registers."""

INDEX = ir.IntType(64)
COUNT = ir.IntType(32)
DOUBLE = ir.DoubleType()


@intrinsic  # type: ignore[untyped-decorator]
def sums(_: Any, a: Any, b: Any, steps: Any, precision: Any) -> Any:
    """
    Measure `steps` × VECTOR_BYTES of elements: return the sums of the measures' terms as float64.

    Parameters
    ----------
    a, b
        Addresses of the elements, as integers; a third faster where multiples of 64.
    precision
        Any float32 or float64: what the elements are, and what they are added up in.
    """
    result = numba.types.UniTuple(numba.float64, len(MEASURED))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar = ir.FloatType() if precision == numba.float32 else DOUBLE
        vector = ir.VectorType(scalar, REGISTER_BYTES * 8 // precision.bitwidth)
        parts = [
            _loop(builder, vector, arguments[:3], part)
            for part in range(VECTOR_BYTES // REGISTER_BYTES)
        ]
        totals = [
            _folded(builder, measure, lanes)
            for measure, lanes in zip(MEASURED, zip(*parts, strict=True), strict=True)
        ]
        return context.make_tuple(builder, signature.return_type, totals)

    return result(numba.intp, numba.intp, numba.intp, precision), generate


@intrinsic  # type: ignore[untyped-decorator]
def terms(_: Any, x: Any, y: Any) -> Any:
    """Return the measures' terms of two float64 numbers."""
    result = numba.types.UniTuple(numba.float64, len(MEASURED))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y = (Lanes(builder, value) for value in arguments)
        values = [
            builder.uitofp(term.value, DOUBLE) if measure.is_count else term.value
            for measure, term in zip(MEASURED, _terms(x, y), strict=True)
        ]
        return context.make_tuple(builder, signature.return_type, values)

    return result(numba.float64, numba.float64), generate


def _terms(x: Lanes, y: Lanes) -> list[Any]:
    difference = x - y
    return [measure.term(x, y, difference) for measure in MEASURED]


def _loop(builder: Any, vector: Any, arguments: Sequence[Any], part: int) -> list[Any]:
    """Emit the loop over one part of each step's elements; return its lanes of each measure."""
    a, b, steps = arguments
    kinds = [ir.VectorType(COUNT, vector.count) if each.is_count else vector for each in MEASURED]
    sources = [builder.inttoptr(address, vector.as_pointer()) for address in (a, b)]
    before, loop, after = builder.block, *map(builder.append_basic_block, ("loop", "after"))
    builder.branch(loop)
    builder.position_at_end(loop)
    step = builder.phi(INDEX)
    carried = [builder.phi(kind) for kind in kinds]
    place = builder.add(builder.mul(step, INDEX(VECTOR_BYTES // REGISTER_BYTES)), INDEX(part))
    x, y = (Lanes(builder, _load(builder, source, place)) for source in sources)
    taken = [
        _added(builder, measure, total, term)
        for measure, total, term in zip(MEASURED, carried, _terms(x, y), strict=True)
    ]
    following = builder.add(step, INDEX(1))
    for phi, value in zip([step, *carried], [following, *taken], strict=True):
        phi.add_incoming(phi.type(None), before)
        phi.add_incoming(value, loop)
    builder.cbranch(builder.icmp_signed("<", following, steps), loop, after)
    builder.position_at_end(after)
    return taken


def _added(builder: Any, measure: Measured, total: Any, term: Any) -> Any:
    """Add one vector of a measure's terms to its running sums."""
    if measure.is_count:  # true is -1 in every bit
        return builder.sub(total, builder.sext(term.value, total.type))
    if measure.combine == "maximum":
        return _larger(builder, total, term.value)
    if isinstance(term, Product):
        return call(builder, "llvm.fma", *term.factors, total)
    return builder.fadd(total, term.value)


def _load(builder: Any, source: Any, step: Any) -> Any:
    value = builder.load(builder.gep(source, [step]))
    value.align = 4
    return value


def _folded(builder: Any, measure: Measured, parts: Sequence[Any]) -> Any:
    """Combine the lanes, upper half with lower half, down to one, and return it as float64."""
    while len(parts) > 1:
        half = len(parts) // 2
        parts = [
            _combined(builder, measure, *pair)
            for pair in zip(parts[:half], parts[half:], strict=True)
        ]
    (vector,) = parts
    lanes = vector.type.count
    while lanes > 1:
        lanes //= 2
        lower, upper = (
            builder.shuffle_vector(
                vector, vector, ir.VectorType(COUNT, lanes)(list(range(low, low + lanes)))
            )
            for low in (0, lanes)
        )
        vector = _combined(builder, measure, lower, upper)
    total = builder.extract_element(vector, COUNT(0))
    if measure.is_count:
        return builder.sitofp(total, DOUBLE)
    return total if total.type == DOUBLE else builder.fpext(total, DOUBLE)


def _combined(builder: Any, measure: Measured, lower: Any, upper: Any) -> Any:
    """Combine two vectors of a measure's lanes."""
    if measure.is_count:
        return builder.add(lower, upper)
    if measure.combine == "maximum":
        return _larger(builder, lower, upper)
    return builder.fadd(lower, upper)


def _larger(builder: Any, x: Any, y: Any) -> Any:
    """Return the larger of two: without NaN it is one instruction."""
    return call(builder, "llvm.maxnum", x, y, flags=("nnan", "nsz"))
