include: "plan_common.smk"


# Without an output it is run at every call, and without an input nothing is made for it. What it
# writes stands in the params: it tells of the present, and nothing follows from it.
rule plan:
    log:
        "logs/plan/all.log",
    localrule: True
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        method=METHOD["plan"],
        jobs=lambda wildcards: in_report(planned_batches()),
        roster=lambda wildcards: in_report(planned_roster()),
        results="results",
        benchmarks="benchmarks",
    message:
        "Adding up what a run takes"
    script:
        "../scripts/plan/plan.py"
