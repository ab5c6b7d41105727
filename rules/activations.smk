include: "activations_common.smk"


wildcard_constraints:
    dataset=one_of(DATASETS),
    chunk=r"(real-)?\d+",


rule activations:
    """What layers of networks see while they draw: maps, neighbours, a viewer for each dataset."""
    input:
        findings=expand("results/activations/{dataset}/findings.txt", dataset=DATASETS),
        viewers=expand("results/activations/{dataset}/viewer.html", dataset=DATASETS),
        maps=expand("results/activations/{dataset}/map.png", dataset=DATASETS),
        plans=expand(
            "results/activations/{dataset}/plan_vs_measured.csv", dataset=DATASETS
        ),
        similarity=expand(
            "results/activations/{dataset}/similarity.csv", dataset=COMPARED
        ),
        as_published="results/activations/as_published.csv",
    log:
        "logs/activations/all.log",
    localrule: True
    conda:
        "../envs/activations.yaml"
    message:
        "What was found:"
    shell:
        "cat {input.findings:q} < /dev/null | tee {log:q}"


rule activation_plan:
    """What each dataset of activations takes, before anything is drawn."""
    input:
        summaries=expand("results/activations/{dataset}/plan.txt", dataset=DATASETS),
    log:
        "logs/activation_plan/all.log",
    localrule: True
    conda:
        "../envs/activations.yaml"
    message:
        "What the datasets take:"
    shell:
        "cat {input.summaries:q} < /dev/null | tee {log:q}"


# A checkpoint, so that what comes after is looked at anew when a plan has changed: plans are no newer
# than what they were made for, and Snakemake looks at no changed param behind a job that is to run.
checkpoint plan_activations:
    """Foretell the shapes, times and bytes of a dataset from headers alone."""
    input:
        networks=all_network_files,
    output:
        plan="results/activations/{dataset}/plan.csv",
        summary="results/activations/{dataset}/plan.txt",
        dataset="results/activations/{dataset}/dataset.json",
    log:
        "logs/plan_activations/{dataset}.log",
    benchmark:
        "benchmarks/plan_activations/{dataset}.tsv"
    conda:
        "../envs/activations.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        method=METHOD["plan_activations"],
        dataset=lambda wildcards: in_report(dataset_of(wildcards).plain()),
        facts=facts_digest("activations", "probes", "calls"),
    message:
        "Planning the dataset {wildcards.dataset}"
    script:
        "../scripts/activations/plan_activations.py"


rule generate_activations:
    """Draw one chunk of a dataset's samples and keep what the layers see."""
    input:
        # What it says of this chunk stands in the params.
        dataset=ancient("results/activations/{dataset}/dataset.json"),
        plan=ancient("results/activations/{dataset}/plan.csv"),
        network=network_files,
        prompts=prompt_file,
        real=real_folder,
    output:
        folder=directory("results/activations/{dataset}/chunks/{model}/{chunk}"),
        record="results/activations/{dataset}/chunks/{model}/{chunk}.json",
    log:
        "logs/generate_activations/{dataset}/{model}/{chunk}.log",
    benchmark:
        "benchmarks/generate_activations/{dataset}/{model}/{chunk}.tsv"
    wildcard_constraints:
        dataset=one_of([name for name in DATASETS if name not in PASSING]),
        model="[^/]+",
    conda:
        "../envs/activations.yaml"
    threads: lambda wildcards: dataset_of(wildcards).threads
    resources:
        mem_mb=planned("mem_mb", "generate_activations"),
        disk_mb=planned("disk_mb", "generate_activations"),
        runtime=planned("runtime", "generate_activations"),
        gpu=lambda wildcards: int(dataset_of(wildcards).device == "cuda"),
    params:
        method=METHOD["generate_activations"],
        drawing=drawing_of,
        facts=facts_digest("probes"),
        span=lambda wildcards: dataset_of(wildcards).span(wildcards.chunk),
        names=NAMES,
    message:
        "Drawing chunk {wildcards.chunk} of {wildcards.dataset} with {wildcards.model}"
    script:
        "../scripts/activations/generate_activations.py"


# The same where maps are deleted when everything is made from them.
use rule generate_activations as generate_passing_activations with:
    """The same for a chunk whose files go once they are collected."""
    output:
        folder=directory("results/activations/{dataset}/chunks/{model}/{chunk}"),
        record="results/activations/{dataset}/chunks/{model}/{chunk}.json",
        maps=temp(directory("results/activations/{dataset}/passing/{model}/{chunk}")),
    wildcard_constraints:
        dataset=one_of(PASSING),
        model="[^/]+",


rule collect_activations:
    """Gather the chunks of a dataset by layer."""
    input:
        chunks=chunk_folders,
    output:
        samples="results/activations/{dataset}/samples.parquet",
        layers=directory("results/activations/{dataset}/layers"),
    log:
        "logs/collect_activations/{dataset}.log",
    benchmark:
        "benchmarks/collect_activations/{dataset}.tsv"
    conda:
        "../envs/activations.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        method=METHOD["collect_activations"],
    message:
        "Putting the chunks of {wildcards.dataset} together"
    script:
        "../scripts/activations/collect_activations.py"


rule embed_activations:
    """Make maps and neighbours of what layers saw."""
    input:
        dataset=ancient("results/activations/{dataset}/dataset.json"),
        plan=ancient("results/activations/{dataset}/plan.csv"),
        # All bytes of the chunks were checked for it.
        samples="results/activations/{dataset}/samples.parquet",
        chunks=chunk_folders,
        maps=passing_maps,
    output:
        points="results/activations/{dataset}/umap.csv",
        table="results/activations/{dataset}/umap.parquet",
        neighbours="results/activations/{dataset}/neighbours.parquet",
        quality="results/activations/{dataset}/quality.csv",
        findings="results/activations/{dataset}/findings.txt",
        record="results/activations/{dataset}/embedding.json",
    log:
        "logs/embed_activations/{dataset}.log",
    benchmark:
        "benchmarks/embed_activations/{dataset}.tsv"
    conda:
        "../envs/activations.yaml"
    resources:
        mem_mb=planned("mem_mb", "embed_activations"),
        runtime=planned("runtime", "embed_activations"),
    params:
        method=METHOD["embed_activations"],
        embedding=lambda wildcards: in_report(dataset_of(wildcards).embedding()),
    message:
        "Embedding {wildcards.dataset}"
    script:
        "../scripts/activations/embed_activations.py"


rule draw_activations:
    """Draw a dataset's maps."""
    input:
        dataset=ancient("results/activations/{dataset}/dataset.json"),
        points=rules.embed_activations.output.points,
        quality=rules.embed_activations.output.quality,
    output:
        png=report(
            "results/activations/{dataset}/map.png",
            category="Activations",
            labels={"dataset": "{dataset}", "show": "map"},
            caption="../docs/captions/activations.rst",
        ),
        svg="results/activations/{dataset}/map.svg",
    log:
        "logs/draw_activations/{dataset}.log",
    benchmark:
        "benchmarks/draw_activations/{dataset}.tsv"
    conda:
        "../envs/activations.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["draw_activations"],
    message:
        "Drawing the maps of {wildcards.dataset}"
    script:
        "../scripts/activations/draw_activations.py"


rule write_viewer:
    """Write the page in which a dataset's maps are explored."""
    input:
        dataset=ancient("results/activations/{dataset}/dataset.json"),
        points=rules.embed_activations.output.points,
        neighbours=rules.embed_activations.output.neighbours,
        quality=rules.embed_activations.output.quality,
        chunks=chunk_folders,
    output:
        page=report(
            "results/activations/{dataset}/viewer.html",
            category="Activations",
            labels={"dataset": "{dataset}", "show": "viewer"},
            caption="../docs/captions/activations.rst",
        ),
    log:
        "logs/write_viewer/{dataset}.log",
    benchmark:
        "benchmarks/write_viewer/{dataset}.tsv"
    conda:
        "../envs/activations.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        method=METHOD["write_viewer"],
    message:
        "Writing the viewer of {wildcards.dataset}"
    script:
        "../scripts/activations/write_viewer.py"


rule compare_activations:
    """Compare what layers of two networks see."""
    input:
        dataset=ancient("results/activations/{dataset}/dataset.json"),
        samples="results/activations/{dataset}/samples.parquet",
        chunks=chunk_folders,
        maps=passing_maps,
        networks=all_network_files,
    output:
        table="results/activations/{dataset}/similarity.csv",
        pictures=report(
            directory("results/activations/{dataset}/similarity"),
            patterns=["{picture}.png"],
            category="Activations",
            labels={"dataset": "{dataset}", "show": "{picture}"},
            caption="../docs/captions/activations_similarity.rst",
        ),
    log:
        "logs/compare_activations/{dataset}.log",
    benchmark:
        "benchmarks/compare_activations/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(COMPARED),
    conda:
        "../envs/activations.yaml"
    resources:
        mem_mb=lambda wildcards: dataset_of(wildcards).memory_mb + 1500,
        runtime=60,
    params:
        method=METHOD["compare_activations"],
        of=lambda wildcards: dataset_of(wildcards).embed,
        neighbours=lambda wildcards: dataset_of(wildcards).neighbours,
    message:
        "Comparing what the networks of {wildcards.dataset} see"
    script:
        "../scripts/activations/compare_activations.py"


rule compare_plan:
    """Compare what a dataset took with its plan."""
    input:
        plan="results/activations/{dataset}/plan.csv",
        records=chunk_records,
        embedding=rules.embed_activations.output.record,
        made=[
            rules.collect_activations.output.samples,
            rules.embed_activations.output.points,
            rules.embed_activations.output.neighbours,
            rules.write_viewer.output.page,
        ],
    output:
        table="results/activations/{dataset}/plan_vs_measured.csv",
    log:
        "logs/compare_plan/{dataset}.log",
    benchmark:
        "benchmarks/compare_plan/{dataset}.tsv"
    conda:
        "../envs/activations.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["compare_plan"],
    message:
        "Holding the plan of {wildcards.dataset} against what it took"
    script:
        "../scripts/activations/compare_plan.py"


rule reproduce_published_plans:
    """Make published figures of activation datasets again."""
    input:
        published=str(CONFIG / "published" / "activations.yaml"),
    output:
        table="results/activations/as_published.csv",
        page="results/activations/as_published.md",
    log:
        "logs/reproduce_published_plans/all.log",
    benchmark:
        "benchmarks/reproduce_published_plans/all.tsv"
    conda:
        "../envs/activations.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        method=METHOD["reproduce_published_plans"],
        facts=facts_digest("architectures", "activations", "calls"),
    message:
        "Making published figures of activation datasets again"
    script:
        "../scripts/activations/reproduce_published_plans.py"


rule export_chunk:
    """Write one chunk of activations as NPZ."""
    input:
        chunk="results/activations/{dataset}/chunks/{model}/{chunk}",
    output:
        archive="results/activations/{dataset}/npz/{model}/{chunk}.npz",
        metadata="results/activations/{dataset}/npz/{model}/{chunk}.json",
    log:
        "logs/export_chunk/{dataset}/{model}/{chunk}.log",
    benchmark:
        "benchmarks/export_chunk/{dataset}/{model}/{chunk}.tsv"
    wildcard_constraints:
        model="[^/]+",
    conda:
        "../envs/activations.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        method=METHOD["export_chunk"],
    message:
        "Writing chunk {wildcards.chunk} of {wildcards.dataset} as NPZ"
    script:
        "../scripts/activations/export_chunk.py"
