include: "fingerprints_common.smk"


# By shell: what Snakemake writes around a script imports Snakemake again, which takes longer than a
# small checkpoint. Many small ones make one job of a cluster, each still being a job of its own here.
rule fingerprint:
    """Read one checkpoint once: digest, norms and moments of each tensor."""
    input:
        checkpoint=checkpoint_files,
    output:
        table="results/fingerprints/{model}.parquet",
    log:
        "logs/fingerprint/{model}.log",
    benchmark:
        "benchmarks/fingerprint/{model}.tsv"
    group:
        group_of_small
    conda:
        "../envs/weights.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: (needs.FINGERPRINT_MB + AROUND_MB)
        * 2 ** (attempt - 1),
        runtime=lambda wildcards, attempt: needs.fingerprint_minutes(
            size_mb(wildcards.model)
        )
        * 2 ** (attempt - 1),
        small_files=lambda wildcards: int(needs.is_small(size_mb(wildcards.model))),
    params:
        method=METHOD["fingerprint"],
        checkpoint=lambda wildcards: str(MODELS[wildcards.model].path),
        choices=choices_of,
        names=NAMES,
        kept=KEPT,
        files_state=files_state,
        passed_over=passed_over,
    message:
        "Fingerprinting {wildcards.model}"
    shell:
        f"{PRELOADED} fingerprints/fingerprint.py"
        " --checkpoint={params.checkpoint:q} {params.choices:q}"
        " --table={output.table:q} --threads={threads} > {log:q} 2>&1"


rule match_names:
    """Match the names of unknown layouts with others by the digests of what they hold."""
    input:
        fingerprints=unless_at_hand("match_names", all_fingerprints),
    output:
        renamings="results/renamings.json",
        listed="results/fingerprints.csv",
    log:
        "logs/match_names/all.log",
    benchmark:
        "benchmarks/match_names/all.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: (
            needs.matching_mb(models=len(MODELS)) + AROUND_MB
        )
        * 2 ** (attempt - 1),
        runtime=needs.reading_minutes(models=len(MODELS)),
    params:
        method=METHOD["match_names"],
        checkpoints=[str(MODELS[model].path) for model in sorted(MODELS)],
    message:
        "Matching the names of unknown layouts by what they hold"
    script:
        "../scripts/fingerprints/match_names.py"
