rule pairs:
    input:
        [
            f"results/pairs/{a}/{b}.{kind}"
            for a, b in asked_pairs()
            for kind in ("parquet", "png")
        ],


rule compare_pair:
    input:
        fingerprints=pair_fingerprints,
        shards=shard_files,
    output:
        table="results/pairs/{a}/{b}.parquet",
    log:
        "logs/compare_pair/{a}/{b}.log",
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=1500,
        runtime=minutes_for(gb_per_minute=1),
    params:
        method=METHOD["compare_pair"],
    message:
        "Comparing {wildcards.a} with {wildcards.b} tensor by tensor"
    script:
        "../scripts/compare_pair.py"


rule plot_pair:
    input:
        table="results/pairs/{a}/{b}.parquet",
    output:
        picture=report(
            "results/pairs/{a}/{b}.png",
            category="Pairs",
            labels={"a": "{a}", "b": "{b}"},
            caption="../docs/captions/pair.rst",
        ),
        drawing="results/pairs/{a}/{b}.svg",
    log:
        "logs/plot_pair/{a}/{b}.log",
    conda:
        "../envs/plots.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        method=METHOD["plot_pair"],
        labels=lambda wildcards: labels_of([wildcards.a, wildcards.b]),
    message:
        "Drawing the distances between {wildcards.a} and {wildcards.b}"
    script:
        "../scripts/plot_pair.py"
