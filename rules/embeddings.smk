include: "embeddings_common.smk"


wildcard_constraints:
    list=one_of(LISTS),


rule embeddings:
    """What words are to the text encoders of groups: maps, viewers, how far each word moved."""
    input:
        needs_roster,
        findings=expand(
            "results/embeddings/groups/{group}/{list}/findings.txt",
            group=EMBEDDINGS.groups,
            list=LISTS,
        ),
        pictures=expand(
            "results/embeddings/groups/{group}/{list}/pictures",
            group=EMBEDDINGS.groups,
            list=LISTS,
        ),
        viewers=expand(
            "results/embeddings/groups/{group}/{list}/viewer.html",
            group=EMBEDDINGS.groups,
            list=LISTS,
        ),
        vocabularies=expand(
            "results/embeddings/groups/{group}/vocabulary.txt", group=EMBEDDINGS.groups
        ),
    log:
        "logs/embeddings/all.log",
    localrule: True
    conda:
        "../envs/embeddings.yaml"
    message:
        "What was found:"
    shell:
        "cat {input.findings:q} {input.vocabularies:q} < /dev/null | tee {log:q}"


rule find_text_encoders:
    """Find the text encoders of the models of groups, and their configurations."""
    input:
        fingerprints=encoder_fingerprints,
        configurations=encoder_configurations,
        standard=standard_tokenizer,
    output:
        table="results/embeddings/encoders.csv",
        record="results/embeddings/encoders.json",
    log:
        "logs/find_text_encoders/all.log",
    benchmark:
        "benchmarks/find_text_encoders/all.tsv"
    conda:
        "../envs/embeddings.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        method=METHOD["find_text_encoders"],
        models=ENCODED,
        checkpoints=[str(MODELS[model].path) for model in ENCODED],
        configurations=[str(path) for path in EMBEDDINGS.configurations],
        tokenizers={name: str(path) for name, path in EMBEDDINGS.tokenizers.items()},
        facts=facts_digest("embeddings", "architectures"),
    message:
        "Looking for text encoders"
    script:
        "../scripts/embeddings/find_text_encoders.py"


rule encode_words:
    """Encode a list of words by the text encoders of one shard."""
    input:
        record="results/embeddings/encoders.json",
        words=lambda wildcards: str(LISTS[wildcards.list]),
        checkpoints=encoded_checkpoints,
        standard=standard_tokenizer,
    output:
        table=update("results/embeddings/words/{list}/{shard}.parquet"),
    log:
        "logs/encode_words/{list}/{shard}.log",
    benchmark:
        "benchmarks/encode_words/{list}/{shard}.tsv"
    conda:
        "../envs/embeddings.yaml"
    threads: config["embeddings"]["threads"]
    resources:
        mem_mb=encoders_mem_mb,
        runtime=60,
        gpu=int(config["embeddings"]["device"] == "cuda"),
    params:
        method=METHOD["encode_words"],
        shards=len(ENCODER_SHARDS),
        forms=config["embeddings"]["forms"],
        dtype=config["embeddings"]["dtype"],
        models={model: str(MODELS[model].path) for model in ENCODED},
        architectures=stated_of_encoded("architecture"),
        weights=stated_of_encoded("weights"),
    message:
        "Encoding the list {wildcards.list} by the text encoders of shard {wildcards.shard}"
    script:
        "../scripts/embeddings/encode_words.py"


rule map_words:
    """Make maps of a list of words, of each encoder and of all together."""
    input:
        record="results/embeddings/encoders.json",
        words=lambda wildcards: str(LISTS[wildcards.list]),
        shards=expand(
            "results/embeddings/words/{{list}}/{shard}.parquet", shard=ENCODER_SHARDS
        ),
    output:
        maps=expand(
            words_of_group("{projection}.csv"),
            projection=config["embeddings"]["projections"],
            allow_missing=True,
        ),
        summary=words_of_group("summary.csv"),
        drift=words_of_group("drift.csv"),
        axes=words_of_group("axes.csv"),
        similarities=words_of_group("similarities.parquet"),
        tables=directory(words_of_group("tables")),
        findings=words_of_group("findings.txt"),
    log:
        "logs/map_words/{group}/{list}.log",
    benchmark:
        "benchmarks/map_words/{group}/{list}.tsv"
    conda:
        "../envs/embeddings.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        method=METHOD["map_words"],
        projections=config["embeddings"]["projections"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        base=group_base,
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
    message:
        "Mapping the list {wildcards.list} for {wildcards.group}"
    script:
        "../scripts/embeddings/map_words.py"


rule draw_words:
    """Draw the maps of a list of words."""
    input:
        words=lambda wildcards: str(LISTS[wildcards.list]),
        summary=rules.map_words.output.summary,
        drift=rules.map_words.output.drift,
        maps=rules.map_words.output.maps,
    output:
        pictures=report(
            directory(words_of_group("pictures")),
            patterns=["{picture}.png"],
            category="Embeddings",
            labels={"group": "{group}", "list": "{list}", "show": "{picture}"},
            caption="../docs/captions/embeddings.rst",
        ),
    log:
        "logs/draw_words/{group}/{list}.log",
    benchmark:
        "benchmarks/draw_words/{group}/{list}.tsv"
    conda:
        "../envs/embeddings.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["draw_words"],
        projections=config["embeddings"]["projections"],
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
    message:
        "Drawing the list {wildcards.list} for {wildcards.group}"
    script:
        "../scripts/embeddings/draw_words.py"


rule view_words:
    """Write the page in which a list of words is explored."""
    input:
        record="results/embeddings/encoders.json",
        words=lambda wildcards: str(LISTS[wildcards.list]),
        shards=rules.map_words.input.shards,
        summary=rules.map_words.output.summary,
        drift=rules.map_words.output.drift,
        maps=rules.map_words.output.maps,
        findings=rules.map_words.output.findings,
    output:
        page=report(
            words_of_group("viewer.html"),
            category="Embeddings",
            labels={"group": "{group}", "list": "{list}", "show": "viewer"},
            caption="../docs/captions/embeddings.rst",
        ),
    log:
        "logs/view_words/{group}/{list}.log",
    benchmark:
        "benchmarks/view_words/{group}/{list}.tsv"
    conda:
        "../envs/embeddings.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        method=METHOD["view_words"],
        projections=config["embeddings"]["projections"],
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
    message:
        "Writing the viewer of the list {wildcards.list} for {wildcards.group}"
    script:
        "../scripts/embeddings/view_words.py"


rule compare_vocabularies:
    """Tell how far each token moved from the base's vocabulary."""
    input:
        record="results/embeddings/encoders.json",
        fingerprints=members_fingerprints,
        checkpoints=members_checkpoints,
    output:
        rows=update("results/embeddings/groups/{group}/vocabulary.parquet"),
        table="results/embeddings/groups/{group}/vocabulary.csv",
        findings="results/embeddings/groups/{group}/vocabulary.txt",
        pictures=report(
            directory("results/embeddings/groups/{group}/vocabulary"),
            patterns=["{picture}.png"],
            category="Embeddings",
            labels={
                "group": "{group}",
                "list": "vocabulary",
                "show": "{picture}",
            },
            caption="../docs/captions/vocabulary.rst",
        ),
    log:
        "logs/compare_vocabularies/{group}.log",
    benchmark:
        "benchmarks/compare_vocabularies/{group}.tsv"
    conda:
        "../envs/embeddings.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        method=METHOD["compare_vocabularies"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        checkpoints=lambda wildcards: [
            str(MODELS[model].path) for model in GROUPS[wildcards.group].models
        ],
        base=group_base,
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
    message:
        "Comparing the vocabularies of {wildcards.group}"
    script:
        "../scripts/embeddings/compare_vocabularies.py"
