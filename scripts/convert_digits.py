"""Write a digits model as a diffusers folder."""

import shutil
from pathlib import Path

from atlas.demo.digits import facts, ldm_keys, pipeline_folder, single_file
from atlas.workflow import configure_logging


def main(*, checkpoint: Path, vocabulary: Path, folder: Path) -> None:
    """Write what diffusers' StableDiffusionPipeline loads, with the tokenizer."""
    components = ldm_keys.from_ldm(single_file.read(checkpoint), facts.sd1_keys())
    pipeline_folder.write(components, digits=facts.digits(), folder=folder)
    shutil.copytree(vocabulary, folder / "tokenizer", dirs_exist_ok=True)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        checkpoint=Path(snakemake.input.checkpoint),
        vocabulary=Path(snakemake.input.vocabulary),
        folder=Path(snakemake.output.folder),
    )
