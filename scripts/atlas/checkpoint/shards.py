"""Several files that are one model: by their numbers, by their names and by their index."""

import glob
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError
from atlas.tensors.entries import Listing

INDEX = re.compile(r".+\.index(\.\w+)?\.json")
"""Names of the lists of which shard holds which tensor."""

LARGEST_JSON = 2**26
"""Bytes; an index of 100,000 tensors has a sixth of it."""

NUMBERED = re.compile(r"(?P<before>.+)-(?P<number>\d+)-of-(?P<count>\d+)(?P<after>\..+)")
"""Names of shards."""


@dataclass(frozen=True)
class Index:
    """Which shard holds which tensor, as the index of a set says."""

    file: Path
    places: Mapping[str, Path]

    @property
    def files(self) -> tuple[Path, ...]:
        """The shards, in order."""
        return tuple(sorted(set(self.places.values())))


def read_json(file: Path) -> dict[str, Any]:
    """
    Return the table that a JSON file holds.

    Raises
    ------
    AtlasError
        Where it holds anything else.
    """
    if file.stat().st_size > LARGEST_JSON:
        raise AtlasError(
            f"{file}: {LARGEST_JSON} bytes are more than any index has; fetch it again"
        )
    raw = file.read_bytes()
    if raw.startswith(b"version https://git-lfs"):
        raise AtlasError(f"{file}: a pointer of Git LFS, not the file; run git lfs pull")
    try:
        table = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise AtlasError(f"{file}: no JSON ({f'{error}'[:200]}); fetch it again") from None
    if not isinstance(table, dict):
        raise AtlasError(f"{file}: no table of names, as an index is; fetch it again")
    return table


def read_index(index: Path) -> Index:
    """
    Read an index of shards.

    Raises
    ------
    AtlasError
        Where it is not readable, or names a file that is not beside it.
    """
    table = read_json(index).get("weight_map")
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()):
        raise AtlasError(
            f"{index}: no index of shards (its weight_map is no table); fetch it again"
        )
    pairs: dict[str, str] = table
    if not pairs:
        raise AtlasError(f"{index}: an index of shards that names none; fetch it again")
    for name in sorted(set(pairs.values())):
        if Path(name).name != name:
            raise AtlasError(f"{index}: names a shard outside its folder: {name[:200]!r}")
        if len(name) > 255 or not (index.parent / name).is_file():
            raise AtlasError(
                f"{index}: the shard {name[:255]} is missing; fetch it into {index.parent}"
            )
    return Index(index, {key: index.parent / name for key, name in pairs.items()})


def index_beside(file: Path) -> Path | None:
    """Return the index of the set that a numbered shard belongs to, if it lies beside it."""
    parts = NUMBERED.fullmatch(file.name)
    if not parts:
        return None
    base, *variants = parts["before"].split(".", maxsplit=1)
    *late, suffix = parts["after"].removeprefix(".").split(".")
    marks = ".".join([*variants, *late])
    names = [f"{parts['before']}{parts['after']}.index.json"]
    if marks:  # as diffusers names that of a variant
        names.append(f"{base}.{suffix}.index.{marks}.json")
    return next((place for name in names if (place := file.with_name(name)).is_file()), None)


def pattern_of(file: Path) -> str:
    """Return the glob that matches a numbered shard's set, in its folder."""
    parts = NUMBERED.fullmatch(file.name)
    assert parts is not None
    return f"{parts['before']}-*-of-{parts['count']}{parts['after']}"


def shards_of(file: Path) -> int:
    """Return the number of shards in the set that a file is one of, by its name; else 1."""
    parts = NUMBERED.fullmatch(file.name)
    return int(parts["count"]) if parts else 1


def check_numbers(where: Path, files: Sequence[Path]) -> None:
    """
    Raise AtlasError where shards are missing or stand twice, by the numbers in their names.

    Parameters
    ----------
    where
        What names the files: a folder, a glob or an index.
    files
        Of one set; files without a number tell nothing.
    """
    named = [parts for file in files if (parts := NUMBERED.fullmatch(file.name))]
    if not named:
        return
    times = Counter(int(parts["number"]) for parts in named)
    count = int(named[0]["count"])
    first = 0 if 0 in times else 1
    missing = [number for number in range(first, first + count) if number not in times]
    names = f"{named[0]['before']}{named[0]['after']}"
    if missing or len(named) > count:
        wanted = ", ".join(_name(named[0], number) for number in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        fault = f"fetch {wanted}{more}" if missing else "some stand twice; keep one of each number"
        raise AtlasError(f"{where}: {len(named)} of {count} shards of {names} are there; {fault}")


def check_one_set(where: Path, files: Sequence[Path]) -> None:
    """
    Raise AtlasError where files that a glob matches can't be the shards of one model.

    They are where they are numbered as one set, or where their names differ in digits alone.
    """
    sets: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for file in files:
        name = pattern_of(file) if shards_of(file) > 1 else re.sub(r"\d+", "#", file.name)
        sets[file.parent, name].append(file)
    (_, name), own = max(sets.items(), key=lambda each: (shards_of(each[1][0]) > 1, len(each[1])))
    strangers = [file for file in files if file not in own]
    if strangers:
        listed = f"{strangers[0].name}{', ...' if len(strangers) > 1 else ''}"
        if shards_of(own[0]) > 1:
            raise AtlasError(
                f"{where}: {len(strangers)} of its {len(files)} files ({listed}) are no shards of "
                f"{name}; write {strict_pattern_of(own[0])} to read these alone"
            )
        raise AtlasError(
            f"{where}: {own[0].name} and {listed} are no shards of one model by their names; name "
            "one file, a folder, or the index of a set"
        )
    check_numbers(where, own)


def check_index(index: Index, listings: Mapping[Path, Listing]) -> None:
    """
    Hold what an index says against what its files list, both ways.

    Raises
    ------
    AtlasError
        Where a tensor is in no file, in another one, or not in the index.
    """
    remedy = "fetch both again, or remove the index if it is another model's"
    strangers = sorted(set(listings) - set(index.files))
    absent = sorted(set(index.files) - set(listings))
    if strangers or absent:
        fault = "does not name" if strangers else "names more than is read:"
        raise AtlasError(f"{index.file}: {fault} {(strangers or absent)[0].name}; {remedy}")
    held = {
        key: file
        for file, listing in listings.items()
        for key in (*(entry.key for entry in listing.entries), *listing.left_out)
    }
    lost = [key for key in index.places if key not in held]
    if lost:
        raise AtlasError(
            f"{index.file}: {len(lost)} of its {len(index.places)} tensors are in none of its "
            f"{len(listings)} files ({lost[0]}, ...); {remedy}"
        )
    unnamed = [key for key in held if key not in index.places]
    if unnamed:
        raise AtlasError(
            f"{index.file}: lacks {len(unnamed)} of the {len(held)} tensors of its files "
            f"({unnamed[0]} in {held[unnamed[0]].name}, ...); {remedy}"
        )
    for key, place in index.places.items():
        if held[key] != place:
            raise AtlasError(
                f"{index.file}: places {key} in {place.name}, but it is in {held[key].name}; "
                f"{remedy}"
            )


def strict_pattern_of(file: Path) -> str:
    """Return the glob of a shard's set that no other file matches, whatever it is called."""
    before, digits, after = _around_number(file)
    return f"{glob.escape(f'{file.parent}/{before}')}{digits}{glob.escape(after)}"


def common_name(file: Path) -> str:
    """
    Return the name of a shard's set: a shard's with ? for each digit of its number.

    >>> common_name(Path("models/wan-00001-of-00003.safetensors"))
    'wan-?????-of-00003.safetensors'
    """
    return "".join(_around_number(file))


def _around_number(file: Path) -> tuple[str, str, str]:
    """Return what stands in a shard's name before its number, a ? for each digit, and the rest."""
    parts = NUMBERED.fullmatch(file.name)
    assert parts is not None
    digits = "?" * len(parts["number"])
    return f"{parts['before']}-", digits, f"-of-{parts['count']}{parts['after']}"


def _name(parts: re.Match[str], number: int) -> str:
    digits = f"{number:0{len(parts['number'])}d}"
    return f"{parts['before']}-{digits}-of-{parts['count']}{parts['after']}"
