"""A network of the demo's terrain networks' size and shape, with random weights, and a dataset."""

from pathlib import Path

from atlas.activations.datasets import Dataset, Origin, UmapSettings
from atlas.activations.probes.probe import Probe
from atlas.activations.probes.registry import chosen
from atlas.networks.sources import Source

CHANNELS = (32, 32, 64, 96, 128)
DOWN = ("ResnetDownsampleBlock2D",) * 2 + ("AttnDownBlock2D",) * 3
UP = ("AttnUpBlock2D",) * 3 + ("ResnetUpsampleBlock2D",) * 2


def probe(folder: Path, *, side: int) -> Probe:
    """Return the probe of the network, which is written below a folder where it is not there."""
    if not folder.exists():
        import torch
        from diffusers import UNet2DModel

        torch.manual_seed(0)
        network = UNet2DModel(
            sample_size=side,
            in_channels=1,
            out_channels=1,
            block_out_channels=CHANNELS,
            down_block_types=DOWN,
            up_block_types=UP,
            layers_per_block=4,
            attention_head_dim=32,
            downsample_type="resnet",
            upsample_type="resnet",
            resnet_time_scale_shift="scale_shift",
            attn_norm_num_groups=32,
        )
        network.save_pretrained(folder / "unet")
    return chosen(Source("network", folder), {}, name="unet")


def dataset(*, samples: int, batch: int, store: str) -> Dataset:
    """Return a dataset of one chunk."""
    return Dataset(
        name="bench",
        origins=(Origin("network", Path("network")),),
        probe="unet",
        layers=("down.2", "mid", "up.2"),
        samples=samples,
        seed=0,
        store=store,
        dtype="float16",
        keep_raw=True,
        images="thumbnail",
        real=None,
        chunk=samples,
        batch=batch,
        threads=1,
        device="cpu",
        embed="mean",
        memory_mb=500,
        components=64,
        neighbours=20,
        umap=UmapSettings(15, 0.1, "euclidean", 42, False, "umap-learn"),
        configuration=None,
        options={},
    )
