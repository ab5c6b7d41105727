include: "architectures_common.smk"


ARCHITECTURES = choice.chosen(
    config["architectures"]["names"],
    setting="architectures › names",
    roster=CHECKPOINTS,
)


rule architectures:
    """Sizes, memory and diagrams of published architectures; no weights are needed."""
    input:
        expand("results/architectures/summary.{suffix}", suffix=["csv", "md", "html"]),
        expand(
            "results/architectures/{name}.csv",
            name=["memory", "modes", "as_published"],
        ),
        expand(
            "results/architectures/{architecture}.blocks.csv",
            architecture=ARCHITECTURES,
        ),
        expand(
            "results/architectures/{picture}.{suffix}",
            picture=[*ARCHITECTURES, "overview"],
            suffix=["svg", "png"],
        ),
        "results/architectures/.checked",


# One job for all: importing torch and diffusers takes longer than surveying an architecture.
rule summarise_architectures:
    """Count the parameters and the memory of all architectures."""
    input:
        facts=lambda wildcards: facts_of(ARCHITECTURES),
        published=str(CONFIG / "published" / "sizes.yaml"),
        pipelines=str(CONFIG / "pipelines.yaml"),
        reproduced=published_facts("sizes"),
    output:
        summary=report(
            "results/architectures/summary.csv",
            category="Architectures",
            labels={"show": "summary as CSV"},
            caption="../docs/captions/architectures.rst",
        ),
        page="results/architectures/summary.md",
        html=report(
            "results/architectures/summary.html",
            category="Architectures",
            labels={"show": "summary"},
            caption="../docs/captions/architectures.rst",
        ),
        memory="results/architectures/memory.csv",
        modes="results/architectures/modes.csv",
        published="results/architectures/as_published.csv",
        blocks=expand(
            "results/architectures/{architecture}.blocks.csv",
            architecture=ARCHITECTURES,
        ),
        portraits=expand(
            "results/architectures/{architecture}.json", architecture=ARCHITECTURES
        ),
    log:
        "logs/summarise_architectures/all.log",
    benchmark:
        "benchmarks/summarise_architectures/all.tsv"
    conda:
        "../envs/networks.yaml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        method=METHOD["summarise_architectures"],
        calls=CALLS,
        streams=facts_digest("streams.yaml"),
        architectures=lambda wildcards: in_report(ARCHITECTURES),
        stated=stated_of(ARCHITECTURES),
        names=NAMES,
        sides=config["architectures"]["sides"],
    message:
        "Surveying the architectures on the meta device"
    script:
        "../scripts/architectures/summarise_architectures.py"


rule draw_architectures:
    """Draw the diagrams of all architectures."""
    input:
        portraits=rules.summarise_architectures.output.portraits,
    output:
        diagrams=[
            report(
                f"results/architectures/{architecture}.png",
                category="Architectures",
                labels={"show": architecture},
                caption="../docs/captions/diagrams.rst",
            )
            for architecture in ARCHITECTURES
        ],
        drawings=expand(
            "results/architectures/{architecture}.svg", architecture=ARCHITECTURES
        ),
        overview=report(
            "results/architectures/overview.png",
            category="Architectures",
            labels={"show": "overview"},
            caption="../docs/captions/overview.rst",
        ),
        overview_svg="results/architectures/overview.svg",
    log:
        "logs/draw_architectures/all.log",
    benchmark:
        "benchmarks/draw_architectures/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["draw_architectures"],
    message:
        "Drawing the architectures"
    script:
        "../scripts/architectures/draw_architectures.py"


# Fails, last of all, where an entry could not be counted: the others' results are made by then.
rule check_entries:
    """Fail, last of all, where an architecture could not be counted."""
    input:
        table="results/{wing}/summary.csv",
    output:
        touch("results/{wing}/.checked"),
    log:
        "logs/check_entries/{wing}.log",
    benchmark:
        "benchmarks/check_entries/{wing}.tsv"
    wildcard_constraints:
        wing="architectures|macs",
    localrule: True  # a second's work, not worth a job of a cluster
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["check_entries"],
    message:
        "Checking that every architecture could be counted: {wildcards.wing}"
    script:
        "../scripts/architectures/check_entries.py"
