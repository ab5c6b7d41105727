"""The roster: what it resolves to, and that every fault of a bad one is told at once."""

from pathlib import Path

import pytest

from atlas.basis.errors import AtlasError
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


def test_ids_that_differ_in_case_alone_are_faults(models):
    text = "models:\n" + entry("base") + "  Base:\n    path: models/tuned.safetensors\n"
    assert "differs from base in upper and lower case only" in fault(write(models, text))


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
    assert list(found.missing) == ["gone"]


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
    assert "no such file" in fault(write(models, text.replace("matrix.json", "matrx.json")))
