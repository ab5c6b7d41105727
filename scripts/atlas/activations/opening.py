"""The probe of a dataset's model, ready to tell or to load."""

import logging
from pathlib import Path

from atlas.activations.datasets import Dataset, Origin
from atlas.activations.probes import registry
from atlas.activations.probes.probe import Probe
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source

WANTED = ["*.json", "*.txt", "*.model", "*.safetensors", "*.bin"]
NOT_WANTED = ["*.fp16.*", "*non_ema*", "*onnx*", "*openvino*", "safety_checker/*", "flax_*"]
"""Of a repository on the hub: what a run needs, and the same again in other forms."""

LOG = logging.getLogger(__name__)


def probe_of(dataset: Dataset, model: str) -> Probe:
    """
    Return the probe of one of a dataset's models; no weight is read.

    Raises
    ------
    AtlasError
        The model can't be opened, is of no known kind, or does not allow the dataset's options.
    """
    origin = dataset.origin(model)
    source = Source(
        name=origin.name,
        path=_fetched(origin.repository) if origin.path is None else origin.path,
        architecture=origin.architecture,
        weights=origin.weights,
        configuration=dataset.configuration,
    )
    try:
        return registry.chosen(source, dataset.options, name=dataset.probe)
    except AtlasError as error:
        raise AtlasError(f"activations › {dataset.name} › {_called(origin)}: {error}") from error


def _called(origin: Origin) -> str:
    return origin.name if origin.repository is None else origin.repository


def _fetched(repository: str | None) -> Path:
    """Return the folder of a repository on the hub, downloaded where it is not in the cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    assert repository is not None
    LOG.info("looking for %s on the hub", repository)
    try:
        return Path(
            snapshot_download(repository, allow_patterns=WANTED, ignore_patterns=NOT_WANTED)
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise AtlasError(
            f"{repository}: could not be fetched from the hub ({type(error).__name__}), and there "
            "is no file or folder of this name here; check the name and the network, or download "
            "it elsewhere and give its path"
        ) from error
