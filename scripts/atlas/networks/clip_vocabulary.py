"""CLIP's byte-pair vocabulary: from OpenAI's one file to the two that tokenizers read."""

import json
from pathlib import Path
from typing import Any

START, END = "<|startoftext|>", "<|endoftext|>"


def merges_of(text: str, count: int) -> list[str]:
    """Return the pairs that are merged, in order; the file's first line is a title."""
    return text.split("\n")[1 : count + 1]


def tokens_of(merges: list[str]) -> list[str]:
    """
    Return all tokens in order of their ids.

    First the 256 bytes, then the same at a word's end, then what each merge makes, then the marks
    of start and end: openai/CLIP clip/simple_tokenizer.py.
    """
    characters = byte_characters()
    ends = [character + "</w>" for character in characters]
    return [*characters, *ends, *("".join(pair.split()) for pair in merges), START, END]


def byte_characters() -> list[str]:
    """
    Return the printable character that stands for each byte, in CLIP's order.

    Printable bytes of Latin-1 stand for themselves and come first; the others, in order, take the
    characters from 256 on.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    printable += range(ord("®"), ord("ÿ") + 1)
    others = 256 - len(printable)
    return [chr(code) for code in (*printable, *range(256, 256 + others))]


def write(merges: list[str], folder: Path, *, context: int) -> None:
    """Write vocab.json, merges.txt and tokenizer_config.json, as transformers reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = {token: number for number, token in enumerate(tokens_of(merges))}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": context}
    config |= {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
    (folder / "vocab.json").write_text(json.dumps(ids), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    lines = ["#version: 0.2", *merges, ""]
    (folder / "merges.txt").write_text("\n".join(lines), "utf-8")


def tokenizer(folder: Path) -> Any:
    """Return transformers' CLIPTokenizer of a folder that `write` wrote."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder)
