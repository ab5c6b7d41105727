"""
Encode 60 words by full-size CLIP-L and OpenCLIP bigG of random weights, each text three ways.

The baseline is transformers called by hand: the whole folder loaded by from_pretrained, one text
after the other, all hidden states; no tables. Ours is the job's script from start to end: weights
found in the file, six forms, three measures of each two texts, a sealed shard.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.common.lines import Line, seconds, size
from bench.common.measuring import run

WORDS = [
    f"{first}{second}" for first in "bdfgklmnpr" for second in ("at", "en", "ig", "ol", "um", "a")
]
"""60 of three letters."""
SIZES = {
    "CLIP-L": {
        "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
        "num_attention_heads": 12, "hidden_act": "quick_gelu", "projection_dim": 768,
    },
    "bigG": {
        "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32,
        "num_attention_heads": 20, "hidden_act": "gelu", "projection_dim": 1280,
    },
}  # fmt: skip
MERGES = 48_894
MOST_SECONDS, MOST_BYTES = 30, 2e9
"""That CLIP-L may take."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Run both ways, each in a process of its own."""
    for name in list(SIZES)[: 1 if quick else None]:
        place = folder / f"words-{name}"
        run("bench.embeddings.words", "make", place, name)
        by_hand = run("bench.embeddings.words", "by_hand", place, name)
        own = run("bench.embeddings.words", "ours", place, name)
        what = f"{name}, {len(WORDS)} words, {own.said['texts']} texts"
        ratio = None if quick else own.wall / by_hand.wall
        yield Line(f"{what}: time", seconds(by_hand.wall), seconds(own.wall), ratio, "≤ 1.2")
        ratio = None if quick else own.peak_bytes / by_hand.peak_bytes
        peaks = size(by_hand.peak_bytes), size(own.peak_bytes)
        yield Line(f"{what}: peak memory", *peaks, ratio, "≤ 1.2")
        if name == "CLIP-L":
            limit, most = seconds(MOST_SECONDS), size(MOST_BYTES)
            yield Line(f"{what}: limit", limit, seconds(own.wall), own.wall / MOST_SECONDS, "≤ 1")
            ratio = own.peak_bytes / MOST_BYTES
            yield Line(f"{what}: limit of memory", most, size(own.peak_bytes), ratio, "≤ 1")


def make(place: Path, name: str) -> dict[str, float]:
    """Write a folder of random weights in float16, a tokeniser of CLIP's size, and the list."""
    import torch
    import transformers

    from atlas.basis import sealed
    from atlas.checkpoint import open_checkpoint
    from atlas.embeddings import encoders
    from atlas.fingerprints import fingerprint
    from atlas.networks import clip_vocabulary

    kind = "CLIPTextModelWithProjection" if name == "bigG" else "CLIPTextModel"
    torch.manual_seed(0)
    config = transformers.CLIPTextConfig(
        **SIZES[name], vocab_size=49_408, bos_token_id=49_406, eos_token_id=49_407
    )
    network = getattr(transformers, kind)(config).half()
    network.save_pretrained(place / "text_encoder")
    characters = clip_vocabulary.byte_characters()
    merges = [f"{first} {second}" for first in characters for second in characters][:MERGES]
    clip_vocabulary.write(merges, place / "tokenizer", context=77)
    index = {"text_encoder": ["transformers", kind], "tokenizer": ["transformers", "CLIPTokenizer"]}
    (place / "model_index.json").write_text(json.dumps({"_class_name": "Pipeline", **index}))
    told = {"sentence": "a photo of a {}", "words": WORDS}
    (place / "words.yaml").write_text(json.dumps(told))
    opened = open_checkpoint(place)
    sealed.write(fingerprint.table(opened), place / "print.parquet", fingerprint.notes(opened))
    found = encoders.find("model", place / "print.parquet", place, encoders.Places())
    (place / "encoders.json").write_text(encoders.dumped(found))
    return {}


def by_hand(place: Path, name: str) -> dict[str, float]:
    """Encode one text after the other."""
    import torch
    import transformers

    from atlas.embeddings import word_lists

    kind = "CLIPTextModelWithProjection" if name == "bigG" else "CLIPTextModel"
    network = getattr(transformers, kind).from_pretrained(place / "text_encoder").float().eval()
    tokenizer = transformers.CLIPTokenizer.from_pretrained(place / "tokenizer")
    texts = [row.text for row in word_lists.read(place / "words.yaml").rows]
    kept = []
    with torch.no_grad():
        for text in texts:
            told = tokenizer(text, padding="max_length", max_length=77, return_tensors="pt")
            output = network(told.input_ids, output_hidden_states=True)
            kept.append((output.last_hidden_state, output.hidden_states[-2]))
    return {"texts": len(kept)}


def ours(place: Path) -> dict[str, Any]:
    """Run the job's own script."""
    sys.path.append(str(Path(__file__).parents[2] / "scripts" / "embeddings"))
    from encode_words import main  # type: ignore[import-not-found]

    from atlas.embeddings import word_lists

    begin = time.perf_counter()
    main(
        record=place / "encoders.json",
        words=place / "words.yaml",
        models={"model": place},
        architectures={},
        weights={},
        shard=0,
        shards=1,
        forms=["pooled", "last"],
        table=place / "0.parquet",
        tally=place / "tally.json",
        method=int(begin),  # never as a run before: all is encoded
        threads=2,
        device="cpu",
        dtype="f32",
    )
    assert json.loads((place / "tally.json").read_text())["encoded"] == 1
    return {"texts": len(word_lists.read(place / "words.yaml").rows)}


if __name__ == "__main__":
    way, where, which = sys.argv[1:]
    ways = {"make": make, "by_hand": by_hand}
    print(json.dumps(ways[way](Path(where), which) if way in ways else ours(Path(where))))
