"""Print the keys and shapes of single files as people have them, from true shapes, as JSON."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "tests"))
import originals
from bench.common.measuring import run

Shapes = dict[str, tuple[int, ...]]

VERSIONS = {"sd15": "sd1", "sdxl": "sdxl"}
"""Architecture to the layout that its single files are in."""


def single_file(architecture: str) -> Shapes:
    """Return the floating tensors of a Stable Diffusion's single file."""
    components = run("bench.architectures.shapes", architecture).said
    named = {
        component: {name: np.broadcast_to(np.float16(0), shape) for name, shape in shapes.items()}
        for component, shapes in components.items()
    }
    held = originals.as_ldm(named, VERSIONS[architecture])
    return {key: value.shape for key, value in held.items() if value.dtype == np.float16}


def main() -> None:
    """Print one of them."""
    print(json.dumps(single_file(sys.argv[1])))


if __name__ == "__main__":
    main()
