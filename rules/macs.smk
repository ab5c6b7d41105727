MACS = config["macs"]
PROFILED = choice.chosen(
    MACS["architectures"], setting="macs › architectures", roster=CHECKPOINTS
)


rule macs:
    """Multiply-accumulates of published architectures, by component, block and image; no weights."""
    input:
        findings="results/macs/findings.txt",
        pages=multiext("results/macs/summary", ".csv", ".md", ".html"),
        pictures="results/macs/plots",
        measured=["results/macs/measured.csv"] if MACS["measure"] else [],
    log:
        "logs/macs/all.log",
    localrule: True
    conda:
        "../envs/networks.yaml"
    message:
        "What was found:"
    shell:
        "tee {log:q} < {input.findings:q}"


# One job for all architectures: importing torch and the model libraries takes longer than the
# profile of any of them.
rule profile_macs:
    """Count the multiply-accumulates of all architectures' modules."""
    input:
        facts=lambda wildcards: facts_of(PROFILED),
    output:
        profiles=expand("results/macs/{architecture}.csv", architecture=PROFILED),
        counters=expand(
            "results/macs/{architecture}.counters.csv", architecture=PROFILED
        ),
    log:
        "logs/profile_macs/all.log",
    benchmark:
        "benchmarks/profile_macs/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        method=METHOD["profile_macs"],
        architectures=lambda wildcards: in_report(PROFILED),
        stated=stated_of(PROFILED),
        names=NAMES,
        resolutions=MACS["resolutions"],
        batch=MACS["batch"],
        text_length=MACS["text_length"],
    message:
        "Counting the MACs of all architectures"
    script:
        "../scripts/macs/profile_macs.py"


rule reproduce_published_macs:
    """Make the published table of MACs again, and single figures that others have published."""
    input:
        published=str(CONFIG / "published" / "macs.yaml"),
        checked=str(CONFIG / "published" / "cross_checks.yaml"),
        reproduced=published_facts("macs"),
        counted=published_facts("cross_checks"),
    output:
        table="results/macs/as_published.csv",
        checks="results/macs/cross_checks.csv",
    log:
        "logs/reproduce_published_macs/all.log",
    benchmark:
        "benchmarks/reproduce_published_macs/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        method=METHOD["reproduce_published_macs"],
    message:
        "Making the published table of MACs again"
    script:
        "../scripts/macs/reproduce_published_macs.py"


rule summarise_macs:
    """Add up what an image costs with each architecture."""
    input:
        facts=lambda wildcards: facts_of(PROFILED),
        profiles=rules.profile_macs.output.profiles,
        counters=rules.profile_macs.output.counters,
        as_published=rules.reproduce_published_macs.output.table,
        checks=rules.reproduce_published_macs.output.checks,
    output:
        csv="results/macs/summary.csv",
        markdown="results/macs/summary.md",
        html=report(
            "results/macs/summary.html",
            category="MACs",
            labels={"show": "summary"},
            caption="../docs/captions/macs.rst",
        ),
        counters="results/macs/counters.csv",
        findings="results/macs/findings.txt",
    log:
        "logs/summarise_macs/all.log",
    benchmark:
        "benchmarks/summarise_macs/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["summarise_macs"],
        architectures=lambda wildcards: in_report(PROFILED),
        stated=stated_of(PROFILED),
        names=NAMES,
        steps=MACS["steps"],
        guidance=MACS["guidance"],
    message:
        "Adding up what an image costs"
    script:
        "../scripts/macs/summarise_macs.py"


rule draw_macs:
    """Draw what images cost."""
    input:
        profiles=rules.profile_macs.output.profiles,
        summary=rules.summarise_macs.output.csv,
        as_published=rules.reproduce_published_macs.output.table,
    output:
        folder=report(
            directory("results/macs/plots"),
            patterns=["{picture}.png"],
            category="MACs",
            labels={"show": "{picture}"},
            caption="../docs/captions/macs_pictures.rst",
        ),
    log:
        "logs/draw_macs/all.log",
    benchmark:
        "benchmarks/draw_macs/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["draw_macs"],
        names=list(PROFILED),
    message:
        "Drawing what images cost"
    script:
        "../scripts/macs/draw_macs.py"


rule measure_macs:
    """Measure the forwards of denoisers on a GPU."""
    output:
        table="results/macs/measured.csv",
    log:
        "logs/measure_macs/all.log",
    benchmark:
        "benchmarks/measure_macs/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=8000,
        runtime=30,
        gpu=1,
    params:
        method=METHOD["measure_macs"],
        facts=facts_digest("architectures"),
    message:
        "Measuring denoisers' forwards on a GPU"
    script:
        "../scripts/macs/measure_macs.py"
