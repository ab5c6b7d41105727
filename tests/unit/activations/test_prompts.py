"""Prompts of a list or file, in turn; what is no text is told."""

import pytest

from atlas.activations.probes import prompts
from atlas.basis.errors import AtlasError


def written(tmp_path, raw: bytes):
    path = tmp_path / "prompts.txt"
    path.write_bytes(raw)
    return path


def test_samples_take_prompts_in_turn():
    texts = prompts.chosen(["a", "b", "c"])
    assert texts.of([0, 4, 5, 300]) == ["a", "b", "c", "a"]


def test_an_empty_prompt_is_the_default_and_may_be_in_a_list():
    assert prompts.chosen(None).of([0, 7]) == ["", ""]
    assert prompts.chosen(["", "a"]).of([0, 1]) == ["", "a"]


@pytest.mark.parametrize(
    "raw",
    [
        "ein Käse\nzwei\n".encode(),
        "\ufeffein Käse\nzwei".encode(),
        "ein Käse\r\n\r\n  zwei \r\n".encode(),
    ],
    ids=["plain", "mark", "windows"],
)
def test_a_file_has_a_prompt_a_line(tmp_path, raw):
    path = written(tmp_path, raw)
    for option in (path, str(path)):
        assert prompts.chosen(option).texts == ("ein Käse", "zwei")


def test_only_line_ends_part_prompts(tmp_path):
    path = written(tmp_path, "a\u2028b\x0bc\nd".encode())
    assert prompts.chosen(path).texts == ("a\u2028b\x0bc", "d")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le"])
def test_another_encoding_is_told_with_the_remedy(tmp_path, encoding):
    path = written(tmp_path, "ein Käse".encode(encoding))
    with pytest.raises(AtlasError, match=r"prompts\.txt: is no text in UTF-8; save it") as error:
        prompts.chosen(path)
    assert "iconv" in str(error.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(AtlasError, match=r"none\.txt: can't be read \(No such file"):
        prompts.chosen(tmp_path / "none.txt")


def test_a_folder_is_told(tmp_path):
    with pytest.raises(AtlasError, match="can't be read"):
        prompts.chosen(tmp_path)


@pytest.mark.parametrize("raw", [b"", b"\n \n", "\ufeff".encode()])
def test_an_empty_file_is_told(tmp_path, raw):
    with pytest.raises(AtlasError, match="holds no prompt; write one a line"):
        prompts.chosen(written(tmp_path, raw))


@pytest.mark.parametrize("option", [[1], 3, {"a": "b"}])
def test_what_is_no_text_is_told(option):
    with pytest.raises(AtlasError, match="is no list of texts"):
        prompts.chosen(option)


def test_an_empty_list_is_told():
    with pytest.raises(AtlasError, match="the list is empty"):
        prompts.chosen([])
