"""A function's parameters, read from the words of a command line."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from atlas.basis import options


def taking(hint: Any, **default: Any) -> Callable[..., None]:
    """Return a function of one parameter, `value`."""

    def function(*, value) -> None: ...

    function.__annotations__["value"] = hint
    function.__kwdefaults__ = default
    return function


def refusal(hint: Any, words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what is said of words that are no value; the exit status is argparse's."""
    with pytest.raises(SystemExit) as end:
        options.parse(taking(hint), words)
    assert end.value.code == 2
    usage, _, fault = capsys.readouterr().err.partition("error: ")
    assert usage.startswith("usage: ")
    return fault


@pytest.mark.parametrize(
    ("hint", "words", "value"),
    [
        (str, ["--value", "1"], "1"),
        (int, ["--value", "1"], 1),
        (float, ["--value", "1e-3"], 0.001),
        (Path, ["--value", "a/b"], Path("a/b")),
        (bool, ["--value"], True),
        (bool, ["--no-value"], False),
        (bool | None, ["--no-value"], False),
        (int | None, ["--value", "1"], 1),
        (Literal["cpu", "cuda"], ["--value", "cuda"], "cuda"),
        (Literal[8, 16], ["--value", "16"], 16),
        (list[Path], ["--value", "a", "b"], [Path("a"), Path("b")]),
        (Sequence[int], ["--value", "1"], [1]),
        (Iterable[str], ["--value", "1", "2"], ["1", "2"]),
        (list[str] | None, ["--value", "a"], ["a"]),
        (tuple[str, str], ["--value", "a", "b"], ("a", "b")),
        (tuple[int, ...], ["--value", "1", "2", "3"], (1, 2, 3)),
        (dict[str, int], ["--value", "{a: 1}"], {"a": 1}),
        (dict[str, int], ["--value", '{"a":1}'], {"a": 1}),
        (dict[Path, Path], ["--value", "{a: b/c}"], {Path("a"): Path("b/c")}),
        (Mapping[str, list[float]], ["--value", "{a: [1, .5]}"], {"a": [1.0, 0.5]}),
        (dict[str, Any], ["--value", '{"rate":1e-3,"on":true}'], {"rate": 0.001, "on": True}),
        (Sequence[Sequence[int] | str], ["--value", "[native,[8,16]]"], ["native", [8, 16]]),
        (dict[str, str | None], ["--value", "{a: null}"], {"a": None}),
        (dict[str, int] | None, ["--value", "{}"], {}),
    ],
)
def test_a_value_is_of_the_annotated_type(hint: Any, words: list[str], value: Any) -> None:
    found = options.parse(taking(hint), words)["value"]
    assert (found, type(found)) == (value, type(value))
    if isinstance(value, dict):
        assert [type(each) for each in found.values()] == [type(each) for each in value.values()]


@pytest.mark.parametrize("hint", [int | None, list[str] | None, dict[str, str] | None, bool | None])
def test_what_may_be_none_may_be_left_out(hint: Any) -> None:
    assert options.parse(taking(hint), []) == {"value": None}


@pytest.mark.parametrize(
    ("hint", "default"), [(int, 5), (bool, False), (Path, Path("a")), (int | None, 3)]
)
def test_a_default_is_kept_and_told(hint: Any, default: Any) -> None:
    function = taking(hint, value=default)
    assert options.parse(function, []) == {"value": default}
    assert f"(default: {default})" in options.parser(function).format_help()


@pytest.mark.parametrize(
    ("hint", "words", "said"),
    [
        (int, [], "required: --value"),
        (bool, [], "required: --value"),
        (int, ["--value", "x"], "argument --value: invalid int value: 'x'"),
        (list[Path], ["--value"], "argument --value: expected at least one argument"),
        (tuple[str, str], ["--value", "a"], "argument --value: expected 2 arguments"),
        (Literal["cpu", "cuda"], ["--value", "gpu"], "invalid choice: 'gpu'"),
        (dict[str, int], ["--value", "[1]"], "expected dict[str, int], found [1]"),
        (dict[str, int], ["--value", "{a: true}"], "expected INTEGER, found True"),
        (dict[str, str], ["--value", "{a: 1}"], "expected TEXT, found 1"),
        (dict[str, Path], ["--value", "{a: 1}"], "expected PATH, found 1"),
        (dict[str, float], ["--value", "{a: x}"], "expected NUMBER, found 'x'"),
        (list[list[int] | str], ["--value", "[1]"], "expected list[int] | str, found 1"),
        (dict[str, int], ["--value", "{a: ["], "while parsing a flow"),
        (dict[str, int], ["--value", "@absent.yaml"], "No such file or directory: 'absent.yaml'"),
        (int, ["--value", "1", "--other", "2"], "unrecognized arguments: --other 2"),
        (int, ["--val", "1"], "required: --value"),
    ],
)
def test_a_bad_value_is_refused_as_argparse_does(
    hint: Any, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refusal(hint, words, capsys)


def test_a_value_with_parts_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.yaml"
    file.write_text("a: Ä\nb: 'no'\n", encoding="utf-8")
    found = options.parse(taking(dict[str, str]), ["--value", f"@{file}"])
    assert found == {"value": {"a": "Ä", "b": "no"}}


def test_a_long_wrong_value_is_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(refusal(dict[str, int], ["--value", str([1] * 1000)], capsys)) < 160


def example(folder: Path, *, shard_files: list[Path], to: Path = Path("x"), labels: dict) -> None:
    """
    Do one thing.

    It takes 100 % of a day.

    Parameters
    ----------
    folder
        Where it is,
        at 100 %.
    shard_files
        All of them.

    Raises
    ------
    folder
        No parameter.
    """


example.__annotations__["labels"] = dict[str, str]


def test_parameters_that_are_not_keywords_come_by_their_place() -> None:
    found = options.parse(example, ["here", "--shard-files", "a", "--labels", "{}"])
    assert found == {"folder": Path("here"), "shard_files": [Path("a")], "to": Path("x")} | {
        "labels": {}
    }


def test_the_help_is_that_of_the_docstrings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    told = options.parser(example, "The rule calls it.").format_help()
    _, description = told.split("\n\n", 1)
    module, preface, more, rule, positional, keywords, nested = description.split("\n\n")
    assert module == __doc__
    assert (preface, more) == ("Do one thing.", "It takes 100 % of a day.")
    assert rule == "The rule calls it."
    where = " ".join(positional.split())
    assert where == "positional arguments: folder Where it is, at 100 %."
    lines = [line.split() for line in keywords.splitlines()[2:]]
    assert lines == [
        ["--shard-files", "PATH", "[PATH", "...]"],
        ["All", "of", "them."],
        ["--to", "PATH", "(default:", "x)"],
        ["--labels", "YAML"],
    ]
    assert nested.startswith("YAML: in YAML or JSON, or @file")


def test_a_function_of_plain_values_has_no_word_of_nested_ones() -> None:
    assert "YAML" not in options.parser(taking(int)).format_help()


def test_an_annotation_must_be_there() -> None:
    def function(*, value): ...

    with pytest.raises(KeyError, match="value"):
        options.parser(function)
