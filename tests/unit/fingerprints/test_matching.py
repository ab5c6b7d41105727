"""Names are matched by contents, for all models of one layout, whichever others there are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.fingerprints import fingerprint, matching
from atlas.fingerprints.bijection import bijection
from atlas.fingerprints.renamings import read_renamings
from atlas.relations import contents
from atlas.relations.contents import Status, compared
from measured import contents_of

SPELLINGS = {
    "unet": ("blocks.{}", {"q": "attn.to_q", "k": "attn.to_k", "norm": "norm1"}),
    "network": ("layer.{}", {"q": "mix.query", "k": "mix.key", "norm": "ln"}),
    "network of another kind": ("net.h.{}", {"q": "a.wq", "k": "a.wk", "norm": "z"}),
}
"""Layouts: the component, how its blocks are called, and what is in them."""


@dataclass(frozen=True)
class Model:
    """What a test's model is: of which architecture, in which layout, with which weights."""

    architecture: str
    layout: str
    content: int

    @property
    def component(self) -> str:
        """The component that the layout's names begin with."""
        return self.layout.split()[0]

    def tensors(self) -> dict[str, tuple[str, str]]:
        """Return digest and true tensor by name: zeros and ones stand in many places."""
        block, modules = SPELLINGS[self.layout]
        found = {}
        for number in range(2):
            for module, name in modules.items():
                for leaf in ("weight", "bias"):
                    truth = f"{self.architecture}.{number}.{module}.{leaf}"
                    digest = f"{self.content} {truth}"
                    if leaf == "bias":
                        digest = f"zeros {self.architecture}"
                    elif module == "norm":
                        digest = f"ones {self.architecture}"
                    path = f"{block.format(number)}.{name}.{leaf}"
                    found[f"{self.component}/{self.architecture}.{path}"] = digest, truth
        return found


def written(path: Path, model: Model) -> Path:
    """Write a fingerprint; the key in the file is the true tensor."""
    import pyarrow as pa

    rows = [
        {
            "key": truth,
            "name": name,
            "component": model.component,
            "block": name.split(".")[1],
            "role": "other",
            "dtype": "f32",
            "shape": [1],
            "numel": 1,
            "digest": digest,
            "norm": 1.0,
            "nonfinite": 0,
            "parts": [{"file": "x", "offset": 0, "shape": [1]}],
        }
        for name, (digest, truth) in sorted(model.tensors().items())
    ]
    notes = {"architectures": {"unet": "x"} if model.component == "unet" else {}}
    sealed.write(pa.Table.from_pylist(rows, schema=fingerprint.SCHEMA), path, notes)
    return path


def partners(folder: Path, models: Mapping[str, Model]) -> dict[tuple[str, str], set[str]]:
    """
    Return, by pair, which true tensors are compared; no tensor is compared with another one.

    What is compared must be measured too: both contents are among those of the name's shard.
    """
    paths = [written(folder / f"{name}.parquet", model) for name, model in models.items()]
    found = matching.find(paths)
    held = contents.load(paths, list(models), found)
    measured = contents_of(dict.fromkeys(paths, folder), shard=0, count=1, renamings=found)
    pairs = {}
    for one, a in enumerate(held.models):
        for other, b in list(enumerate(held.models))[one + 1 :]:
            status = held.status(held.index[:, one], held.index[:, other])
            both = compared(status)
            keys = held.keys[both, one]
            np.testing.assert_array_equal(keys, held.keys[both, other])
            pairs[a, b] = set(keys)
            for row in np.flatnonzero(status == Status.DIFFERENT):
                digests = held.contents["digest"].iloc[held.index[row, [one, other]]]
                assert set(digests) <= measured[held.tensors["name"][row]].keys()
    return pairs


MODELS = st.builds(
    Model, st.sampled_from(["s", "t"]), st.sampled_from(list(SPELLINGS)), st.integers(0, 2)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(MODELS, min_size=3, max_size=7), st.randoms(use_true_random=False))
def test_adding_a_model_changes_nothing_between_the_others(models, chance) -> None:
    names = [f"m{number}" for number in range(len(models))]
    chance.shuffle(names)
    roster = dict(sorted(zip(names, models, strict=True)))
    added = chance.choice(names)
    with tempfile.TemporaryDirectory() as folder:
        after = partners(Path(folder), roster)
        before = partners(Path(folder), {n: m for n, m in roster.items() if n != added})
    for pair, known in before.items():
        assert known <= after[pair], (pair, roster)
    for (a, b), known in after.items():
        if roster[a].architecture == roster[b].architecture and (
            roster[a].layout == roster[b].layout or roster[a].content == roster[b].content
        ):
            assert len(known) == 12, "one layout, or the same weights: all is compared"


def loaded(folder: Path, models: Mapping[str, Model]) -> contents.Contents:
    paths = [written(folder / f"{name}.parquet", model) for name, model in models.items()]
    return contents.load(paths, list(models))


def test_a_renaming_holds_for_all_that_have_these_names(tmp_path: Path) -> None:
    """One file of the unknown layout is what another model has: the others go by its names too."""
    models = {
        "base": Model("s", "network", 0),
        "high": Model("s", "network", 1),
        "low": Model("s", "network", 2),
        "folder": Model("s", "unet", 1),
    }
    found = partners(tmp_path, models)
    assert {len(known) for known in found.values()} == {12}
    assert set(loaded(tmp_path, models).tensors["component"]) == {"unet"}


def test_a_numbered_component_lends_its_names_only_where_no_other_does(tmp_path: Path) -> None:
    """Of two experts in one folder, an unknown file goes by the first one's names."""
    unknown = {"high": Model("s", "network", 1), "low": Model("s", "network", 2)}
    paths = [written(tmp_path / f"{name}.parquet", model) for name, model in unknown.items()]
    both = tmp_path / "both.parquet"
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = pq.read_table(written(tmp_path / "1.parquet", Model("s", "unet", 1)))
    second = pq.read_table(written(tmp_path / "2.parquet", Model("s", "unet", 2))).to_pylist()
    for row in second:
        row["component"] = "unet_2"
        row["name"] = row["name"].replace("unet/", "unet_2/")
    sealed.write(
        pa.concat_tables([first, pa.Table.from_pylist(second, schema=fingerprint.SCHEMA)]), both
    )
    held = contents.load([*paths, both], [*unknown, "both"])
    assert set(held.tensors["component"]) == {"unet", "unet_2"}
    components = held.tensors["component"].to_numpy()
    for column in (0, 1):
        assert set(components[held.index[:, column] >= 0]) == {"unet"}


def test_a_model_that_has_both_components_keeps_them_apart(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    known = written(tmp_path / "known.parquet", Model("s", "unet", 0))
    parts = [
        pq.read_table(written(tmp_path / f"{n}.parquet", model))
        for n, model in enumerate((Model("s", "network", 0), Model("t", "unet", 1)))
    ]
    sealed.write(pa.concat_tables(parts), tmp_path / "both.parquet")
    held = contents.load([known, tmp_path / "both.parquet"], ["known", "both"])
    assert set(held.tensors["component"]) == {"unet", "network"}


def names(*inner: str, component: str) -> list[str]:
    return [f"{component}/{each}" for each in inner]


def matched(ours: Iterable[str], theirs: Iterable[str], digests: str) -> dict[str, str]:
    """Match names by a letter of weights each."""
    one = dict(zip(ours, digests, strict=True))
    other = dict(zip(theirs, digests, strict=True))
    return bijection([(one, other)])


def test_equal_tensors_are_told_apart_by_their_modules() -> None:
    ours = names("b.0.q.weight", "b.0.q.bias", "b.1.q.weight", "b.1.q.bias", component="network")
    theirs = names("y.5.w.weight", "y.5.w.bias", "y.4.w.weight", "y.4.w.bias", component="unet")
    assert matched(ours, theirs, "1020") == dict(zip(ours, theirs, strict=True))


def test_what_cannot_be_told_apart_is_left_out() -> None:
    ours = names("b.q.weight", "b.n1.weight", "b.n2.weight", component="network")
    theirs = names("c.w.weight", "c.before.weight", "c.after.weight", component="unet")
    assert matched(ours, theirs, "100") == {ours[0]: theirs[0]}


def test_a_witness_tells_what_another_left_open() -> None:
    ours = names("b.n1.weight", "b.n2.weight", component="network")
    theirs = names("c.after.weight", "c.before.weight", component="unet")
    vague = dict.fromkeys(ours, "0"), dict.fromkeys(theirs, "0")
    clear = dict(zip(ours, "12", strict=True)), dict(zip(theirs, "12", strict=True))
    assert bijection([vague]) == {}
    assert bijection([vague, clear]) == dict(zip(ours, theirs, strict=True))


def test_names_are_read_as_they_were_written(tmp_path: Path) -> None:
    paths = [
        written(tmp_path / f"{n}.parquet", Model("s", layout, 0))
        for n, layout in enumerate(SPELLINGS)
    ]
    found = matching.find(paths)
    assert len(found.tables) == 2
    found.save(tmp_path / "names.json")
    assert read_renamings(tmp_path / "names.json") == found
    (tmp_path / "names.json").write_text("[]")
    with pytest.raises(AtlasError, match="delete it and run again"):
        read_renamings(tmp_path / "names.json")
