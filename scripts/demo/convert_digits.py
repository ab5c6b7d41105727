"""Write a digits model as a diffusers folder."""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts
from atlas_demo.digits import ldm_keys, pipeline_folder, single_file


def main(*, checkpoint: Path, vocabulary: Path, folder: Path) -> None:
    """
    Write what diffusers' StableDiffusionPipeline loads, with the tokenizer.

    Parameters
    ----------
    checkpoint
        The model's single file.
    folder
        Where to write the diffusers folder.
    """
    components = ldm_keys.from_ldm(single_file.read(checkpoint), facts.sd1_keys())
    pipeline_folder.write(components, digits=facts.digits(), folder=folder)
    shutil.copytree(vocabulary, folder / "tokenizer", dirs_exist_ok=True)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        checkpoint=Path(snakemake.input.checkpoint),
        vocabulary=Path(snakemake.input.vocabulary),
        folder=Path(snakemake.output.folder),
    )
