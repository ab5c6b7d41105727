"""A plan in a few lines for people to read."""

from atlas.activations.datasets import Dataset
from atlas.activations.plan import Plan, samples_of
from atlas.activations.sizes import size


def told(plan: Plan, dataset: Dataset) -> str:
    """Return a plan in a few lines, the dataset's name first."""
    models = ", ".join(dataset.models)
    lines = {
        "samples": f"{samples_of(dataset):,} of each of {len(dataset.models)}: {models}",
        "jobs": f"{plan.value('jobs'):,} of at most {dataset.chunk:,} samples; "
        f"{plan.sum('forwards'):,} forwards",
        "a sample": f"{size(_of_sample(plan))} of values kept at each time, all models together",
        "disk": f"{size(plan.value('disk in the end'))} in the end, "
        f"{size(plan.value('disk at most'))} at most",
        "RAM": f"{size(plan.value('RAM of a job'))} a job, "
        f"{size(plan.value('RAM of the embedding'))} to embed",
    }
    if plan.has("VRAM of a job"):
        lines["VRAM"] = f"{size(plan.value('VRAM of a job'))} a job"
    minutes = (plan.value("drawing") + plan.value("starting")) / 60
    lines["time"] = f"about {minutes:,.0f} min to draw on {dataset.device}, job after job"
    body = (f"  {name:<8} {text}" for name, text in lines.items())
    return "\n".join([dataset.name, *body, ""])


def _of_sample(plan: Plan) -> int:
    return plan.sum("mean of a sample") + plan.sum("map of a sample")
