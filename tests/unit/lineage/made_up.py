"""Made-up groups of models: points whose distances are known."""

import numpy as np

from atlas.lineage import digests
from atlas.lineage.claimed import claimed
from atlas.lineage.fitted import Part
from atlas.lineage.holders import holders
from atlas.lineage.known import Known
from atlas.lineage.making import Making
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Form, Verdict
from atlas.relations.matrices import Matrix

SIZE = 40000


class Group:
    """Models by component, made step by step."""

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        self.points = {}
        self.makings = {}

    def base(self, name, component="unet"):
        self.points[name, component] = self.rng.normal(size=SIZE)

    def tune(self, name, parent, step=0.1, component="unet"):
        moved = self.points[parent, component] + step * self.rng.normal(size=SIZE)
        self.points[name, component] = moved

    def same(self, name, parent, component="unet"):
        self.points[name, component] = self.points[parent, component]
        self.makings[name, component] = Making(
            name, component, Part(name, component, WHOLE, Verdict.COPY, parents=(parent,)), {}
        )

    def merge(self, name, weights, component="unet"):
        self.points[name, component] = sum(
            weight * self.points[parent, component] for parent, weight in weights.items()
        )
        self.recipe(name, weights, component)

    def recipe(self, name, weights, component="unet", verdict=Verdict.RECOVERED):
        form = Form.CONVEX if min(weights.values()) >= 0 else Form.SIGNED
        given = tuple(weights), tuple(weights.values())
        part = Part(name, component, WHOLE, verdict, form, *given)
        self.makings[name, component] = Making(name, component, part, {})

    def known(self, *, bases=None, base=None, claims=None, **more):
        names = tuple(sorted({name for name, _ in self.points}))
        components = sorted({component for _, component in self.points})
        return Known(
            group="made up",
            labels={name: f"the {name}" for name in names},
            derived=digests.nothing(names),
            holders={each: self.holders(each, names) for each in components},
            makings=self.makings,
            claimed=claimed(claims, names, bases or {}),
            base=base,
            bases=bases or {},
            **more,
        )

    def holders(self, component, names):
        held = [name for name in names if (name, component) in self.points]
        size = len(names)
        values, identical = np.full((size, size), np.nan), np.zeros((size, size), dtype=bool)
        norms = np.ones(size)
        for one in held:
            norms[names.index(one)] = np.linalg.norm(self.points[one, component])
            for other in held:
                ends = names.index(one), names.index(other)
                difference = self.points[one, component] - self.points[other, component]
                values[ends] = np.linalg.norm(difference)
                identical[ends] = not difference.any()
        l2 = Matrix(names, names, values, identical, component)
        relative = Matrix(
            names, names, values / np.sqrt(np.outer(norms, norms)), identical, component
        )
        return holders(l2, relative, {name: name for name in names})
