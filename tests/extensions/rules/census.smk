rule census:
    """The models that there are, in one table."""
    input:
        "results/census/census.csv",


rule take_census:
    """Write down which models there are."""
    input:
        table="results/models.csv",
    output:
        census="results/census/census.csv",
    log:
        "logs/take_census/all.log",
    benchmark:
        "benchmarks/take_census/all.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        method=METHOD["take_census"],
    message:
        "Taking a census"
    script:
        "../scripts/census/take_census.py"
