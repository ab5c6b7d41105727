DIGITS = facts.digits()
SD1_KEYS = facts_digest("demo/sd1_keys.yaml")
DIGITS_WHEEL = DIGITS["vocabulary"]["wheel"]


def digits_models_of_kind(*kinds):
    """Return the ids of the digits models whose recipe is of one of the kinds."""
    return [
        model.id
        for model in MODELS.values()
        if model.recipe
        and model.recipe["kind"] in kinds
        and model.path.is_relative_to("resources/digits")
    ]


def digits_parents(wildcards):
    """Return the checkpoints that a relative is made from, in the recipe's order."""
    parents = recipes.parents(MODELS[wildcards.model].recipe)
    return [str(MODELS[parent].path) for parent in parents]


def digits_parent(wildcards):
    """Return the one checkpoint that a relative is made from."""
    (parent,) = digits_parents(wildcards)
    return parent


def digits_tuning(wildcards):
    """Return how a relative's component is trained: what differs from its first training."""
    recipe = MODELS[wildcards.model].recipe
    component = recipe["component"]
    return (
        DIGITS["training"][component]
        | DIGITS["finetuning"][component]
        | {"steps": recipe["steps"]}
    )


def digits_exchange(wildcards):
    """Return how two digits' words are exchanged in a relative."""
    return DIGITS["exchange"] | {"steps": MODELS[wildcards.model].recipe["steps"]}
