from atlas_demo import facts, recipes

WHEELS = facts.wheels()
TERRAIN = facts.terrain()
TERRAIN_WHEELS = TERRAIN["wheels"]
DRAWN = [
    model
    for model in MODELS.values()
    if model.path.is_relative_to("resources/terrain/diffusers")
]


def models_of_kind(*kinds):
    """Return the ids of the terrain models whose recipe is of one of the kinds."""
    made = [model for model in MODELS.values() if model.recipe]
    return [
        model.id
        for model in made
        if model.recipe["kind"] in kinds
        and model.path.is_relative_to("resources/terrain")
    ]


def parents_of(wildcards):
    """Return the checkpoints that a relative is made from, in order of id."""
    parents = recipes.parents(MODELS[wildcards.model].recipe)
    return expand("resources/terrain/adm/{parent}.safetensors", parent=sorted(parents))


def parent_of(wildcards):
    """Return the one checkpoint that a relative is made from."""
    (parent,) = parents_of(wildcards)
    return parent
