"""Tensors whose names tell nothing: what their shapes tell of their role."""

from atlas.names.roles import roles_of


def test_only_what_has_a_kernel_is_a_convolution() -> None:
    shapes = {
        "net.0.weight": (4, 4, 3, 3),
        "net.1.weight": (4, 4, 3),
        "net.2.weight": (4, 4),
        "net.2.bias": (4,),
        "net.3.table": (4, 4, 3),
    }
    assert list(roles_of(shapes).values()) == ["convolution"] * 2 + ["other"] * 3
