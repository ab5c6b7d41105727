include: "relations_common.smk"


rule groups:
    """For each group of the roster: identity, distances, matrices, plots, the notebook's file."""
    input:
        needs_roster,
        expand("results/groups/{group}/distances.parquet", group=GROUPS),
        expand("results/groups/{group}/matrices", group=GROUPS),
        expand("results/groups/{group}/notebook.json", group=GROUPS),
        expand("results/groups/{group}/plots", group=GROUPS),
        expand("results/groups/{group}/models.csv", group=WEIGHED),
        expand("results/groups/{group}/identity.csv", group=WEIGHED),
        expand("results/groups/{group}/duplicates.csv", group=WEIGHED),
        expand("results/groups/{group}/path.csv", group=ORDERED),
        expand(
            pictures("results/groups/{group}/identity", "identity", "png"),
            group=WEIGHED,
        ),


rule compare_group:
    """Add up a group's distances by model, component, block and role."""
    input:
        fingerprints=group_fingerprints,
        renamings="results/renamings.json",
        shards=shard_files,
    output:
        table="results/groups/{group}/distances.parquet",
    log:
        "logs/compare_group/{group}.log",
    benchmark:
        "benchmarks/compare_group/{group}.tsv"
    wildcard_constraints:
        group=one_of(WEIGHED),
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(group_needs.distances_mb),
        disk_mb=for_group(group_needs.distances_disk_mb),
        runtime=group_minutes(group_needs.distances_minutes),
    params:
        method=METHOD["compare_group"],
        measured_by=METHOD["measure_distances"],
        models=lambda wildcards: sorted(GROUPS[wildcards.group].models),
    message:
        "Adding up the distances between the models of {wildcards.group}"
    script:
        "../scripts/relations/compare_group.py"


rule import_matrices:
    """Read published matrices of the notebook's form as a group."""
    input:
        notebook=lambda wildcards: str(GROUPS[wildcards.group].matrices),
    output:
        table="results/groups/{group}/distances.parquet",
        folder=report(
            directory("results/groups/{group}/matrices"),
            patterns=["{component}.html"],
            category="Groups",
            subcategory="{group}",
            labels={"component": "{component}", "show": "numbers"},
            caption="../docs/captions/matrices.rst",
        ),
    log:
        "logs/import_matrices/{group}.log",
    benchmark:
        "benchmarks/import_matrices/{group}.tsv"
    wildcard_constraints:
        group=one_of(set(GROUPS) - set(WEIGHED)),
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["import_matrices"],
    message:
        "Reading the published matrices of {wildcards.group}"
    script:
        "../scripts/relations/import_matrices.py"


rule identify_components:
    """Tell which components of a group's models are the same, and what differs."""
    input:
        fingerprints=group_fingerprints,
        renamings="results/renamings.json",
    output:
        table=report(
            "results/groups/{group}/identity.csv",
            category="Identity",
            labels={"group": "{group}", "show": "table of all pairs as CSV"},
            caption="../docs/captions/identity.rst",
        ),
        markdown="results/groups/{group}/identity.md",
        page=report(
            "results/groups/{group}/identity.html",
            category="Identity",
            labels={"group": "{group}", "show": "page"},
            caption="../docs/captions/identity.rst",
        ),
    log:
        "logs/identify_components/{group}.log",
    benchmark:
        "benchmarks/identify_components/{group}.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(group_needs.identity_mb),
        runtime=group_minutes(group_needs.identity_minutes),
    params:
        method=METHOD["identify_components"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
    message:
        "Telling which components of {wildcards.group} are the same"
    script:
        "../scripts/relations/identify_components.py"


rule report_duplicates:
    """Tell which files of a group are there twice, and what could go."""
    input:
        identity="results/groups/{group}/identity.csv",
        described="results/groups/{group}/models.csv",
    output:
        table="results/groups/{group}/duplicates.csv",
        markdown="results/groups/{group}/duplicates.md",
        page=report(
            "results/groups/{group}/duplicates.html",
            category="Identity",
            labels={"group": "{group}", "show": "what is there twice"},
            caption="../docs/captions/duplicates.rst",
        ),
    log:
        "logs/report_duplicates/{group}.log",
    benchmark:
        "benchmarks/report_duplicates/{group}.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(group_needs.duplicates_mb),
        runtime=group_minutes(group_needs.matrices_minutes),
    params:
        method=METHOD["report_duplicates"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        checkpoints=lambda wildcards: checkpoints_of(GROUPS[wildcards.group].models),
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
    message:
        "Telling what {wildcards.group} has twice"
    script:
        "../scripts/relations/report_duplicates.py"


rule plot_identity:
    """Draw which models of a group share which components."""
    input:
        table="results/groups/{group}/identity.csv",
    output:
        pictures=report(
            pictures("results/groups/{group}/identity", "identity", "png"),
            category="Identity",
            labels={"group": "{group}", "show": "picture"},
            caption="../docs/captions/sharing.rst",
        ),
        drawings=pictures("results/groups/{group}/identity", "identity", "svg"),
    log:
        "logs/plot_identity/{group}.log",
    benchmark:
        "benchmarks/plot_identity/{group}.tsv"
    conda:
        "../envs/plots.yaml"
    resources:
        mem_mb=group_memory(group_needs.sharing_mb),
        runtime=for_group(group_needs.matrices_minutes),
    params:
        method=METHOD["plot_identity"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
        base=lambda wildcards: GROUPS[wildcards.group].base,
    message:
        "Drawing which components of {wildcards.group} are the same"
    script:
        "../scripts/relations/plot_identity.py"


rule write_matrices:
    """Write a group's labelled matrices, one for each component and measure."""
    input:
        table="results/groups/{group}/distances.parquet",
    output:
        folder=report(
            directory("results/groups/{group}/matrices"),
            patterns=["{component}.html"],
            category="Groups",
            subcategory="{group}",
            labels={"component": "{component}", "show": "numbers"},
            caption="../docs/captions/matrices.rst",
        ),
    log:
        "logs/write_matrices/{group}.log",
    benchmark:
        "benchmarks/write_matrices/{group}.tsv"
    wildcard_constraints:
        group=one_of(WEIGHED),
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(group_needs.matrices_mb),
        runtime=group_minutes(group_needs.matrices_minutes),
    params:
        method=METHOD["write_matrices"],
        measures=config["groups"]["matrices"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
    message:
        "Writing the matrices of {wildcards.group}"
    script:
        "../scripts/relations/write_matrices.py"


rule rank_tensors:
    """List the tensors in which the models of a group's pairs differ most, and how all are spread."""
    input:
        fingerprints=group_fingerprints,
        renamings="results/renamings.json",
        shards=shard_files,
        matrices="results/groups/{group}/matrices",
    output:
        table="results/groups/{group}/tensors.parquet",
        spread="results/groups/{group}/spread.parquet",
    log:
        "logs/rank_tensors/{group}.log",
    benchmark:
        "benchmarks/rank_tensors/{group}.tsv"
    wildcard_constraints:
        group=one_of(WEIGHED),
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(partial(group_needs.ranking_mb, **config["atlas"])),
        runtime=group_minutes(group_needs.ranking_minutes),
    params:
        method=METHOD["rank_tensors"],
        measured_by=METHOD["measure_distances"],
        models=lambda wildcards: sorted(GROUPS[wildcards.group].models),
        base=lambda wildcards: GROUPS[wildcards.group].base,
        pairs=config["atlas"]["pairs"],
        tensors=config["atlas"]["tensors"],
    message:
        "Ranking the tensors of pairs of {wildcards.group}"
    script:
        "../scripts/relations/rank_tensors.py"


rule export_notebook:
    """Write a group's matrices as the notebook has them."""
    input:
        matrices="results/groups/{group}/matrices",
    output:
        notebook="results/groups/{group}/notebook.json",
    log:
        "logs/export_notebook/{group}.log",
    benchmark:
        "benchmarks/export_notebook/{group}.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["export_notebook"],
        paths=lambda wildcards: {
            model: str(MODELS[model].path) for model in GROUPS[wildcards.group].models
        },
    message:
        "Writing {wildcards.group} in the notebook's format"
    script:
        "../scripts/relations/export_notebook.py"


rule trace_path:
    """Trace the path of an ordered group: steps, turns, and how straight it is."""
    input:
        matrices="results/groups/{group}/matrices",
    output:
        table="results/groups/{group}/path.csv",
    log:
        "logs/trace_path/{group}.log",
    benchmark:
        "benchmarks/trace_path/{group}.tsv"
    wildcard_constraints:
        group=one_of(ORDERED),
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(group_needs.matrices_mb),
        runtime=group_minutes(group_needs.matrices_minutes),
    params:
        method=METHOD["trace_path"],
        imported=lambda wildcards: wildcards.group not in WEIGHED,
    message:
        "Tracing the path of {wildcards.group}"
    script:
        "../scripts/relations/trace_path.py"


rule plot_group:
    """Draw a group's heatmaps, trees, maps, spectral graphs, lines and blocks."""
    input:
        matrices="results/groups/{group}/matrices",
        identity=group_identity,
        described=group_description,
        distances=group_distances,
        pair=pair_of_group,
    output:
        folder=report(
            directory("results/groups/{group}/plots"),
            patterns=["{component}.{kind}.png"],
            category="Groups",
            subcategory="{group}",
            labels={"component": "{component}", "show": "{kind}"},
            caption="../docs/captions/plots.rst",
        ),
    log:
        "logs/plot_group/{group}.log",
    benchmark:
        "benchmarks/plot_group/{group}.tsv"
    conda:
        "../envs/plots.yaml"
    resources:
        mem_mb=group_memory(group_needs.plots_mb),
        runtime=for_group(group_needs.plots_minutes),
    params:
        method=METHOD["plot_group"],
        measure=config["plots"]["measure"],
        base=lambda wildcards: GROUPS[wildcards.group].base,
        reference=reference_of_group,
        ordered=lambda wildcards: GROUPS[wildcards.group].ordered,
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
        imported=lambda wildcards: wildcards.group not in WEIGHED,
        tags=lambda wildcards: tags_of(GROUPS[wildcards.group].models),
    message:
        "Drawing {wildcards.group}"
    script:
        "../scripts/relations/plot_group.py"


rule pairs:
    """Two models tensor by tensor, for the groups that ask for pairs."""
    input:
        needs_roster,
        [f"results/pairs/{a}/{b}.parquet" for a, b in asked_pairs()],
        [
            picture
            for a, b in asked_pairs()
            for picture in pictures(f"results/pairs/{a}/{b}", "pair", "png")
        ],


rule compare_pair:
    """Compare two models tensor by tensor, and block by block."""
    input:
        fingerprints=pair_fingerprints,
        renamings="results/renamings.json",
        shards=shard_files,
    output:
        table="results/pairs/{a}/{b}.parquet",
        blocks="results/pairs/{a}/{b}.blocks.parquet",
    log:
        "logs/compare_pair/{a}/{b}.log",
    benchmark:
        "benchmarks/compare_pair/{a}/{b}.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=1500,
        runtime=minutes_for(gb_per_minute=1),
    params:
        method=METHOD["compare_pair"],
        measured_by=METHOD["measure_distances"],
    message:
        "Comparing {wildcards.a} with {wildcards.b} tensor by tensor"
    script:
        "../scripts/relations/compare_pair.py"


rule plot_pair:
    """Draw where two models differ, block by block and tensor by tensor."""
    input:
        table="results/pairs/{a}/{b}.parquet",
        blocks="results/pairs/{a}/{b}.blocks.parquet",
    output:
        pictures=report(
            pictures("results/pairs/{a}/{b}", "pair", "png"),
            category="Pairs",
            labels={"a": "{a}", "b": "{b}"},
            caption="../docs/captions/pair.rst",
        ),
        drawings=pictures("results/pairs/{a}/{b}", "pair", "svg"),
    log:
        "logs/plot_pair/{a}/{b}.log",
    benchmark:
        "benchmarks/plot_pair/{a}/{b}.tsv"
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
        "../scripts/relations/plot_pair.py"
