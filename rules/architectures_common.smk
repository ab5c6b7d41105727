from pathlib import Path

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
    files = [file for name in sources for file in source_files(name, sources[name])]
    # What is no entry is read by its likeness to one of them.
    if not all(is_entry(source) for source in sources.values()):
        files += sorted(catalogue.FOLDER.glob("*.yaml"))
    return [str(file) for file in dict.fromkeys(map(Path, files))]


def source_files(name, source):
    """Return the files that one architecture is read from."""
    if source != str(CHECKPOINTS.get(name)):
        return choice.files_of(source)
    model = MODELS[name]
    is_folder = not is_made(model) and model.path.is_dir()
    beside = choice.files_of(source) if is_folder else []
    return [*model_files(model), *(file for file in beside if file.is_file())]


def is_entry(source):
    """Return whether an architecture is read from a YAML file, of the catalogue or of one's own."""
    return source in catalogue.names() or Path(source).suffix in {".yaml", ".yml"}


def published_facts(table):
    """Return the files of the architectures that a published table is made again from."""
    return facts_of(
        {
            row["architecture"]: row["architecture"]
            for row in load(f"published/{table}")["rows"]
        }
    )


def stated_of(sources):
    """Return what the roster states of the chosen ones' architectures."""
    return {name: STATED[name] for name in sources if name in STATED}
