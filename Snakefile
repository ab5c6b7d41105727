from pathlib import Path

from snakemake.sourcecache import infer_source_file
from snakemake.utils import min_version

min_version("9.0")


include: "rules/home.smk"


IS_MODULE = str(workflow.current_basedir) != str(workflow.basedir)
HOME = home_of(workflow.current_basedir)
# What is named below, relative to this file, is taken from there.
workflow.included_stack[-1] = infer_source_file(HOME / "Snakefile")
# A copy of the settings in the working directory replaces the workflow's own; beside a workflow that
# uses this one as a module, the file of that name is the other's.
OWN_SETTINGS = Path("config/config.yaml")
HAS_OWN = OWN_SETTINGS.is_file() and not IS_MODULE
SETTINGS = OWN_SETTINGS if HAS_OWN else HOME / OWN_SETTINGS


configfile: SETTINGS


report: "docs/captions/introduction.rst"


include: "rules/common.smk"


# Of the rules that follow: where `--sdm apptainer` runs them.
if config["container"]:

    container: config["container"]


include: "rules/ending.smk"
include: "rules/cluster.smk"
include: "rules/demo/common.smk"
include: "rules/demo/terrain.smk"
include: "rules/demo/digits.smk"
include: "rules/fingerprints.smk"
include: "rules/distances.smk"
include: "rules/relations.smk"
include: "rules/recipes.smk"
include: "rules/proofs.smk"
include: "rules/low_rank.smk"
include: "rules/claims.smk"
include: "rules/lineage.smk"
include: "rules/library.smk"
include: "rules/pages.smk"
include: "rules/models.smk"
include: "rules/architectures.smk"
include: "rules/macs.smk"
include: "rules/activations.smk"
include: "rules/embeddings.smk"
include: "rules/benchmarks.smk"
include: "rules/plan.smk"


onstart:
    refuse_apostrophes()


# The last words of a run, also where its jobs failed: what to open, what is lacking, what is broken.
onsuccess:
    say_ending()
    keep_declared()


onerror:
    say_ending()
    keep_declared()


wildcard_constraints:
    model=one_of(MODELS),
    a=one_of(MODELS),
    b=one_of(MODELS),
    group=one_of(GROUPS),
    shard=r"\d+",


rule all:
    """Everything that the roster asks for: identity, distances, recipes, lineage, plots and pairs."""
    default_target: True
    input:
        rules.write_index.output,
        rules.check_models.output if MODELS or not GROUPS else [],
        rules.atlas.input,
        rules.groups.input,
        rules.recipes.input,
        rules.lineage.input,
        rules.pairs.input,


# What the demo shows: all that the roster asks for, and what needs no weights.
rule tour:
    """All of it: what the roster asks for, architectures, MACs, activations and embeddings."""
    input:
        rules.all.input,
        rules.architectures.input,
        rules.macs.input,
        rules.activations.input if DATASETS else [],
        rules.embeddings.input if EMBEDDINGS.groups else [],


# Only where there is no roster: what is asked of its models and groups says so.
if ROSTER is reading.NONE:

    rule without_roster:
        """Say how to get a roster, where none is given."""
        input:
            needs_roster,
        output:
            "results/{of_models}/{file}",
        wildcard_constraints:
            of_models="fingerprints|groups|pairs",
            file=".+",
