from atlas.macs import additions

MACS = config["macs"]
# What figures are of, and what every text on them says.
ASKED = {
    name: MACS[name]
    for name in ("resolutions", "steps", "batch", "text_length", "text_cap", "guidance")
}
# What videos and edited images are made of, for what makes them.
GIVEN = {name: MACS[name] for name in ("frames", "references", "reference_pixels")}
PROFILED = choice.chosen(
    MACS["architectures"], setting="macs › architectures", roster=CHECKPOINTS
)

# The target `additions` asks for all that ship where the settings name none.
ADDED = additions.chosen(MACS["with"] or additions.ALL, setting="macs › with")


rule macs:
    """Multiply-accumulates of published architectures, by component, block and image; no weights."""
    input:
        findings="results/macs/findings.txt",
        pages=multiext("results/macs/summary", ".csv", ".md", ".html"),
        pictures="results/macs/plots",
        checked="results/macs/.checked",
        bounds=multiext("results/macs/bounds", ".csv", ".md"),
        explorer="results/macs/explorer.html",
        measured=["results/macs/measured.csv"] if MACS["measure"] else [],
        additions="results/macs/additions.txt" if MACS["with"] else [],
    log:
        "logs/macs/all.log",
    localrule: True
    conda:
        "../envs/networks.yaml"
    message:
        "What was found:"
    shell:
        "cat {input.findings:q} {input.additions:q} | tee {log:q}"


rule additions:
    """What ControlNets, adapters and LoRAs cost on top; no weights are needed."""
    input:
        findings="results/macs/additions.txt",
    log:
        "logs/additions/all.log",
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
        calls=CALLS,
        architectures=lambda wildcards: in_report(PROFILED),
        stated=stated_of(PROFILED),
        names=NAMES,
        resolutions=MACS["resolutions"],
        batch=MACS["batch"],
        text_length=MACS["text_length"],
        text_cap=MACS["text_cap"],
        given=GIVEN,
    message:
        "Counting the MACs of all architectures"
    script:
        "../scripts/macs/profile_macs.py"


rule profile_additions:
    """Count what ControlNets, adapters and LoRAs cost on top of the architectures."""
    input:
        facts=lambda wildcards: facts_of(PROFILED),
        additions=list(ADDED.values()),
    output:
        csv="results/macs/additions.csv",
        markdown="results/macs/additions.md",
        html=report(
            "results/macs/additions.html",
            category="MACs",
            labels={"show": "additions"},
            caption="../docs/captions/additions.rst",
        ),
        findings="results/macs/additions.txt",
    log:
        "logs/profile_additions/all.log",
    benchmark:
        "benchmarks/profile_additions/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        method=METHOD["profile_additions"],
        calls=CALLS,
        architectures=lambda wildcards: in_report(PROFILED),
        stated=stated_of(PROFILED),
        additions=lambda wildcards: in_report(ADDED),
        resolutions=MACS["resolutions"],
        batch=MACS["batch"],
        steps=MACS["steps"],
        guidance=MACS["guidance"],
    message:
        "Counting what additions cost on top"
    script:
        "../scripts/macs/profile_additions.py"


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
        calls=CALLS,
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
        settings=ASKED,
        given=GIVEN,
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
        settings=ASKED,
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
        facts=facts_digest("architectures", "calls"),
    message:
        "Measuring denoisers' forwards on a GPU"
    script:
        "../scripts/macs/measure_macs.py"


# One job for all, as that of the profiles.
rule fit_macs:
    """Fit exact formulas to what all architectures cost at a few small sizes."""
    input:
        facts=lambda wildcards: facts_of(PROFILED),
    output:
        table="results/macs/formulas.csv",
    log:
        "logs/fit_macs/all.log",
    benchmark:
        "benchmarks/fit_macs/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        method=METHOD["fit_macs"],
        calls=CALLS,
        architectures=lambda wildcards: in_report(PROFILED),
        stated=stated_of(PROFILED),
        names=NAMES,
    message:
        "Fitting formulas to the MACs of all architectures"
    script:
        "../scripts/macs/fit_macs.py"


rule bound_times:
    """Bound the times of images on GPUs from below."""
    input:
        facts=lambda wildcards: facts_of(PROFILED),
        devices=str(CONFIG / "devices.yaml"),
        formulas=rules.fit_macs.output.table,
        measured=rules.measure_macs.output.table if MACS["measure"] else [],
    output:
        table="results/macs/bounds.csv",
        markdown="results/macs/bounds.md",
    log:
        "logs/bound_times/all.log",
    benchmark:
        "benchmarks/bound_times/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["bound_times"],
        pipelines=facts_digest("pipelines.yaml"),
        architectures=lambda wildcards: in_report(PROFILED),
        stated=stated_of(PROFILED),
        names=NAMES,
        devices=MACS["devices"],
    message:
        "Bounding the times of images from below"
    script:
        "../scripts/macs/bound_times.py"


rule write_explorer:
    """Write the page to ask what images cost."""
    input:
        facts=lambda wildcards: facts_of(PROFILED),
        devices=str(CONFIG / "devices.yaml"),
        formulas=rules.fit_macs.output.table,
    output:
        page=report(
            "results/macs/explorer.html",
            category="MACs",
            labels={"show": "page to ask"},
            caption="../docs/captions/explorer.rst",
        ),
    log:
        "logs/write_explorer/all.log",
    benchmark:
        "benchmarks/write_explorer/all.tsv"
    conda:
        "../envs/networks.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["write_explorer"],
        pipelines=facts_digest("pipelines.yaml"),
        architectures=lambda wildcards: in_report(PROFILED),
        stated=stated_of(PROFILED),
        names=NAMES,
    message:
        "Writing the page to ask what images cost"
    script:
        "../scripts/macs/write_explorer.py"


rule explorer:
    """The page to ask what images cost."""
    input:
        rules.write_explorer.output.page,
