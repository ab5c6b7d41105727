"""
What a measure's term is traced with: operators on these emit LLVM's instructions.

One definition serves arrays of numpy and torch, and the kernel: there it is called once, when the
kernel is compiled, with values that note what is done to them.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]


class Traced:
    """A value of LLVM, a number or a vector, that a term computes."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value


class Mask(Traced):
    """Where something holds."""

    def __and__(self, other: "Mask") -> "Mask":
        return Mask(self.builder, self.builder.and_(self.value, other.value))

    def __or__(self, other: "Mask") -> "Mask":
        return Mask(self.builder, self.builder.or_(self.value, other.value))


class Lanes(Traced):
    """Floating-point numbers."""

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: "Lanes") -> "Lanes":
        return Lanes(self.builder, self.builder.fadd(self.value, other.value))

    def __sub__(self, other: "Lanes") -> "Lanes":
        return Lanes(self.builder, self.builder.fsub(self.value, other.value))

    def __mul__(self, other: "Lanes") -> "Product":
        return Product(self, other)

    def __abs__(self) -> "Lanes":
        return Lanes(self.builder, call(self.builder, "llvm.fabs", self.value))

    def __ne__(self, other: object) -> Mask:  # type: ignore[override]
        return self._compared("!=", other)

    def __lt__(self, other: object) -> Mask:
        return self._compared("<", other)

    def __gt__(self, other: object) -> Mask:
        return self._compared(">", other)

    def _compared(self, sign: str, other: object) -> Mask:
        right = other.value if isinstance(other, Lanes) else _constant(self.value.type, other)
        return Mask(self.builder, self.builder.fcmp_unordered(sign, self.value, right))


class Product(Lanes):
    """A product that may yet be fused with the sum it is added to."""

    def __init__(self, x: Lanes, y: Lanes) -> None:
        self.builder = x.builder
        self.factors = (x.value, y.value)

    @property
    def value(self) -> Any:  # type: ignore[override]
        """The product, rounded."""
        return self.builder.fmul(*self.factors)


def _constant(kind: Any, number: Any) -> Any:
    return kind([number] * kind.count) if isinstance(kind, ir.VectorType) else kind(number)


def call(builder: Any, name: str, *arguments: Any, flags: tuple[str, ...] = ()) -> Any:
    """Call an LLVM intrinsic on numbers or vectors of one type."""
    kind = arguments[0].type
    is_vector = isinstance(kind, ir.VectorType)
    letter = "f32" if (kind.element if is_vector else kind) == ir.FloatType() else "f64"
    full = f"{name}.v{kind.count}{letter}" if is_vector else f"{name}.{letter}"
    function = builder.module.globals.get(full) or ir.Function(
        builder.module, ir.FunctionType(kind, [kind] * len(arguments)), full
    )
    return builder.call(function, arguments, fastmath=flags)
