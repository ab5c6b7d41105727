import os
import shlex

from snakemake.settings.types import DeploymentMethod

from atlas.basis.preloading import RUN
from atlas.distances import resources as needs

# What a shell calls Python by: of an environment or a container, or else the one that runs this.
METHODS = workflow.deployment_settings.deployment_method
IN_CONTAINER = DeploymentMethod.APPTAINER in METHODS and bool(config["container"])
PYTHON = (
    "python" if IN_CONTAINER or DeploymentMethod.CONDA in METHODS else sys.executable
)
# Takes a script from the folder scripts/ on. Braces are doubled, as Snakemake fills others in.
PRELOADED = shlex.join([PYTHON, "-I", "-S", str(HOME / "scripts" / "preloaded.py")])
PRELOADED = PRELOADED.replace("{", "{{").replace("}", "}}")
# The preloaded process ends when this process does. What a container starts ends with the container.
if not IN_CONTAINER:
    os.environ[RUN] = str(os.getpid())


SMALL = "small_checkpoints"

# Which texts of a file's metadata its fingerprint keeps.
KEPT = facts_digest("claims/metadata.yaml")


@cache
def size_mb(model):
    """
    Return the size of a checkpoint's files in MB; 0 where a rule makes them, which are small.

    Asked for once a model: Snakemake's own `input.size_mb` looks at each file for each resource.
    """
    if ROSTER is not PRESENT:
        return imagined_mb()
    if is_made(MODELS[model]):
        return 0
    return sum(file.stat().st_size for file in listed_files(model)) / 1e6


def group_of_small(wildcards):
    """Return the group that small checkpoints are submitted in: none for others, or where none is."""
    if not workflow.is_main_process or workflow.local_exec:
        return None
    together = workflow.group_settings.group_components.get(SMALL, 1)
    return SMALL if together > 1 and needs.is_small(size_mb(wildcards.model)) else None


def choices_of(wildcards):
    """Return the options that the roster asks for a model."""
    model = MODELS[wildcards.model]
    asked = {"architecture": model.architecture, "weights": model.weights}
    return [f"--{name}={value}" for name, value in asked.items() if value]
