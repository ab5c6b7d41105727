"""
Datasets as the settings declare them: which models, what is kept, how it is embedded.

Nothing of torch here: the workflow is parsed with this.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from math import ceil
from pathlib import Path
from typing import Any, Protocol

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.paths import unusable
from atlas.basis.shipped import load
from atlas.basis.validation import Fault, FaultyFileError, schema, show

SETTINGS = "the configuration (config/config.yaml, --config)"
LARGEST_CHUNK = 128
"""Samples of a job where the settings name no number."""

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Listed(Protocol):
    """What a dataset takes of a model of the roster."""

    @property
    def path(self) -> Path:
        """Its checkpoint."""

    @property
    def architecture(self) -> str | None:
        """What the roster says of it."""

    @property
    def weights(self) -> str | None:
        """`raw`, `ema` or None."""


@dataclass(frozen=True)
class Origin:
    """Where a dataset's model comes from."""

    name: str
    """What it is called in results: its id, or made of its path."""
    path: Path | None
    """None for a repository on the hub."""
    repository: str | None = None
    architecture: str | None = None
    weights: str | None = None
    is_listed: bool = False
    """Whether it is a model of the roster."""


@dataclass(frozen=True)
class Real:
    """Real images that are shown to the network too."""

    folder: Path
    samples: int


@dataclass(frozen=True)
class UmapSettings:
    """How points are laid out, as in umap-learn."""

    neighbours: int
    min_dist: float
    metric: str
    seed: int
    parallel: bool
    backend: str


@dataclass(frozen=True)
class Dataset:
    """One dataset; config/activations/defaults.yaml tells what each setting means."""

    name: str
    origins: tuple[Origin, ...]
    probe: str
    layers: tuple[str, ...]
    samples: int
    seed: int
    store: str
    dtype: str
    keep_raw: bool
    images: str
    real: Real | None
    chunk: int
    batch: int
    threads: int
    device: str
    embed: str
    memory_mb: int
    components: int
    neighbours: int
    umap: UmapSettings
    configuration: Path | None
    """A folder with the configurations that a model lacks."""
    options: dict[str, Any]
    """For the probe: labels, prompts, steps, ..."""

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models, in the settings' order."""
        return tuple(origin.name for origin in self.origins)

    @property
    def has_maps(self) -> bool:
        """Whether whole maps are stored."""
        return self.store != "mean"

    @property
    def passes_maps(self) -> bool:
        """Whether maps are deleted when they have been read."""
        return self.has_maps and not self.keep_raw

    @property
    def chunks(self) -> tuple[str, ...]:
        """Names of the chunks: of drawn samples, and of real images."""
        real = () if self.real is None else _numbers(self.real.samples, self.chunk)
        drawn = _numbers(self.samples, self.chunk)
        return (*drawn, *(f"{REAL}{number}" for number in real))

    def span(self, chunk: str) -> tuple[int, int]:
        """Return the first sample of a chunk, and that after its last."""
        number = int(chunk.removeprefix(REAL))
        count = self.real.samples if self.real and is_real(chunk) else self.samples
        return number * self.chunk, min((number + 1) * self.chunk, count)

    def origin(self, model: str) -> Origin:
        """Return the model of a name."""
        return next(origin for origin in self.origins if origin.name == model)

    def drawing(self) -> dict[str, Any]:
        """
        Return what decides what is drawn and kept, as plain values.

        Batches, threads and the device change no more than last bits, and are not among it.
        """
        named = ("probe", "layers", "seed", "store", "dtype", "images")
        plain = {name: getattr(self, name) for name in named}
        configuration = None if self.configuration is None else str(self.configuration)
        return plain | {
            "layers": list(self.layers),
            "options": self.options,
            "configuration": configuration,
        }

    def embedding(self) -> dict[str, Any]:
        """Return what decides how samples are embedded, as plain values."""
        named = ("embed", "components", "neighbours")
        return {name: getattr(self, name) for name in named} | {"umap": asdict(self.umap)}

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain values of JSON; `from_plain` reads them."""
        values: dict[str, Any] = _plain(asdict(self))
        return values


REAL = "real-"
"""Before the number of a chunk of real images."""


def is_real(chunk: str) -> bool:
    """Return whether a chunk is of real images."""
    return chunk.startswith(REAL)


def from_plain(values: Mapping[str, Any]) -> Dataset:
    """Return the dataset that `Dataset.plain` told."""
    origins = tuple(
        Origin(**(origin | {"path": _path(origin["path"])})) for origin in values["origins"]
    )
    real = values["real"]
    return Dataset(
        **(
            dict(values)
            | {
                "origins": origins,
                "layers": tuple(values["layers"]),
                "real": real and Real(Path(real["folder"]), real["samples"]),
                "configuration": _path(values["configuration"]),
                "umap": UmapSettings(**values["umap"]),
            }
        )
    )


def read(path: Path) -> Dataset:
    """Return the dataset of a JSON file that holds `Dataset.plain`."""
    try:
        return from_plain(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtlasError(
            f"{path}: is no dataset as plan_activations writes it ({error}); run it again"
        ) from error


def declared(settings: Mapping[str, Any], roster: Mapping[str, Listed]) -> dict[str, Dataset]:
    """
    Return the datasets of the settings' section `activations`, which fits its schema.

    Parameters
    ----------
    settings
        Name to what is said of the dataset.
    roster
        The models that there are, by id.

    Raises
    ------
    AtlasError
        All that is wrong: models, folders or files that are not there, settings that exclude
        each other, names of which another is already taken.
    """
    faults: list[Fault] = []
    datasets = {}
    for name, said in settings.items():
        own = list(_faults(name, said, roster))
        faults += own
        if not own:
            datasets[name] = _dataset(name, said, roster)
    if len({name.casefold() for name in settings}) < len(settings):
        faults.append(Fault(("activations",), "names that differ in case alone", "rename one"))
    if faults:
        raise FaultyFileError(SETTINGS, faults)
    return datasets


def _dataset(name: str, said: Mapping[str, Any], roster: Mapping[str, Listed]) -> Dataset:
    known = {field.name for field in fields(Dataset)}
    defaults = copy.deepcopy(load("activations/defaults"))
    values = defaults | {key: value for key, value in said.items() if key in known}
    values["umap"] = UmapSettings(**(defaults["umap"] | said.get("umap", {})))
    real = values["real"]
    if real is not None:
        folder = Path(real["folder"])
        values["real"] = Real(folder, min(real.get("samples", 10**9), len(images_in(folder))))
    if values["chunk"] is None:
        whole_batches = ceil(values["samples"] / values["batch"]) * values["batch"]
        largest = max(LARGEST_CHUNK // values["batch"], 1) * values["batch"]
        values["chunk"] = min(whole_batches, largest)
    if values["embed"] is None:
        values["embed"] = "maps" if values["store"] == "maps" else "mean"
    return Dataset(
        **(
            values
            | {
                "name": name,
                "origins": tuple(_origin(entry, roster) for entry in _entries(said)),
                "layers": tuple(values["layers"]),
                "configuration": _configuration(said, roster),
                "options": {key: value for key, value in said.items() if key in options()},
            }
        )
    )


def options() -> set[str]:
    """Return the names of the settings that probes take."""
    all_of_them = schema("config")["$defs"]["dataset"]["properties"]
    own = {"model", "models", "configuration"}
    return set(all_of_them) - set(load("activations/defaults")) - own


def images_in(folder: Path) -> list[Path]:
    """Return the images of a folder and those below it, in order of path."""
    endings = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in endings)


def _configuration(said: Mapping[str, Any], roster: Mapping[str, Listed]) -> Path | None:
    entry = said.get("configuration")
    return roster[entry].path if entry and entry in roster else _path(entry)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _entries(said: Mapping[str, Any]) -> list[str]:
    return [said["model"]] if "model" in said else list(said.get("models", ()))


def _numbers(samples: int, chunk: int) -> tuple[str, ...]:
    return tuple(f"{number:04d}" for number in range(ceil(samples / chunk)))


def _origin(entry: str, roster: Mapping[str, Listed]) -> Origin:
    if entry in roster:
        model = roster[entry]
        return Origin(entry, model.path, None, model.architecture, model.weights, is_listed=True)
    path = Path(entry)
    name = UNSAFE.sub("-", path.stem if path.is_file() else path.name).strip("-.") or "model"
    if path.exists():
        return Origin(name, path)
    return Origin(entry.replace("/", "--"), None, repository=entry)


def _faults(name: str, said: Mapping[str, Any], roster: Mapping[str, Listed]) -> Iterator[Fault]:
    place = ("activations", name)
    if ("model" in said) == ("models" in said):
        yield Fault((*place, "model"), "both" if "model" in said else "neither",
                    "expected one of model and models")  # fmt: skip
        return
    taken: dict[str, str] = {}
    for entry in _entries(said):
        if problem := _unknown_model(entry, roster):
            yield Fault((*place, "model"), show(entry), problem)
            continue
        called = _origin(entry, roster).name
        if called in taken:
            problem = f"is called {called} in results, as {taken[called]} is; rename one"
            yield Fault((*place, "models"), show(entry), problem)
        taken[called] = entry
    store = said.get("store", "mean")
    if said.get("embed") == "maps" and store == "mean":
        yield Fault((*place, "embed"), "maps", "store: mean keeps no maps; store: both does")
    reads_maps = said.get("embed") == "maps" or store == "maps"
    if not said.get("keep_raw", True) and not reads_maps:
        problem = "without embed: maps nothing reads the maps before they go; leave it out"
        yield Fault((*place, "keep_raw"), "false", problem)
    real = said.get("real")
    if real is not None:
        folder = Path(real["folder"])
        if not folder.is_dir():
            yield Fault((*place, "real", "folder"), show(real["folder"]), _no_folder(folder))
        elif not images_in(folder):
            yield Fault((*place, "real", "folder"), show(real["folder"]), "holds no images")
    prompts, configuration = said.get("prompts"), said.get("configuration")
    if isinstance(prompts, str) and not Path(prompts).is_file():
        yield Fault((*place, "prompts"), show(prompts), unusable(Path(prompts)))
    if configuration and configuration not in roster and not Path(configuration).is_dir():
        yield Fault((*place, "configuration"), show(configuration), _no_folder(Path(configuration)))


def _no_folder(path: Path) -> str:
    return "a file; name its folder" if path.is_file() else unusable(path)


def _unknown_model(entry: str, roster: Mapping[str, Listed]) -> str | None:
    """Return why there is no such model; a repository on the hub is asked for by its job alone."""
    if entry in roster or Path(entry).exists():
        return None
    if REPOSITORY.fullmatch(entry) and not Path(entry).parent.is_dir():
        return None
    return f"neither a model of the roster nor a path{nearest(entry, roster)}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
