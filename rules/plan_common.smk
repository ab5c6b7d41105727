from snakemake.io import is_callable
from snakemake.iocontainers import InputFiles

from atlas.workload import batches as planning
from atlas.workload import files as planned_sizes

TARGETS = ["all", "architectures", "macs", "activations", "embeddings"]


class PlannedFiles(InputFiles):
    """Inputs of a job, which may not be there yet, with what they take on the disk."""

    size_mb = 0.0


def planned_batches():
    """
    Return all jobs of the workflow's targets, as if nothing were made yet.

    What Snakemake itself would find is found by what it goes by: inputs and resources of each rule
    are asked for, so that no rule is told of twice. Files are not opened, and times not compared.
    """
    seen, found = set(), []
    for target in asked_targets():
        waiting = [(getattr(rules, target).rule, {})]
        while waiting:
            wanted, wildcards = waiting.pop()
            key = (wanted.name, *sorted(wildcards.items()))
            if key in seen:
                continue
            seen.add(key)
            files = files_of_job(wanted, wildcards)
            found.append(batch_of(wanted, wildcards, files, target))
            for file in dict.fromkeys(files):
                if producer := producer_of(str(file)):
                    waiting.append((producer, producer.get_wildcards(str(file))))
    order = [own_name(each) for each in workflow.rules]
    found.sort(key=lambda job: (TARGETS.index(job.target), order.index(job.rule)))
    return [batch.plain() for batch in planning.gathered(found)]


def own_name(maker):
    """Return what this workflow calls a rule: another that uses it as a module puts a word before."""
    return maker.name.removeprefix(rules.plan.rule.name.removesuffix("plan"))


def asked_targets():
    """Return the targets that can be asked for: without a roster, those that need none."""
    has_models = ROSTER is not reading.NONE
    needed = {
        "all": has_models,
        "activations": DATASETS,
        "embeddings": EMBEDDINGS.groups,
    }
    return [target for target in TARGETS if needed.get(target, True)]


def files_of_job(maker, wildcards):
    """Return the inputs of a job, named as its rule names them."""
    files = PlannedFiles()
    for name, item in maker.input._allitems():
        if is_callable(item):
            item, _ = maker.apply_input_function(item, wildcards)
        elif isinstance(item, list):
            item = [each.apply_wildcards(wildcards) for each in item]
        else:
            item = item.apply_wildcards(wildcards)
        is_one = isinstance(item, (str, Path))
        start = len(files)
        files.extend([str(item)] if is_one else map(str, item))
        if name:
            files._set_name(name, start, end=None if is_one else len(files))
    files.size_mb = sum(map(planned_mb, dict.fromkeys(files)))
    return files


@cache
def planned_mb(file):
    """Return the MB of a file: as it is there, else as it is going to be at most."""
    path = Path(file)
    if imagined.is_imagined(path):
        return imagined_mb()
    if path.is_file():
        return path.stat().st_size / 1e6
    return planned_sizes.expected_mb(
        path,
        models=len(MODELS),
        pairs=measured_pairs(),
        shards=len(SHARDS),
    )


@cache
def present_files():
    """Return the files of the roster's own models, by id."""
    return {
        name: (
            [str(model.path)]
            if is_made(model)
            else [
                str(file) for file in watched_files(model.path, weights=model.weights)
            ]
        )
        for name, model in PRESENT.models.items()
    }


@cache
def imagined_mb():
    """Return the MB of each imagined model."""
    return planned_sizes.imagined_mb(config["plan"]["size_gb"], present_files())


def planned_roster():
    """Return what the plan needs to know of the models and how they are measured."""
    return {
        "present": present_files(),
        "size_mb": imagined_mb() if PRESENT is not ROSTER else None,
        "models": len(MODELS),
        "measured": measured_pairs() if CHOOSES_PAIRS else None,
        "rates": config["plan"],
    }


@cache
def rules_by_folder():
    """Return the rules that last made a file of a folder: most of its other files are theirs."""
    return {}


@cache
def producer_of(file):
    """Return the rule that makes a file, or None where it is no rule's."""
    last = rules_by_folder().get(Path(file).parent)
    if last is not None and last.is_producer(file):
        return last
    for maker in workflow.rules:
        if maker.has_products() and maker.is_producer(file):
            rules_by_folder()[Path(file).parent] = maker
            return maker
    return None


def not_made(file):
    """Return whether a file is of a checkpoint, rather than of the workflow's results."""
    return Path(str(file)).parts[:1] != ("results",)


def batch_of(maker, wildcards, files, target):
    """Return what a job asks for at its first attempt."""
    asked = maker.expand_resources(wildcards, files, attempt=1)
    made = [str(file.apply_wildcards(wildcards)) for file in maker.output]
    is_done = bool(made) and all(Path(file).exists() for file in made)

    def number(name):
        value = asked.get(name)
        return int(value) if isinstance(value, (int, float)) else None

    read_mb = sum(planned_mb(str(file)) for file in files if not_made(file))
    return planning.Batch(
        own_name(maker),
        target,
        threads=asked["_cores"],
        gpu=number("gpu") or 0,
        mem_mb=number("mem_mb"),
        disk_mb=number("disk_mb"),
        runtime=number("runtime"),
        models=sum(str(file).startswith("results/fingerprints/") for file in files),
        done=int(is_done),
        read_mb=read_mb,
        read_mb_left=0.0 if is_done else read_mb,
    )
