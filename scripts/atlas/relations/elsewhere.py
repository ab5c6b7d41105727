"""Components that another model holds too, under another component's name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from atlas.names.components import EMA, WORDS
from atlas.relations.contents import Contents


class Elsewhere:
    """Tells where all weights of a component are those of another component of another model."""

    def __init__(self, contents: Contents) -> None:
        self.models = contents.models
        component = contents.tensors["component"].to_numpy()
        digest = contents.contents["digest"].to_numpy()
        self.weights: list[dict[str, int]] = []
        numbers: dict[str, int] = {}
        for held in contents.index.T:
            own = np.flatnonzero(held >= 0)
            found: dict[str, list[str]] = {}
            for row in own.tolist():
                found.setdefault(component[row], []).append(digest[held[row]])
            texts = {name: " ".join(sorted(each)) for name, each in found.items()}
            self.weights.append(
                {name: numbers.setdefault(text, len(numbers)) for name, text in texts.items()}
            )
        held = {pair for each in self.weights for pair in each.items() if pair[0] != EMA}
        self.is_likely = len(held) > len({own for _, own in held})
        """Whether any weights stand under several names."""

    def notes(self, first: int, second: int, component: str) -> Iterator[str]:
        """Yield a sentence for each of two models that has the other's component elsewhere."""
        for one, other in ((first, second), (second, first)):
            own = self.weights[one].get(component)
            if own is None or component == EMA or self.weights[other].get(component) == own:
                continue
            for name, weights in sorted(self.weights[other].items()):
                if weights == own and name not in (component, EMA):
                    a, b = (self.models[side] for side in (one, other))
                    own_word, word = (WORDS.get(each, each) for each in (component, name))
                    yield f"the {own_word} of {a} is the {word} of {b}"
