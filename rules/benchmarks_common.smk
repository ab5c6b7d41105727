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
    measured = (job for job in workflow.dag.finished_jobs if job.benchmark)
    declared.keep(map(granted, measured), declared.FILE)


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
