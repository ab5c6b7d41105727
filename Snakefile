from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


HOME = Path(workflow.current_basedir)
IS_MODULE = HOME != Path(workflow.basedir)
# A copy of the settings in the working directory replaces the workflow's own; beside a workflow that
# uses this one as a module, the file of that name is the other's.
OWN_SETTINGS = Path("config/config.yaml")
HAS_OWN = OWN_SETTINGS.is_file() and not IS_MODULE
SETTINGS = OWN_SETTINGS if HAS_OWN else HOME / OWN_SETTINGS


configfile: SETTINGS


report: "docs/captions/introduction.rst"


include: "rules/common.smk"
include: "rules/demo/common.smk"
include: "rules/demo/terrain.smk"
include: "rules/demo/digits.smk"
include: "rules/fingerprints.smk"
include: "rules/distances.smk"
include: "rules/models.smk"
include: "rules/relations.smk"
include: "rules/architectures.smk"
include: "rules/macs.smk"


wildcard_constraints:
    model=one_of(MODELS),
    a=one_of(MODELS),
    b=one_of(MODELS),
    group=one_of(GROUPS),
    shard=r"\d+",


rule all:
    default_target: True
    input:
        rules.check_models.output,
        rules.groups.input,
        rules.pairs.input,


# What the demo shows: all that the roster asks for, and what needs no weights.
rule tour:
    input:
        rules.all.input,
        rules.architectures.input,
        rules.macs.input,
