from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


HOME = Path(workflow.basedir)
# A copy of the settings in the working directory replaces the workflow's own.
OWN_SETTINGS = Path("config/config.yaml")
SETTINGS = OWN_SETTINGS if OWN_SETTINGS.is_file() else HOME / OWN_SETTINGS


configfile: SETTINGS


include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/demo_common.smk"
include: "rules/demo_terrain.smk"
include: "rules/demo_digits.smk"
include: "rules/fingerprint.smk"
include: "rules/distances.smk"
include: "rules/models.smk"
include: "rules/pairs.smk"
include: "rules/groups.smk"
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
