from atlas.models import ending


def say_ending():
    """Say what to open first of what the run's targets need, and last of all what is broken."""
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
    text = ending.ending(
        ending.opening(ending.first_pages(made, GROUPS)),
        ROSTER.lacking if Path("results/models.md") in made else None,
        ending.unreadable(problems, of=len(MODELS)) if problems else None,
    )
    say_last(text)
