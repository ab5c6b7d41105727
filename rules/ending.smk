import os

from atlas.architectures import faults
from atlas.basis.workflow import QUIET
from atlas.models import ending, failures

# Rich draws its bars anew at the bottom of a terminal, and the words of jobs beside them would tear
# them. It shows the logs of jobs that fail; what the others say is in theirs.
if workflow.local_exec and "rich" in workflow.output_settings.log_handler_settings:
    os.environ[QUIET] = "1"


# These fail where models or architectures are at fault, which is told in words of its own.
CHECKS = {"check_models", "check_entries"}
SUMMARIES = [Path(f"results/{wing}/summary.csv") for wing in ("architectures", "macs")]


def failed_jobs():
    """Return the jobs that failed, without those that fail where what was given is at fault."""
    failed = [
        job
        for each in workflow.scheduler.failed
        for job in (each.jobs if each.is_group() else [each])
        if job.rule.name not in CHECKS and not workflow.dag.finished(job)
    ]
    return sorted(
        (
            failures.Failure(named(job), next(map(Path, job.log), None))
            for job in failed
        ),
        key=lambda failure: failure.job,
    )


def named(job):
    """Return a job's rule with its wildcards."""
    values = ", ".join(f"{name}={value}" for name, value in job.wildcards_dict.items())
    return f"{job.rule.name} ({values})" if values else job.rule.name


def say_ending():
    """Say what to open first, what is lacking, which jobs failed, and last of all what is broken."""
    made = {
        Path(str(file))
        for job in workflow.dag.jobs
        for file in job.output
        if Path(str(file)).exists()
    }
    prints = {model: Path(fingerprints_of([model])[0]) for model in sorted(MODELS)}
    problems = ending.problems_of(
        {model: path for model, path in prints.items() if path in made}
    )
    entries = faults.faults_in(path for path in SUMMARIES if path in made)
    text = ending.ending(
        ending.opening(ending.first_pages(made, GROUPS)),
        ROSTER.lacking if Path("results/models.md") in made else None,
        failures.told(failed_jobs()),
        faults.doubt(entries),
        faults.failure(entries),
        ending.unreadable(problems, of=len(MODELS)) if problems else None,
    )
    say_last(text)
