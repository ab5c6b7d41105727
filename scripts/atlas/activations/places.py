"""Where the files of a chunk lie, what its samples are called, and whether it is as it was made."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import xxhash

from atlas.activations import storage
from atlas.basis.sealing import DamagedFileError


@dataclass(frozen=True)
class Places:
    """The folders of one chunk."""

    folder: Path
    maps: Path | None
    """None where no maps are stored; in the folder, or elsewhere where they are to go again."""

    @classmethod
    def of(cls, folder: Path, maps: Path | None = None) -> "Places":
        """Return the places of a chunk that is there; its maps are in it, or in a given folder."""
        inside = folder / storage.MAPS
        return cls(folder, maps or (inside if inside.is_dir() else None))

    @property
    def table(self) -> Path:
        """The table of samples, with digests of all else in its notes."""
        return self.folder / storage.TABLE

    @property
    def means(self) -> Path:
        """The means of all layers."""
        return self.folder / storage.MEANS

    def digests(self) -> dict[str, str]:
        """Return a digest of each file but the table, by its path in the chunk's folder."""
        files = {file: file.relative_to(self.folder).as_posix() for file in _files(self.folder)}
        if self.maps is not None:
            inside = {file: file.relative_to(self.maps).as_posix() for file in _files(self.maps)}
            files |= {file: f"{storage.MAPS}/{name}" for file, name in inside.items()}
        return {name: digest(file) for file, name in sorted(files.items()) if file != self.table}

    def sizes(self) -> dict[str, int]:
        """Return the bytes of the table, the means, the maps and the images."""
        maps = [] if self.maps is None else _files(self.maps)
        pictures = _files(self.folder / storage.IMAGES)
        return {
            "samples": self.table.stat().st_size,
            "means": self.means.stat().st_size,
            "maps": sum(file.stat().st_size for file in maps),
            "images": sum(file.stat().st_size for file in pictures),
        }

    def require_whole(self, made: Mapping[str, str], *, prefix: str = "") -> None:
        """
        Move a chunk aside that is not as it was made, so that the next run makes it anew.

        Parameters
        ----------
        made
            The digests that its table tells.
        prefix
            Only files whose names begin with it are looked at.

        Raises
        ------
        DamagedFileError
            A file is missing or its bytes are others.
        """
        for name, expected in made.items():
            if not name.startswith(prefix):
                continue
            file = self._file(name)
            if not file.is_file() or digest(file) != expected:
                aside = self.folder.with_name(f"{self.folder.name}.damaged")
                with suppress(FileNotFoundError):  # another job has just done it
                    self.folder.rename(_free(aside))
                raise DamagedFileError(
                    f"{file}: is damaged or missing, so its chunk was moved to {aside.name}; run "
                    "again, and it is made anew"
                )

    def _file(self, name: str) -> Path:
        inside = f"{storage.MAPS}/"
        if self.maps is not None and name.startswith(inside):
            return self.maps / name.removeprefix(inside)
        return self.folder / name


def sample_id(model: str, index: int, *, is_real: bool) -> str:
    """
    Return what a sample is called everywhere.

    >>> sample_id("faces", 12, is_real=False)
    'faces/000012'
    """
    return f"{model}/real-{index:06d}" if is_real else f"{model}/{index:06d}"


def chunk_folder(model: str, chunk: str) -> str:
    """Return a chunk's folder, below its dataset's."""
    return f"chunks/{model}/{chunk}"


def digest(file: Path) -> str:
    """Return a digest of a file's bytes."""
    hashed = xxhash.xxh3_128()
    with file.open("rb") as stream:
        while part := stream.read(1 << 20):
            hashed.update(part)
    return hashed.hexdigest()


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def _free(path: Path) -> Path:
    """Return a name that is not taken: this one, or one with a number."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
