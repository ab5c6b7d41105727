"""Copies, casts and parts of other files: what could go, held to plain sets of weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import factory
from atlas.basis import page, sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.relations import duplicates, duplicates_text, holdings
from models.describe_group import main as describe_group
from relations.identify_components import main as identify_components
from relations.report_duplicates import main as report_duplicates

BYTES = {"f32": 4, "f16": 2, "bf16": 2, "f8_e4m3fn": 1}
NUMEL = {"unet": 1000, "vae": 100, "text_encoder": 300, "ema": 1000}
MODELS = ["model", "component", "dtype", "tensors", "problem", "refused", "bytes"]


@dataclass(frozen=True)
class Weights:
    """A component in short: whose weights, and in which dtype; None of what is not read."""

    content: int | None
    dtype: str = "f32"

    @property
    def is_read(self) -> bool:
        return self.content is not None


Held = dict[str, dict[str, Weights]]


def verdict(a: Weights | None, b: Weights | None) -> str:
    if not all(side is None or side.is_read for side in (a, b)):
        return "refused"
    if a is None or b is None:
        return "only in b" if a is None else "only in a"
    if a == b:
        return "identical"
    widths = {BYTES[a.dtype], BYTES[b.dtype]}
    if a.content == b.content:
        return "cast" if len(widths) == 2 else "two roundings"
    return "changed"


def identity_of(held: Held) -> pd.DataFrame:
    """Return the identity table of models, by its definition."""
    rows = []
    ids = sorted(model for model, own in held.items() if own)
    for at, a in enumerate(ids):
        for b in ids[at + 1 :]:
            for name in sorted({*held[a], *held[b]}):
                sides = "".join(
                    side
                    for side, raw, copy in (("a", a, b), ("b", b, a))
                    if name == "unet"
                    and name in held[raw]
                    and held[raw][name].is_read
                    and held[raw][name] == held[copy].get("ema")
                )
                said = verdict(held[a].get(name), held[b].get(name))
                rows.append([a, b, name, said, sides])
    return pd.DataFrame(rows, columns=holdings.READ)


def described(held: Held) -> pd.DataFrame:
    """Return the table of models as texts, by its definition."""
    rows = []
    for model, own in held.items():
        for name, weights in own.items():
            read = [weights.dtype, "10", "", "", str(NUMEL[name] * BYTES[weights.dtype])]
            unread = ["", "", "", "quantised", ""]
            rows.append([model, name, *(read if weights.is_read else unread)])
        if not own:
            rows.append([model, "", "", "", "lost.ckpt: no such file", "", ""])
    return pd.DataFrame(rows, columns=MODELS)


def files_of(held: Held) -> dict[str, dict[tuple[int, int], int]]:
    """Return a file of each model's own, as large as its weights and a header."""
    return {
        model: {(1, number): sum(NUMEL[name] * BYTES[own[name].dtype] for name in own) + 100}
        for number, (model, own) in enumerate(held.items())
        if own
    }


def reported(held: Held, **further: object) -> duplicates.Report:
    given = {"files": files_of(held)} | further
    return duplicates.report(identity_of(held), described(held), list(held), **given)


def follows(copy: dict[str, Weights], source: dict[str, Weights]) -> bool:
    """Tell whether each component of the one can be made from the other."""
    if not copy or not all(own.is_read for own in copy.values()):
        return False
    average = source.get("ema")
    return all(
        (name in source and source[name].is_read and made_from(own, source[name]))
        or (name == "unet" and own == average)
        for name, own in copy.items()
    )


def made_from(copy: Weights, source: Weights) -> bool:
    is_narrower = BYTES[copy.dtype] < BYTES[source.dtype]
    return copy == source or (copy.content == source.content and is_narrower)


def going(held: Held) -> dict[str, str]:
    """Return who goes and what of that stays: one at a time, by the sets of all that follow."""
    reach = {
        model: {other for other in held if follows(held[other], held[model])} for model in held
    }
    grown = True
    while grown:
        wider = {
            model: set().union(own, *(reach[other] for other in own))
            for model, own in reach.items()
        }
        grown, reach = wider != reach, wider
    left, found = list(held), {}
    while left:
        counts = {model: len((reach[model] & set(left)) - {model}) for model in left}
        best = max(left, key=lambda model: counts[model])
        if not counts[best]:
            return found
        for model in reach[best] & set(left) - {best}:
            found[model] = best
        left = [model for model in left if model not in found and model != best]
    return found


def crowd(seed: int) -> Held:
    """Return a few models of a handful of contents, so that much is there twice."""
    random = np.random.default_rng(seed)
    held: Held = {}
    for number in random.permutation(14):
        own = {}
        for name, share in (("unet", 0.9), ("vae", 0.7), ("text_encoder", 0.6), ("ema", 0.15)):
            if random.random() < share:
                content = int(random.integers(2)) if random.random() < 0.95 else None
                own[name] = Weights(content, str(random.choice(["f32", "f32", "f16", "bf16"])))
        held[f"m{number:02d}"] = own
    return held


@pytest.mark.parametrize("seed", range(25))
def test_what_could_go_is_what_plain_sets_say(seed):
    held = crowd(seed)
    report = reported(held)
    assert {model: each.of for model, each in report.duplicates.items()} == going(held)
    assert list(report.duplicates) == [model for model in held if model in report.duplicates]
    files = files_of(held)
    for model, each in report.duplicates.items():
        assert each.frees == sum(files[model].values())
        same_parts = set(held[model]) == set(held[each.of])
        if len(each.chain) == 1 and not each.chain[0][1].averaged:
            assert (each.relation == "prune") != same_parts
        pure = {(name, held[model][name]) for name in held[model] if name != "unet"}
        if each.exact == "bit for bit" and len(each.chain) == 1:
            assert pure <= set(held[each.of].items())


GOLDEN = """\
model,relation,of,exact,bytes,frees_bytes,components,what
half,cast,full,rounded,1160,{half},{parts},"from full: {words} rounded to float16"
full,,,,2320,,{parts},
again,copy,full,bit for bit,2320,{again},{parts},"from full: {words} bit for bit"
vae,prune,full,bit for bit,880,{vae},vae,"from full, which also has {beside}: VAE bit for bit"
tuned,,,,2320,,{parts},
"""
PARTS = {
    "parts": "text_encoder; unet; vae",
    "words": "text encoder, UNet and VAE",
    "beside": "text encoder and UNet",
}


def test_files_of_a_group_from_their_weights_on(tmp_path):
    """The jobs' scripts, one after the other, on checkpoints as they lie on disk."""
    base = factory.weights(seed=1)
    held = {
        "half": {name: value.astype(np.float16) for name, value in base.items()},
        "full": base,
        "again": dict(base),
        "vae": {name: value for name, value in base.items() if name.startswith("vae/")},
        "tuned": factory.changed(base, 2, "unet/"),
    }
    checkpoints = {
        model: factory.diffusers_folder(tmp_path / model, own) for model, own in held.items()
    }
    prints = {model: tmp_path / f"{model}.parquet" for model in held}
    for model, folder in checkpoints.items():
        sealed.write(fingerprint.table(open_checkpoint(folder)), prints[model])
    given = {"checkpoints": checkpoints, "weights": {}}
    noticed = tmp_path / "findings.json"
    describe_group(fingerprints=prints, table=tmp_path / "models.csv", noticed=noticed, **given)
    given |= {"labels": {}, "group": "g"}
    identify_components(
        fingerprints=prints, renamings=None, stem=tmp_path / "identity", labels={}, group="g"
    )
    report_duplicates(
        identity=tmp_path / "identity.csv",
        described=tmp_path / "models.csv",
        models=list(held),
        stem=tmp_path / "duplicates",
        **given,
    )
    sizes = {
        model: sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
        for model, folder in checkpoints.items()
    }
    assert (tmp_path / "duplicates.csv").read_text() == GOLDEN.format(**sizes, **PARTS)
    told = (tmp_path / "duplicates.md").read_text()
    assert "- 3 of 5 models could go: 1 copy, 1 cast to another dtype, 1 part of another.\n" in told
    assert "<h1>What g has twice</h1>" in (tmp_path / "duplicates.html").read_text()


@pytest.mark.parametrize("seed", range(25))
def test_sharing_saves_all_but_one_of_each_component_that_stays(seed):
    held = crowd(seed)
    report = reported(held)
    found: dict[tuple[str, Weights], int] = {}
    for model, own in held.items():
        for name, weights in own.items():
            if model not in report.duplicates and weights.is_read:
                found[name, weights] = found.get((name, weights), 0) + 1
    saved = sum((n - 1) * NUMEL[name] * BYTES[own.dtype] for (name, own), n in found.items())
    assert report.sharing_frees == saved
    assert {(each.component, *each.models) for each in report.families} == {
        (name, *sharers)
        for name in NUMEL
        for weights in {own[name] for own in held.values() if name in own and own[name].is_read}
        if len(sharers := [m for m, own in held.items() if own.get(name) == weights]) > 1
    }


FULL = {"unet": Weights(1), "vae": Weights(2), "text_encoder": Weights(3)}
HALF = {name: Weights(own.content, "f16") for name, own in FULL.items()}


def test_a_cast_goes_and_never_what_it_was_cast_from():
    report = reported({"half": HALF, "full": FULL})
    assert set(report.duplicates) == {"half"}
    found = report.duplicates["half"]
    assert (found.relation, found.of, found.exact) == ("cast", "full", "rounded")


def test_roundings_of_one_width_are_not_made_from_one_another():
    brain = {name: Weights(own.content, "bf16") for name, own in FULL.items()}
    assert not reported({"half": HALF, "brain": brain}).duplicates
    told = described({"half": HALF, "brain": brain})
    said = identity_of({"half": HALF, "brain": brain}).assign(verdict="cast")
    assert not duplicates.report(said, told, ["half", "brain"], {}).duplicates


@pytest.mark.parametrize(
    ("copy", "source", "may"),
    [
        ("f16", "f32", True),
        ("f16 f32", "f32", True),
        ("f16", "f16 f32", True),
        ("f16 f32", "f32 f16", False),
        ("f16 bf16", "bf16 f32", False),
        ("f32", "f16", False),
        ("f16 i64", "f32", False),
        ("", "f32", False),
    ],
)
def test_the_rounded_side_is_told_by_dtypes_or_not_at_all(copy, source, may):
    held = {"a": {"unet": Weights(1, "f16")}, "b": {"unet": Weights(1)}}
    told = described(held).assign(dtype=[copy, source])
    report = duplicates.report(identity_of(held), told, ["a", "b"], {})
    assert ("a" in report.duplicates) == may


def test_a_chain_ends_at_what_stays_and_is_told_step_by_step():
    average = {**FULL, "unet": Weights(9)}
    held = {
        "half": {name: Weights(own.content, "f16") for name, own in average.items()},
        "pruned": average,
        "full": {**FULL, "ema": Weights(9)},
    }
    report = reported(held)
    found = report.duplicates["half"]
    assert (found.relation, found.of, found.exact) == ("prune", "full", "rounded")
    assert [there for there, _ in found.chain] == ["pruned", "full"]
    what = duplicates_text.table(report).set_index("model")["what"]
    assert what["half"] == (
        "from pruned: text encoder, UNet and VAE rounded to float16; pruned from full, which also "
        "has raw UNet: UNet is the training copy (EMA), text encoder and VAE bit for bit"
    )
    assert report.duplicates["pruned"].exact == "bit for bit"


def test_of_copies_the_roster_has_the_first_word():
    for order in (["a", "b", "c"], ["c", "b", "a"]):
        report = reported(dict.fromkeys(order, FULL))
        assert {each.of for each in report.duplicates.values()} == {order[0]}
        assert {each.relation for each in report.duplicates.values()} == {"copy"}


def test_what_is_not_read_never_goes_and_is_told_of_what_stays():
    held = {
        "quantised": {**FULL, "unet": Weights(None)},
        "parts": {"vae": Weights(2)},
        "again": {**FULL, "unet": Weights(None)},
        "lost": {},
    }
    report = reported(held)
    assert set(report.duplicates) == {"parts"}
    assert set(report.unjudged) == {"quantised", "again", "lost"}
    (step,) = (step for _, step in report.duplicates["parts"].chain)
    assert (step.beside, step.unread) == (("text_encoder", "unet"), ("unet",))


def test_nothing_rests_on_a_file_with_a_broken_component():
    held = {"broken": FULL, "part": {"vae": Weights(2)}}
    told = described(held)
    told.loc[0, ["problem", "dtype", "bytes"]] = "truncated", "", ""
    assert not duplicates.report(identity_of(held), told, list(held), {}).duplicates


def test_a_file_with_much_besides_weights_never_goes():
    held = {"full": FULL, "trained": FULL}
    files = files_of(held)
    files["trained"][1, 1] += 1_000_000
    report = reported(held, files=files)
    assert {model: each.of for model, each in report.duplicates.items()} == {"full": "trained"}
    assert "bytes of its files are no weights that were read" in report.unjudged["trained"]
    assert {each.of for each in reported(held).duplicates.values()} == {"full"}


def test_one_file_of_several_models_frees_nothing():
    held = {"raw": FULL, "again": FULL, "copy": FULL}
    files = {"raw": {(1, 7): 5600}, "again": {(1, 7): 5600}, "copy": {(1, 8): 5600}}
    report = reported(held, files=files)
    assert {model: each.frees for model, each in report.duplicates.items()} == {
        "again": 0,
        "copy": 5600,
    }
    assert (report.frees, report.files_bytes) == (5600, 11200)
    _, findings, _ = duplicates_text.overview(report, group="g", labels={})
    assert findings[0] == "1 of 3 models could go: 1 copy."
    both = {"x": {(1, 7): 5600}, "y": {(1, 8): 5600}, "z": {(1, 8): 5600}}
    twice = reported(dict.fromkeys("xyz", FULL), files=both)
    assert twice.frees == 5600, "a file goes once"


def test_files_that_are_not_there_are_in_no_sum():
    report = reported({"a": FULL, "b": FULL}, files={})
    assert report.duplicates["b"].frees is None
    _, findings, _ = duplicates_text.overview(report, group="g", labels={})
    assert findings[:2] == [
        "1 of 2 models could go: 1 copy.",
        "The files of 1 of them are not there, and in no sum.",
    ]
    assert duplicates_text.table(report)["frees_bytes"].isna().all()


def test_names_matched_by_contents_have_their_bytes():
    held = {"plain": {"unet": Weights(1)}, "other": {"unet": Weights(1, "f16")}}
    told = described(held)
    told.loc[told["model"] == "other", "component"] = "network"
    report = duplicates.report(identity_of(held), told, list(held), {})
    assert report.duplicates["other"].relation == "cast"


def test_the_page_escapes_labels_and_says_what_it_rests_on():
    report = reported({"a": FULL, "b": FULL, "odd": {}})
    labels = {"a": "</script><b>|x", "b": "B"}
    told = duplicates_text.overview(report, group="g", labels=labels)
    text = page.html(*told)
    assert "<b>|x" not in text
    assert "Nothing is deleted" in text
    assert "metadata" in text
    assert "| B (b) | copy | &lt;/script>&lt;b>\\|x (a) | bit for bit | 5.70 kB |" in page.markdown(
        *told
    )
    assert "**odd**: could not be read, or not wholly" in page.markdown(*told)


def test_nothing_to_compare_is_told_in_a_sentence():
    report = reported({"a": FULL})
    title, findings, sections = duplicates_text.overview(report, group="g", labels={})
    assert (title, sections) == ("What g has twice", [])
    assert findings[0] == "Nothing to compare: the group has one model."
    assert duplicates_text.table(report)["model"].tolist() == ["a"]
