# What decides how claims are read: labels of blocks, kinds of nodes.
CLAIM_FACTS = facts_digest("claims")


@cache
def beliefs():
    """
    Return what the roster says of all its models: label, path, base and recipe by id, as JSON.

    A recipe may hold what YAML has and JSON has not, such as dates.
    """
    told = {
        model: [one_line(entry.label), str(entry.path), entry.base, entry.recipe]
        for model, entry in sorted(MODELS.items())
    }
    return in_report(json.loads(json.dumps(told, default=str, skipkeys=True)))
