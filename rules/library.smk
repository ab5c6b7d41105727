include: "library_common.smk"


rule library:
    """All fingerprints in one file that can be shared without the weights: results/library.parquet."""
    input:
        "results/library.parquet",


rule pack_library:
    """Pack the sketches and digests of the roster's models into one file."""
    input:
        fingerprints=all_fingerprints,
    output:
        library="results/library.parquet",
    log:
        "logs/pack_library/all.log",
    benchmark:
        "benchmarks/pack_library/all.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: (
            library_needs.packing_mb(models=len(MODELS)) + AROUND_MB
        )
        * 2 ** (attempt - 1),
        runtime=library_needs.packing_minutes(models=len(MODELS)),
    params:
        method=METHOD["pack_library"],
        labels=lambda wildcards: labels_of(MODELS),
    message:
        "Packing fingerprints into a library"
    script:
        "../scripts/library/pack_library.py"
