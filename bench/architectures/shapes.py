"""Print the true names and shapes of an architecture's tensors, by component, as JSON."""

import argparse
import json

from atlas.architectures import build, catalogue


def main() -> None:
    """Build the components on torch's meta device and list their weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architecture")
    given = parser.parse_args()
    architecture = catalogue.load(given.architecture)
    shapes = {
        component: {
            name: tuple(weights.shape)
            for name, weights in build.component(architecture, component).state_dict().items()
            if weights.is_floating_point()
        }
        for component in architecture.components
    }
    print(json.dumps(shapes))


if __name__ == "__main__":
    main()
