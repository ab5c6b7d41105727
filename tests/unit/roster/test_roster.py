"""The roster: what it resolves to, and that every fault of a bad one is told at once."""

import os
from pathlib import Path

import pytest

import factory
from atlas.basis.errors import AtlasError
from atlas.checkpoint import files_of
from atlas.roster import reading


@pytest.fixture
def models(tmp_path):
    for name in ("base", "tuned", "merged"):
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / "models" / f"{name}.safetensors").write_bytes(b"x")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "roster.yaml"
    path.write_text(text)
    return path


def entry(name: str, **more: str) -> str:
    lines = "".join(f"    {key}: {value}\n" for key, value in more.items())
    return f"  {name}:\n    path: models/{name}.safetensors\n{lines}"


def fault(path: Path, **options) -> str:
    with pytest.raises(AtlasError) as raised:
        reading.load(path, **options)
    return str(raised.value)


def test_paths_are_relative_to_the_roster_whatever_the_working_directory(models, monkeypatch):
    path = write(models, "models:\n" + entry("base"))
    (models / "elsewhere").mkdir()
    monkeypatch.chdir(models / "elsewhere")
    assert reading.load(path).models["base"].path == models / "models" / "base.safetensors"
    monkeypatch.chdir(models)
    assert reading.load(Path("roster.yaml")).models["base"].path == Path("models/base.safetensors")


def test_a_file_may_stand_twice_for_both_of_its_weights(models):
    path = write(
        models,
        f"models:\n{entry('base')}  averaged: {{path: models/base.safetensors, weights: ema}}",
    )
    found = reading.load(path).models
    assert found["averaged"].path == found["base"].path
    assert (found["averaged"].weights, found["base"].weights) == ("ema", None)
    assert "did you mean ema?" in fault(write(models, "models:\n" + entry("base", weights="emma")))


def test_order_is_the_files_and_groups_take_ids_and_tags(models):
    path = write(
        models,
        "models:\n"
        + entry("tuned", tags="[a]")
        + entry("base", label="The base")
        + entry("merged", tags="[a, b]", base="base")
        + "groups:\n  both: {models: [base], tags: [a], base: base, ordered: true}\n",
    )
    found = reading.load(path)
    assert list(found.models) == ["tuned", "base", "merged"]
    assert found.models["base"].label == "The base"
    assert found.models["tuned"].label == "tuned"
    assert found.groups["both"].models == ("base", "tuned", "merged")
    assert found.groups["both"].ordered


def test_all_faults_are_told_at_once_with_the_nearest_names(models):
    path = write(
        models,
        "models:\n"
        + entry("base", lable="x")
        + "  tunde:\n    path: models/tunned.safetensors\n"
        + entry("merged", base="bsae", tags="[anime]")
        + "  bad id:\n    path: models/base.safetensors\n"
        + "groups:\n  one:\n    models: [merged]\n  absent:\n    models: [merged, bas]\n"
        + "  tagged:\n    tags: [anmie]\n    paris: true\n",
    )
    told = fault(path)
    assert "roster.yaml is not usable: 9 problems" in told
    for expected in (
        "models › base › lable\n    found     x\n    problem   unknown key; did you mean label?",
        "models › tunde › path",
        "did you mean " + str(models / "models" / "tuned.safetensors"),
        "merged › base\n    found     bsae\n    problem   no such model; did you mean base?",
        "an id is letters, digits",
        "groups › one\n    found     1 model(s)",
        "absent › models › 1\n    found     bas\n    problem   no such model; did you mean base?",
        "no model has this tag; did you mean anime?",
        "groups › tagged › paris",
    ):
        assert expected in told.replace(str(Path.cwd()) + "/", ""), told


def test_duplicate_ids_are_faults_and_not_the_last_one_wins(models):
    path = write(models, "models:\n" + entry("base") + entry("tuned") + entry("base"))
    assert "lines 2 and 6" in fault(path)


def test_ids_and_groups_that_differ_in_case_alone_are_faults(models):
    text = (
        "models:\n" + entry("base") + "  Base:\n    path: models/tuned.safetensors\n"
        "groups:\n  g: {models: [base, Base]}\n  G: {models: [base, Base]}\n"
    )
    told = fault(write(models, text))
    assert "models › Base\n" in told
    assert "differs from base in upper and lower case only" in told
    assert "groups › G\n" in told
    assert "differs from g in upper and lower case only" in told
    assert "2 problems" in told


@pytest.mark.parametrize("part", ["models", "groups"])
@pytest.mark.parametrize("name", [r"base\n", "../base", "a/b", "{x}", "x" * 101, " ", "-a"])
def test_names_that_can_name_no_file_are_faults(models, part, name):
    text = f'models: {{base: {{path: models/base.safetensors}}}}\n{part}:\n  "{name}": {{}}\n'
    if part == "models":
        text = f'models:\n  "{name}": {{path: models/base.safetensors}}\n'
    told = fault(write(models, text))
    assert "letters, digits, and . _ - inside, at most 100 in all" in told
    assert len(told) < 700
    assert all(line.startswith(("  ", "\n")) for line in told.splitlines()[1:] if line)


def test_ids_that_yaml_takes_for_numbers_are_faults(models):
    text = "models:\n  12:\n    path: models/base.safetensors\n"
    assert "12" in fault(write(models, text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "an empty file"),
        ("models: [a, b]", "expected keys with values"),
        ("models:\n  a:\n   - path", "expected keys with values"),
        ("models:\n  a: {path: 3}", "expected text (put it in quotes)"),
        ("models: {a: {path: [}", "not valid YAML at line 1"),
        ("groups: {}", "missing key"),
        ("models: {}", "missing key"),
        ("groups: {g: {models: [a, b]}}", "missing key"),
        ("groups: {g: {models: [a, b]}}", "no such model"),
        ("models: {a: {path: 2001-13-45}}", "not valid YAML: month must be in 1..12"),
        ("models: {a: {path: 0x" + "f" * 9999 + "}}", "a number of 10001 digits"),
        ("models: &m {a: *m}", "its aliases (*name) unfold to too many values"),
        ("[" * 9999, "lists or keys lie more than 50 deep"),
        ("just text", "expected keys with values"),
    ],
)
def test_wrong_yaml_is_told_with_its_place(tmp_path, text, told):
    assert told in fault(write(tmp_path, text))


def test_a_missing_roster_names_the_nearest(models):
    write(models, "models:\n" + entry("base"))
    assert "did you mean roster.yaml?" in fault(models / "rooster.yaml")


def test_missing_checkpoints_can_be_skipped(models):
    path = write(
        models,
        "models:\n" + entry("base") + entry("tuned") + entry("gone")
        + "groups:\n  all:\n    models: [base, tuned, gone]\n    base: gone\n"
        "  two:\n    models: [base, gone]\n",
    )  # fmt: skip
    assert "models › gone › path" in fault(path)
    found = reading.load(path, skip_missing=True)
    assert list(found.models) == ["base", "tuned"]
    assert found.groups["all"].models == ("base", "tuned")
    assert found.groups["all"].base is None
    assert "two" not in found.groups
    assert found.lacking is None
    path = write(
        models,
        f"models:\n{entry('base')}{entry('gone')}groups: {{two: {{models: [base, gone]}}}}\n",
    )
    lacking = reading.load(path, skip_missing=True).lacking
    assert lacking == f"{path}: without gone no group has two models."
    assert list(found.missing) == ["gone"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("x" * 300, "a name in it is longer than file systems allow"),
        ("dangling.safetensors", "a link to /nowhere/blob, which is not there"),
        ("loop.safetensors", "a link to loop.safetensors, which is not there"),
        ("pipe.safetensors", "neither a file nor a folder but a named pipe"),
        (".", "no weight file"),
        ("~nobody-of-this-name/x", "no such file or folder"),
        (r"\0", "no name holds a null character"),
        ("{x}.safetensors", "no such file or folder"),
        ("models/{base}.safetensors", "did you mean"),
        ("[x]*.safetensors", "no file matches"),
    ],
)
def test_a_path_that_leads_to_no_weights_is_told_in_one_problem(models, written, told):
    (models / "dangling.safetensors").symlink_to("/nowhere/blob")
    (models / "loop.safetensors").symlink_to("loop.safetensors")
    os.mkfifo(models / "pipe.safetensors")
    (models / "lists").mkdir()
    path = write(models / "lists", f'models:\n  a:\n    path: "../{written}"\n')
    if written in (".", "~nobody-of-this-name/x"):
        path.write_text(f'models:\n  a:\n    path: "{written}"\n')
    message = fault(path)
    assert told in message
    assert "1 problem\n" in message
    assert f"did you mean {models / written}?" not in message
    text = "models:\n" + entry("base") + f'groups:\n  m:\n    matrices: "{written}"\n'
    assert "1 problem\n" in fault(write(models, text))


@pytest.mark.parametrize("word", ["{x}", "<results>"])
def test_a_path_that_snakemake_would_fill_in_is_told(models, word):
    (models / word).mkdir()
    for file in ("weights.safetensors", "matrix.json"):
        (models / word / file).write_text("{}")
    text = f"models:\n  a: {{path: '{word}'}}\ngroups:\n  m: {{matrices: '{word}/matrix.json'}}\n"
    told = fault(write(models, text))
    assert "2 problems" in told
    assert f"weights.safetensors: Snakemake would fill in {word}; rename" in told
    assert f"matrix.json: Snakemake would fill in {word}; rename" in told


def test_a_folder_may_be_the_rosters_own(models, monkeypatch):
    factory.diffusers_folder(models, factory.weights(seed=1))
    write(models, "models:\n  here: {path: .}\n")
    monkeypatch.chdir(models)
    assert reading.load(Path("roster.yaml")).models["here"].path == Path()


def test_brackets_of_folders_around_are_no_part_of_a_glob(models, monkeypatch):
    folder = models / "[sfw] wan"
    (models / "models").rename(folder)
    path = write(folder, "models:\n  all: {path: 'b*.safetensors'}\n")
    for here in (models, folder):
        monkeypatch.chdir(here)
        found = reading.load(path).models["all"].path
        assert [file.resolve() for file in files_of(found)] == [folder / "base.safetensors"]


def bomb(start: str, *, merged: bool) -> str:
    """Return a text of a few lines whose last alias stands for 10 ** 12 values."""
    lines = [f"  a0: &a0 {start}"]
    for number in range(1, 13):
        copies = ", ".join([f"*a{number - 1}"] * 10)
        each = f"{{<<: [{copies}]}}" if merged else f"[{copies}]"
        lines.append(f"  a{number}: &a{number} {each}")
    return "models:\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("merged", [False, True])
def test_aliases_that_unfold_without_end_are_told_at_once(models, merged):
    text = bomb("{path: x}", merged=merged)
    assert "unfold to too many values" in fault(write(models, text))


def test_aliases_are_of_use(models):
    text = (
        "models:\n  a: &a {path: models/base.safetensors, tags: &t [x]}\n  b: {<<: *a, tags: *t}\n"
    )
    assert reading.load(write(models, text)).models["b"].tags == ("x",)


@pytest.mark.parametrize(
    ("models_and_groups", "told"),
    [
        (entry("base"), "has one model, and none to compare it with"),
        (entry("base") + entry("tuned"), "has no groups"),
        (entry("base") + entry("tuned") + "groups: {g: {models: [base, tuned]}}\n", None),
    ],
)
def test_what_is_lacking_for_a_comparison_is_said(models, models_and_groups, told):
    lacking = reading.load(write(models, "models:\n" + models_and_groups)).lacking
    assert lacking is told is None or told in lacking


def test_what_rules_make_below_resources_need_not_exist_yet(models):
    (models / "config").mkdir()
    path = write(models / "config", "models:\n  made:\n    path: ../resources/made\n")
    assert "models › made › path" in fault(path)
    assert reading.load(path, home=models).models["made"].path == Path("resources/made")


def test_a_group_of_matrices_has_no_models(models):
    (models / "matrix.json").write_text("{}")
    text = "models:\n" + entry("base") + "groups:\n  published:\n    matrices: matrix.json\n"
    assert reading.load(write(models, text)).groups["published"].matrices == (
        models / "matrix.json"
    )
    assert "leave out models" in fault(write(models, text + "    models: [base]\n"))
    assert "did you mean" in fault(write(models, text.replace("matrix.json", "matrx.json")))


def test_groups_of_matrices_need_no_models(models):
    (models / "matrix.json").write_text("{}")
    found = reading.load(write(models, "groups:\n  published:\n    matrices: matrix.json\n"))
    assert (found.models, list(found.groups), found.lacking) == ({}, ["published"], None)
