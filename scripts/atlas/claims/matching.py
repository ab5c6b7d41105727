"""Find the models of a roster that claims name: by hash, id, label, file name or old hash."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from atlas.basis.errors import nearest
from atlas.claims.claim import Claim, Parent
from atlas.claims.values import digest_of
from atlas.fingerprints.provenance import FileMark

SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".index.json")
PLAIN = ("model", "diffusion_pytorch_model", "pytorch_model", "unet", "transformer", "vae")
"""Names that libraries give to every file or folder: they name no model."""
TITLE = re.compile(r"(.*\S)\s*\[([0-9a-fA-F]{8,64})\]")
"""As web UIs show a file: its name, and the first digits of its hash."""
HUB = "models--"
LEAST_DIGITS = 10
"""Of a hash that is cut short, as web UIs show it."""


class How(StrEnum):
    """By what a parent was found in the roster."""

    HASH = "hash"
    """SHA-256 of its file, where the hub's cache tells it."""
    ID = "id"
    LABEL = "label"
    NAME = "name"
    """Of its file or folder, with or without suffix."""
    LEGACY_HASH = "legacy hash"


@dataclass(frozen=True)
class Known:
    """By what a model of the roster may be named."""

    id: str
    label: str
    path: str
    files: tuple[FileMark, ...] = ()

    @property
    def names(self) -> set[str]:
        """Names of its file or folder, in small letters."""
        parts = self.path.replace("\\", "/").rstrip("/").split("/")
        hub = [part.removeprefix(HUB).replace("--", "/") for part in parts if part.startswith(HUB)]
        own = [parts[-1], *(parts[-2:-1] if bare_name(parts[-1]) in PLAIN else ())]
        several = {mark.name for mark in self.files} if len(self.files) == 1 else set()
        told = {*own, *hub, *(name.rpartition("/")[2] for name in hub), *several}
        return {form for name in told for form in _forms(name) if bare_name(form) not in PLAIN}


class Directory:
    """The models of a roster by all that they may be called."""

    def __init__(self, models: Iterable[Known]) -> None:
        self.ids: dict[str, str] = {}
        self._suggested: dict[str, str] = {}
        self._found: dict[tuple[str, str, str, str], tuple[str, str]] = {}
        self._by: dict[How, dict[str, set[str]]] = {how: defaultdict(set) for how in How}
        for model in models:
            self.ids[model.id.casefold()] = model.id
            self._by[How.ID][model.id.casefold()].add(model.id)
            self._by[How.LABEL][model.label.casefold()].add(model.id)
            for name in model.names:
                self._by[How.NAME][name].add(model.id)
            for mark in model.files:
                self._by[How.HASH][mark.sha256].add(model.id)
                self._by[How.LEGACY_HASH][mark.legacy_hash].add(model.id)
        self._short: dict[str, set[str]] = defaultdict(set)
        for sha256, found in self._by[How.HASH].items():
            self._short[sha256[:LEAST_DIGITS]] |= found

    def found(self, parent: Parent, own: str) -> Parent:
        """
        Return a parent with the model that it is, and by what it was found; as it is if by nothing.

        A model is not its own parent, and a name that several go by is nobody's.
        """
        key = parent.name, parent.sha256, parent.legacy_hash, own
        if key not in self._found:
            self._found[key] = self._search(parent, own)
        model, how = self._found[key]
        return replace(parent, model=model, how=how)

    def _search(self, parent: Parent, own: str) -> tuple[str, str]:
        for how, names in _asked(parent).items():
            for name in names:
                models = self._models(how, name) - {own}
                if len(models) == 1:
                    return next(iter(models)), how
        return "", ""

    def called(self, name: str) -> set[str]:
        """Return the models whose file or folder, id or label is called so."""
        return {
            model
            for how in (How.NAME, How.ID, How.LABEL)
            for form in _forms(name)
            for model in self._models(how, form)
        }

    def suggestion(self, name: str) -> str:
        """Return "; did you mean X?" for the id nearest to a name, or ""."""
        if name not in self._suggested:
            self._suggested[name] = nearest(name[:100], self.ids.values())
        return self._suggested[name]

    def _models(self, how: How, name: str) -> set[str]:
        if not name:
            return set()
        if how is How.HASH and len(name) < 64:
            return self._short.get(name[:LEAST_DIGITS], set())
        return self._by[how].get(name, set())


def matched(claim: Claim, directory: Directory, own: str) -> Claim:
    """Return a claim whose parents were looked for in the roster."""
    return replace(claim, parents=tuple(directory.found(each, own) for each in claim.parents))


def bare_name(name: str) -> str:
    r"""
    Return a file's name without its folder and suffix, in small letters.

    >>> bare_name("C:\\models\\A.safetensors"), bare_name("owner/Name"), bare_name("v1.5")
    ('a', 'name', 'v1.5')
    """
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2].casefold()
    return next((last.removesuffix(end) for end in SUFFIXES if last.endswith(end)), last)


def _asked(parent: Parent) -> Mapping[How, list[str]]:
    """Return what to look for, the surest first."""
    name = parent.name
    short = ""
    if title := TITLE.fullmatch(name):
        name, short = title[1], title[2].lower()
    hashes = [each for each in (parent.sha256, short) if len(each) >= LEAST_DIGITS]
    legacy = [each for each in (parent.legacy_hash, parent.sha256, short) if len(each) == 8]
    forms = _forms(name)
    return {
        How.HASH: [*hashes, digest_of(name, 64)],
        How.ID: forms,
        How.LABEL: forms,
        How.NAME: [form for form in forms if bare_name(form) not in PLAIN],
        How.LEGACY_HASH: legacy,
    }


def _forms(name: str) -> list[str]:
    """
    Return the forms of a name, from the fullest: as it is, without its folder, without a suffix.

    A name that every file has is told by the folder that it lies in.
    """
    plain = name.replace("\\", "/").rstrip("/").casefold()
    last = plain.rpartition("/")[2]
    bare = bare_name(plain)
    if bare in PLAIN:
        above = plain.rpartition("/")[0].rpartition("/")[2]
        return [plain, *([above] if above else [])]
    return list(dict.fromkeys([plain, last, bare]))
