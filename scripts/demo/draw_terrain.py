"""Draw the height maps that the demo's terrain networks make from the same noise."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import configure_logging
from atlas.plots import style
from atlas_demo.terrain import networks
from atlas_demo.terrain import picture as pictures

DIFFICULTIES = (20.0, 50.0, 90.0)
SIZE = 128


def main(*, folders: dict[str, Path], threads: int, picture: Path) -> None:
    """Draw one map for each network and difficulty; networks are told apart by their labels."""
    if not folders:
        raise AtlasError("the roster has no terrain networks to draw: use config/roster.yaml")
    torch.set_num_threads(threads)
    noise = torch.randn(
        len(DIFFICULTIES), 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0)
    )
    maps = {}
    for label, folder in folders.items():
        with torch.no_grad():
            drawn = networks.load(folder).draw(noise, torch.tensor(DIFFICULTIES))
        maps[label] = drawn.clamp(-1, 1)[:, 0].numpy()
    figure = pictures.draw(
        maps,
        difficulties=DIFFICULTIES,
        title="From the same noise, relatives draw the same land; training raised the sea",
    )
    style.save(figure, picture.with_suffix(""))


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        folders=dict(zip(snakemake.params.labels, map(Path, snakemake.input.folders), strict=True)),
        threads=snakemake.threads,
        picture=Path(snakemake.output.png),
    )
