"""Names of weights in a small ONNX graph made as the exporters make theirs."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from atlas.basis.errors import AtlasError
from atlas_demo import facts
from atlas_demo.terrain import onnx_weights

PREFIXES = ("model.", "network.")
NORM_BEFORE = {"in_layers.2": "in_layers.0", "out.2": "out.0"}


class Graph:
    """Write nodes one after the other; the last value flows on."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.value = prefix, "noisy"
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: dict[str, np.ndarray] = {}

    def add(self, operation: str, *operands: str) -> None:
        """Append a node on the last value and these operands."""
        output = f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, [self.value, *operands], [output]))
        self.value = output

    def constant(self, name: str, array: np.ndarray) -> str:
        """Keep an initialiser; return its name."""
        self.arrays[name] = array
        return name

    def norm(self, number: int, channels: int = 4) -> None:
        """Append a group norm whose scale is its number and whose shift is minus that."""
        self.add("Reshape", self.constant("shape", np.array([0, 2, -1])))
        self.add(
            "InstanceNormalization",
            self.constant("ones", np.ones(2, np.float32)),
            self.constant("zeros", np.zeros(2, np.float32)),
        )
        self.add("Reshape", "shape")
        scale = np.full((channels, 1, 1), number, np.float32)
        self.add("Mul", self.constant(f"val_{number}", scale))
        self.add("Add", self.constant(f"val_{number}b", -scale))

    def silu(self) -> None:
        """Append x · sigmoid(x): a Mul of values, not of weights."""
        before = self.value
        self.add("Sigmoid")
        self.add("Mul", before)

    def convolution(self, module: str) -> None:
        """Append a convolution of four channels."""
        weight = self.constant(f"{self.prefix}{module}.weight", np.ones((4, 4, 1, 1), np.float32))
        self.add("Conv", weight, self.constant(f"{self.prefix}{module}.bias", np.zeros(4, "f")))

    def proto(self) -> bytes:
        """Return the ONNX file's bytes."""
        arrays = [numpy_helper.from_array(array, name) for name, array in self.arrays.items()]
        graph = helper.make_graph(self.nodes, "net", [], [], initializer=arrays)
        model = helper.make_model(graph)
        helper.set_model_props(model, {"training": "none"})
        return model.SerializeToString()


def read(graph: Graph) -> tuple[onnx_weights.Weights, dict[str, str]]:
    return onnx_weights.read(graph.proto(), prefixes=PREFIXES, norm_before=NORM_BEFORE)


@pytest.fixture(params=PREFIXES)
def graph(request) -> Graph:
    """Return a graph: convolution, norm, resize, convolution, norm, last convolution."""
    graph = Graph(request.param)
    graph.convolution("input_blocks.0.0")
    graph.norm(1)
    graph.silu()
    graph.add("AveragePool")
    graph.convolution("input_blocks.1.0.in_layers.2")
    graph.norm(2)
    graph.silu()
    graph.convolution("out.2")
    return graph


def test_norms_get_the_names_of_the_convolutions_they_feed(graph):
    weights, metadata = read(graph)
    assert metadata == {"training": "none"}
    convolutions = ["input_blocks.0.0", "input_blocks.1.0.in_layers.2", "out.2"]
    norms = ["input_blocks.1.0.in_layers.0", "out.0"]
    modules = {key.rpartition(".")[0] for key in weights}
    assert modules == {*convolutions, *norms}
    assert len(weights) == 2 * len(modules)
    for module, number in (("input_blocks.1.0.in_layers.0", 1), ("out.0", 2)):
        np.testing.assert_array_equal(weights[f"{module}.weight"], np.full(4, number))
        np.testing.assert_array_equal(weights[f"{module}.bias"], np.full(4, -number))


def test_two_norms_of_one_name_are_a_fault():
    graph = Graph("model.")
    graph.norm(1)
    graph.norm(2)
    graph.convolution("out.2")
    with pytest.raises(AtlasError, match=r"two norms of the ONNX graph are named out\.0"):
        read(graph)


def test_a_norm_before_an_unknown_convolution_is_a_fault():
    graph = Graph("model.")
    graph.norm(1)
    graph.convolution("out.3")
    with pytest.raises(AtlasError, match=r"before the convolution out\.3"):
        read(graph)


def test_a_norm_before_no_convolution_is_a_fault():
    graph = Graph("model.")
    graph.norm(1)
    with pytest.raises(AtlasError, match="no convolution follows"):
        read(graph)


def test_a_norm_without_scale_is_a_fault():
    graph = Graph("model.")
    graph.add("InstanceNormalization")
    graph.convolution("out.2")
    with pytest.raises(AtlasError, match="no Reshape follows"):
        read(graph)


def test_the_facts_name_each_norm_once():
    norms = facts.terrain()["onnx"]["norm_before"]
    assert len(set(norms.values())) == len(norms)
