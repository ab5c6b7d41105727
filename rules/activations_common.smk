from atlas.activations import datasets as declarations
from atlas.activations import plan_files

DATASETS = declarations.declared(config["activations"], MODELS)
PASSING = [name for name, dataset in DATASETS.items() if dataset.passes_maps]
COMPARED = [name for name, dataset in DATASETS.items() if len(dataset.origins) > 1]


def dataset_of(wildcards):
    """Return what the settings say of a dataset."""
    return DATASETS[wildcards.dataset]


def network_files(wildcards):
    """Return the files of one of a dataset's models, and of the folder of its configuration."""
    dataset = dataset_of(wildcards)
    paths = [dataset.origin(wildcards.model).path, dataset.configuration]
    return [file for path in paths if path is not None for file in files_of_path(path)]


def all_network_files(wildcards):
    """Return the files of all of a dataset's models: read to plan, never compared by time."""
    dataset = dataset_of(wildcards)
    paths = [*(origin.path for origin in dataset.origins), dataset.configuration]
    files = [file for path in paths if path is not None for file in files_of_path(path)]
    return ancient(list(dict.fromkeys(files)))


@cache
def files_of_path(path):
    """Return the files of a model's path: a rule's where it makes it, else what is there."""
    if path.parts[:1] == ("resources",):
        return [str(path)]
    beside = sorted(path.rglob("*.json")) if path.is_dir() else []
    weights = [] if path.is_dir() and not has_weights(path) else watched_files(path)
    return [str(file) for file in dict.fromkeys([*weights, *beside])]


def has_weights(folder):
    """Return whether a folder holds weights, rather than configurations alone."""
    return any(file.suffix in {".safetensors", ".bin"} for file in folder.rglob("*"))


def prompt_file(wildcards):
    """Return a dataset's file of prompts, if it has one."""
    prompts = dataset_of(wildcards).options.get("prompts")
    return prompts if isinstance(prompts, str) else []


def real_folder(wildcards):
    """Return the folder of real images, for the chunks that show them."""
    dataset = dataset_of(wildcards)
    return str(dataset.real.folder) if declarations.is_real(wildcards.chunk) else []


def chunk_folders(wildcards):
    """Return a dataset's chunks: model after model, drawn samples before real images."""
    dataset = dataset_of(wildcards)
    return expand(
        "results/activations/{dataset}/chunks/{model}/{chunk}",
        dataset=dataset.name,
        model=dataset.models,
        chunk=dataset.chunks,
    )


def chunk_records(wildcards):
    """Return what a dataset's chunks took."""
    return [f"{folder}.json" for folder in chunk_folders(wildcards)]


def passing_maps(wildcards):
    """Return the folders of maps that are deleted when they have been read."""
    dataset = dataset_of(wildcards)
    if not dataset.passes_maps:
        return []
    return expand(
        "results/activations/{dataset}/passing/{model}/{chunk}",
        dataset=dataset.name,
        model=dataset.models,
        chunk=dataset.chunks,
    )


def drawing_of(wildcards):
    """Return what decides what a chunk holds, as JSON."""
    dataset = dataset_of(wildcards)
    origin = dataset.origin(wildcards.model)
    told = dataset.drawing() | {
        "model": [origin.repository or origin.name, origin.architecture, origin.weights]
    }
    return in_report(told)


def planned(what, rule):
    """Return a function of what a dataset's plan says that a rule's job needs."""

    def need(wildcards, input, attempt):
        return plan_files.read(Path(input.plan))[rule][what] * 2 ** (attempt - 1)

    return need
