from atlas.benchmarks import declared


def benchmarks_state(wildcards):
    """Return a digest of the places, sizes and times of all benchmarks: new ones are a reason."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(declared.FILE.parent.rglob("*.*sv")):
        state = file.stat()
        digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def keep_declared():
    """Keep what the jobs that this run finished were granted, beside their benchmarks."""
    declared.keep(
        map(granted, filter(is_measured, workflow.dag.finished_jobs)), declared.FILE
    )


def is_measured(job):
    """Return whether this run made a job's benchmark."""
    return job.benchmark and workflow.dag.needrun(job) and Path(job.benchmark).exists()


def granted(job):
    """Return what a job was granted at its last attempt."""
    found = {
        name: value for name, value in job.resources.items() if isinstance(value, int)
    }
    return declared.Declared(
        benchmark=str(job.benchmark),
        mem_mb=found.get("mem_mb"),
        minutes=found.get("runtime"),
        threads=job.threads,
        gpus=found.get("gpu", 0),
    )


rule benchmarks:
    """What the jobs so far took, beside what was declared: results/benchmarks.csv and a picture."""
    input:
        table="results/benchmarks.csv",
        picture="results/benchmarks.png",


# Reads what is there, and is asked for by name alone: no other job is made for it. It has no
# benchmark of its own, which would be a reason to run it again.
rule summarise_benchmarks:
    """Write the table and the picture of what jobs took."""
    output:
        table="results/benchmarks.csv",
        png=report(
            "results/benchmarks.png",
            category="Benchmarks",
            labels={"show": "time and memory of each rule"},
            caption="../docs/captions/benchmarks.rst",
        ),
        svg="results/benchmarks.svg",
    log:
        "logs/summarise_benchmarks/all.log",
    localrule: True
    conda:
        "../envs/plots.yaml"
    params:
        method=METHOD["summarise_benchmarks"],
        folder=str(declared.FILE.parent),
        state=benchmarks_state,
    message:
        "Summarising what jobs took"
    script:
        "../scripts/benchmarks/summarise_benchmarks.py"
