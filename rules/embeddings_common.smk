from atlas.checkpoint.selection import SUFFIXES
from atlas.embeddings import settings as embedding_settings
from atlas.embeddings import needs as embedding_needs

# Only where there is a roster: what is asked of its groups says so.
EMBEDDINGS = embedding_settings.declared(
    config["embeddings"], groups=WEIGHED, models=MODELS
)
LISTS = EMBEDDINGS.lists
ENCODED = [
    name
    for name in MODELS
    if any(name in GROUPS[group].models for group in EMBEDDINGS.groups)
]
ENCODER_SHARDS = range(config["embeddings"]["shards"])


def encoder_fingerprints(wildcards):
    """Return the fingerprints of the models whose text encoders are looked for."""
    return needs_roster(wildcards) or expand(
        "results/fingerprints/{model}.parquet", model=ENCODED
    )


def encoder_configurations(wildcards):
    """Return the files beside the models' weights that tell how text encoders are built."""
    paths = [*(MODELS[model].path for model in ENCODED), *EMBEDDINGS.configurations]
    made = [str(path) for path in paths if path.parts[:1] == ("resources",)]
    folders = [path for path in paths if path.is_dir() and str(path) not in made]
    told = [
        str(file)
        for folder in [*folders, *EMBEDDINGS.tokenizers.values()]
        for place in ("text_encoder*", "tokenizer*", ".")
        for file in sorted(folder.glob(f"{place}/*.json"))
    ]
    return ancient(list(dict.fromkeys(made))) + list(dict.fromkeys(told))


def standard_tokenizer(wildcards):
    """Return CLIP's own tokenizer where a model is a single file, and none is given."""
    is_single = any(MODELS[model].path.suffix.lower() in SUFFIXES for model in ENCODED)
    if not is_single or "clip" in EMBEDDINGS.tokenizers:
        return []
    return rules.extract_vocabulary.output.folder


def encoded_checkpoints(wildcards):
    """Return the files of the models whose text encoders are run, never compared by time."""
    return ancient([file for model in ENCODED for file in model_files(MODELS[model])])


def encoders_mem_mb(wildcards, input, attempt):
    """Return the memory of the largest text encoder, doubled on every retry."""
    need = embedding_needs.encoding_mb(
        Path(input.record), dtype=config["embeddings"]["dtype"]
    )
    return need * 2 ** (attempt - 1)


def words_of_group(name):
    """Return the path of a file of a group and a list."""
    return f"results/embeddings/groups/{{group}}/{{list}}/{name}"


def members_fingerprints(wildcards):
    """Return the fingerprints of a group's models, in the group's order."""
    return expand(
        "results/fingerprints/{model}.parquet", model=GROUPS[wildcards.group].models
    )


def members_checkpoints(wildcards):
    """Return the files of a group's models, never compared by time."""
    models = GROUPS[wildcards.group].models
    return ancient([file for model in models for file in model_files(MODELS[model])])


def group_base(wildcards):
    """Return the model that the others of a group are compared with, or None."""
    return GROUPS[wildcards.group].base


def stated_of_encoded(what):
    """Return what the roster says of the models whose text encoders are run, by id."""
    said = {model: getattr(MODELS[model], what) for model in ENCODED}
    return {model: value for model, value in said.items() if value is not None}
