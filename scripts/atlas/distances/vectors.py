"""
The inner loop of the kernel, written as LLVM vector code.

A loop over arrays is turned to vector instructions only while LLVM's heuristics like its form: a
`max` in it, or an index that might be negative, costs a factor of 15, and half-width vectors are
preferred where full ones are a third faster. Here the vectors are spelled out, and the lanes'
partial sums are added up in a fixed order.
"""

from typing import Any

import numba
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba.extending import intrinsic

VECTOR_BYTES = 256 if binding.get_host_cpu_features().get("avx512f") else 64
"""Bytes taken at a time: as much as leaves the five sums in registers."""

INDEX = ir.IntType(64)
COUNT = ir.IntType(32)


@intrinsic  # type: ignore[untyped-decorator]
def sums(_: Any, a: Any, b: Any, steps: Any, precision: Any) -> Any:
    """
    Measure `steps` × VECTOR_BYTES of elements: return l0, l1, squared l2, linf and dot.

    Parameters
    ----------
    a, b
        Addresses of the elements, as integers; a third faster where multiples of 64.
    precision
        Any float32 or float64: what the elements are, and what they are added up in.
    """
    result = numba.types.Tuple([numba.int32, *[precision] * 4])

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar = ir.FloatType() if precision == numba.float32 else ir.DoubleType()
        vector = ir.VectorType(scalar, VECTOR_BYTES * 8 // precision.bitwidth)
        totals = _loop(builder, vector, *arguments[:3])
        return context.make_tuple(builder, signature.return_type, totals)

    return result(numba.intp, numba.intp, numba.intp, precision), generate


def _loop(builder: Any, vector: Any, a: Any, b: Any, steps: Any) -> list[Any]:
    """Emit the loop over the elements and the sums over the lanes."""
    counts = ir.VectorType(COUNT, vector.count)
    sources = [builder.inttoptr(address, vector.as_pointer()) for address in (a, b)]
    before, loop, after = builder.block, *map(builder.append_basic_block, ("loop", "after"))
    builder.branch(loop)
    builder.position_at_end(loop)
    step = builder.phi(INDEX)
    carried = [builder.phi(kind) for kind in (counts, vector, vector, vector, vector)]
    x, y = (_load(builder, source, step) for source in sources)
    taken = _step(builder, x, y, *carried)
    following = builder.add(step, INDEX(1))
    for phi, value in zip([step, *carried], [following, *taken], strict=True):
        phi.add_incoming(phi.type(None), before)
        phi.add_incoming(value, loop)
    builder.cbranch(builder.icmp_signed("<", following, steps), loop, after)
    builder.position_at_end(after)
    operators = [builder.add, builder.fadd, builder.fadd, _larger(builder), builder.fadd]
    return [_fold(builder, *pair) for pair in zip(operators, taken, strict=True)]


def _step(
    builder: Any, x: Any, y: Any, l0: Any, l1: Any, l2: Any, linf: Any, dot: Any
) -> list[Any]:
    """Add one vector of each side to the running sums."""
    difference = builder.fsub(x, y)
    size = _call(builder, "llvm.fabs", difference)
    differs = builder.fcmp_unordered("!=", x, y)
    return [
        builder.sub(l0, builder.sext(differs, l0.type)),
        builder.fadd(l1, size),
        _call(builder, "llvm.fma", difference, difference, l2),
        _larger(builder)(linf, size),
        _call(builder, "llvm.fma", x, y, dot),
    ]


def _load(builder: Any, source: Any, step: Any) -> Any:
    value = builder.load(builder.gep(source, [step]))
    value.align = 4
    return value


def _fold(builder: Any, operator: Any, vector: Any) -> Any:
    """Combine the lanes, upper half with lower half, down to one."""
    lanes = vector.type.count
    while lanes > 1:
        lanes //= 2
        halves = [
            builder.shuffle_vector(
                vector, vector, ir.VectorType(COUNT, lanes)(list(range(low, low + lanes)))
            )
            for low in (0, lanes)
        ]
        vector = operator(*halves)
    return builder.extract_element(vector, COUNT(0))


def _larger(builder: Any) -> Any:
    """Return an operator for the larger of two: without NaN it is one instruction."""
    return lambda x, y: _call(builder, "llvm.maxnum", x, y, flags=("nnan", "nsz"))


def _call(builder: Any, name: str, *arguments: Any, flags: tuple[str, ...] = ()) -> Any:
    """Call an LLVM intrinsic on vectors of one type."""
    kind = arguments[0].type
    letter = "f32" if isinstance(kind.element, ir.FloatType) else "f64"
    full = f"{name}.v{kind.count}{letter}"
    function = builder.module.globals.get(full) or ir.Function(
        builder.module, ir.FunctionType(kind, [kind] * len(arguments)), full
    )
    return builder.call(function, arguments, fastmath=flags)
