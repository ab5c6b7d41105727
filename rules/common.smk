import atexit
import copy
import hashlib
import json
import sys
from functools import cache
from itertools import combinations
from pathlib import Path

import yaml
from snakemake.utils import update_config

sys.path.insert(0, str(HOME / "scripts"))

from atlas.roster import reading
from atlas.roster import settings
from atlas.basis.page import one_line
from atlas.basis.shipped import CONFIG, load
from atlas.checkpoint.files import surveyed, watched_files
from atlas.plots.registry import pictures
from atlas.workload import imagined

METHOD = yaml.safe_load((HOME / "rules" / "methods.yaml").read_text())

# What is not given, as in the `config:` of a module, is as the workflow has it.
given, config = settings.typed(config), copy.deepcopy(load("config"))
update_config(config, given)
settings.check(config)
ROSTER = reading.NONE
if place := settings.roster_place(config, home=HOME):
    ROSTER = reading.load(
        place,
        home=HOME,
        skip_missing=config["missing_checkpoints"] == "skip",
        look=workflow.is_main_process,
    )
settings.check_reference(config, [*ROSTER.models, *ROSTER.missing])
for model, problem in ROSTER.missing.items():
    logger.warning(f"{model} is left out: {problem}")

# So many models in the place of the roster's: for `snakemake plan`, all else lacks their files.
PRESENT = ROSTER
if config["plan"]["models"] is not None:
    ROSTER = imagined.roster(config["plan"]["models"], group=config["plan"]["group"])
    config = imagined.settings(config, present=PRESENT.models)

MODELS = ROSTER.models
GROUPS = ROSTER.groups
WEIGHED = [name for name, group in GROUPS.items() if not group.matrices]
ORDERED = [name for name, group in GROUPS.items() if group.ordered]
SHARDS = range(config["distances"]["shards"])


def facts_digest(*places):
    """
    Return a digest of shipped facts: of files, and of all YAML files of folders, below config/.

    What reads them has it in its params, so that an edit reruns it. As inputs, a hundred files for
    each of hundreds of jobs would be slow to plan. Lines of comment do not count.
    """
    digest = hashlib.blake2b(digest_size=8)
    for place in places:
        path = CONFIG / place
        for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
            lines = file.read_text(encoding="utf-8").splitlines()
            told = [line for line in lines if not line.lstrip().startswith("#")]
            digest.update(
                "\n".join([file.relative_to(CONFIG).as_posix(), *told]).encode()
            )
    return digest.hexdigest()


# Of the two Snakemakes that stand around a script on a node of a cluster: where memory is enforced, a
# job's counts them as well. Fingerprints that declared 320 MB were killed at 370 to 415 MB in all, while
# they still began; each Snakemake takes some 110 MB and more.
AROUND_MB = 300

# What decides the names, blocks and roles of a checkpoint's tensors.
NAMES = facts_digest("layouts", "names")

# What the arguments of denoisers are, so what a forward is given.
CALLS = facts_digest("calls")


def needs_roster(wildcards):
    """Return nothing, or say how to get a roster where none is given."""
    if ROSTER is reading.NONE:
        say_last(f"\n{settings.NO_ROSTER}\n")
        raise WorkflowError("there is no roster")
    return []


@cache
def say_last(text):
    """Print a text, once, when the process ends: Snakemake has words after all of ours."""
    atexit.register(print, text, end="", file=sys.stderr)


def one_of(names):
    """Return a wildcard constraint that admits these names alone."""
    import re

    return "|".join(map(re.escape, sorted(names, key=len, reverse=True))) or "(?!)"


def checkpoint_files(wildcards):
    """Return the files of a model's checkpoint, or the path that a rule makes."""
    return model_files(MODELS[wildcards.model])


def is_made(model):
    """Return whether a checkpoint is made by a rule: those below resources/ are."""
    return model.path.parts[:1] == ("resources",)


@cache
def surveyed_files(model):
    """Return the files of the model of this id, and what is said of them: looked at once."""
    return surveyed(MODELS[model].path, weights=MODELS[model].weights)


def listed_files(model):
    """Return the files of the model of this id."""
    return surveyed_files(model)[0]


def model_files(model):
    """Return the files of a checkpoint, none of a broken set, or the path that a rule makes."""
    if is_made(model):
        return [str(model.path)]
    return [str(file) for file in listed_files(model.id)]


def passed_over(wildcards):
    """Return what lies beside a checkpoint's files, or is wrong with them, in words."""
    model = MODELS[wildcards.model]
    return () if is_made(model) else surveyed_files(model.id)[1]


def files_state(wildcards):
    """
    Return a digest of the sizes and times of a checkpoint's files.

    Snakemake looks for files newer than a fingerprint; one that was replaced by an older one, as mv,
    cp -p, rsync and tar do, is told by this.
    """
    model = MODELS[wildcards.model]
    digest = hashlib.blake2b(digest_size=8)
    if not is_made(model):
        for file in listed_files(model.id):
            state = file.stat()
            digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def all_fingerprints(wildcards):
    """Return the fingerprints of the roster's models."""
    return needs_roster(wildcards) or fingerprints_of(MODELS)


def unless_at_hand(rule, inputs):
    """
    Return an input function of a rule that has none where another rule's job reads the workflow.

    On a cluster each job does so. What only leads to its inputs, which are there by then, need not
    be planned once more for all models.
    """

    def inputs_of(wildcards):
        targets = {target.rulename for target in workflow.dag_settings.target_jobs}
        is_another = bool(targets) and rule not in targets
        return [] if is_another and not workflow.is_main_process else inputs(wildcards)

    return inputs_of


def fingerprints_of(models):
    """Return the fingerprints of models, in order of id so that a new order reruns nothing."""
    return expand("results/fingerprints/{model}.parquet", model=sorted(models))


def in_report(value):
    """
    Return a param that holds the user's words as JSON without <.

    A report's page has the params of jobs in its code, where `</script>` would end it.
    """
    return json.dumps(value).replace("<", "\\u003c")


def labels_of(models):
    """Return what models are called in plots, by id and in one line, as JSON."""
    return in_report({model: one_line(MODELS[model].label) for model in sorted(models)})


def checkpoints_of(models):
    """Return where models lie and which of their weights the roster asks for, by id, as JSON."""
    asked = {model: MODELS[model] for model in sorted(models)}
    return in_report(
        {model: [str(entry.path), entry.weights] for model, entry in asked.items()}
    )


def tags_of(models):
    """Return the tags of models, by id, as JSON."""
    return in_report({model: list(MODELS[model].tags) for model in sorted(models)})


def shard_files(wildcards):
    """Return all shards of measured distances."""
    return expand("results/distances/{shard}.parquet", shard=SHARDS)


def group_fingerprints(wildcards):
    """Return the fingerprints of the group's models."""
    return fingerprints_of(GROUPS[wildcards.group].models)


def group_identity(wildcards):
    """Return a group's identity table; a group of published matrices has none."""
    return (
        f"results/groups/{wildcards.group}/identity.csv"
        if wildcards.group in WEIGHED
        else []
    )


def group_distances(wildcards):
    """Return a group's tidy distances, of which blocks are drawn; published ones have no blocks."""
    return (
        f"results/groups/{wildcards.group}/distances.parquet"
        if wildcards.group in WEIGHED
        else []
    )


def group_description(wildcards):
    """Return a group's table of models; published matrices tell nothing of theirs."""
    return (
        f"results/groups/{wildcards.group}/models.csv"
        if wildcards.group in WEIGHED
        else []
    )


def reference_of_group(wildcards):
    """Return the model that the settings name as the pictures' reference, if the group has it."""
    named = config["plots"]["reference"]
    return named if named in GROUPS[wildcards.group].models else None


def pair_of_group(wildcards):
    """Return the table of a group of two, whose tensors are drawn; else nothing."""
    models = sorted(GROUPS[wildcards.group].models)
    return "results/pairs/{}/{}.parquet".format(*models) if len(models) == 2 else []


def pair_fingerprints(wildcards):
    """Return the fingerprints of both models; their order is part of a pair's name."""
    if wildcards.a >= wildcards.b:
        raise WorkflowError(
            f"results/pairs/{wildcards.a}/{wildcards.b}: the ids of a pair stand in sorted "
            f"order; ask for results/pairs/{wildcards.b}/{wildcards.a}"
        )
    return fingerprints_of([wildcards.a, wildcards.b])


def asked_pairs():
    """Return the pairs of models, ids in sorted order, of the groups that ask for them."""
    asked = [sorted(GROUPS[name].models) for name in WEIGHED if GROUPS[name].pairs]
    return sorted({pair for models in asked for pair in combinations(models, 2)})


def mem_mb_for(factor, floor=1000):
    """Scale memory with the input on disk and double it on every retry."""

    def mem_mb(wildcards, input, attempt):
        return max(floor, int(factor * input.size_mb)) * 2 ** (attempt - 1)

    return mem_mb


def minutes_for(gb_per_minute, floor=10):
    """Scale the time limit with the input on disk and double it on every retry."""

    def runtime(wildcards, input, attempt):
        return max(floor, int(input.size_mb / 1000 / gb_per_minute)) * 2 ** (
            attempt - 1
        )

    return runtime
