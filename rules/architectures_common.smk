from atlas.architectures import catalogue, choice

# A model of the roster is an entry by its id, read from its checkpoint.
CHECKPOINTS = {name: model.path for name, model in MODELS.items()}
STATED = {
    name: model.architecture
    for name, model in MODELS.items()
    if model.architecture in catalogue.names()
}


def facts_of(sources):
    """Return the files that architectures are read from, by their rules' inputs."""
    return [
        str(file)
        for name, source in sources.items()
        for file in (
            model_files(MODELS[name])
            if source == str(CHECKPOINTS.get(name))
            else choice.files_of(source)
        )
    ]


def stated_of(sources):
    """Return what the roster states of the chosen ones' architectures."""
    return {name: STATED[name] for name in sources if name in STATED}
