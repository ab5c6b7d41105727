rule fingerprint:
    input:
        checkpoint=checkpoint_files,
    output:
        table="results/fingerprints/{model}.parquet",
    log:
        "logs/fingerprint/{model}.log",
    benchmark:
        "benchmarks/fingerprint/{model}.tsv"
    conda:
        "../envs/weights.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: (needs.FINGERPRINT_MB + AROUND_MB)
        * 2 ** (attempt - 1),
        runtime=lambda wildcards, input, attempt: needs.fingerprint_minutes(
            input.size_mb
        )
        * 2 ** (attempt - 1),
    params:
        method=METHOD["fingerprint"],
        checkpoint=lambda wildcards: str(MODELS[wildcards.model].path),
        architecture=lambda wildcards: MODELS[wildcards.model].architecture,
        names=NAMES,
        files_state=files_state,
        passed_over=passed_over,
        weights=lambda wildcards: MODELS[wildcards.model].weights,
    message:
        "Fingerprinting {wildcards.model}"
    script:
        "../scripts/fingerprints/fingerprint.py"


rule match_names:
    input:
        fingerprints=all_fingerprints,
    output:
        renamings="results/renamings.json",
    log:
        "logs/match_names/all.log",
    benchmark:
        "benchmarks/match_names/all.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: (500 + 10 * len(MODELS)) * 2 ** (attempt - 1),
        runtime=10,
    params:
        method=METHOD["match_names"],
    message:
        "Matching the names of unknown layouts by what they hold"
    script:
        "../scripts/fingerprints/match_names.py"
