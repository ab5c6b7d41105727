"""Entries of the catalogue as diffusers folders."""

import json
from pathlib import Path

from atlas.architectures import catalogue


def write_folder(folder: Path, name: str, called: dict[str, str] | None = None) -> None:
    """Write an entry of the catalogue as a diffusers folder: configuration files only."""
    entry = catalogue.load(name)
    index: dict[str, object] = {
        "_class_name": "SomePipeline",
        "scheduler": ["diffusers", entry.sampling.scheduler],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "safety_checker": [None, None],
    }
    for component, facts in entry.components.items():
        stored = (called or {}).get(component, component)
        index[stored] = [facts.library, facts.class_name]
        (folder / stored).mkdir(parents=True)
        config = {"_class_name": facts.class_name, "_diffusers_version": "0.0.0", **facts.config}
        (folder / stored / "config.json").write_text(json.dumps(config))
    scheduler = {"_class_name": entry.sampling.scheduler, **entry.sampling.scheduler_config}
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    (folder / "model_index.json").write_text(json.dumps(index))
