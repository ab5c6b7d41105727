"""What a server answered in the place of weights is quoted, with the remedy."""

from pathlib import Path

import pytest

from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint

SUFFIXES = (".safetensors", ".ckpt", ".bin", ".pt")
LOG_IN = "log in, accept the model's terms"
AGAIN = "download the file again"

ANSWERS = {
    "<!doctype html>\n<html><head><title>Sign in</title></head>": (
        "a web page",
        "“Sign in”",
        LOG_IN,
    ),
    "<html><body>503 Service Unavailable</body></html>": ("a web page", "“503 Service", AGAIN),
    '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>': (
        "an XML",
        "AccessDenied",
        LOG_IN,
    ),
    '{"error":"Unauthorized","message":"be logged in"}': ("a JSON text", "Unauthorized", LOG_IN),
    '[{"id": 1}]': ("a JSON text", "“[{", AGAIN),
    "Entry not found": ("a text", "“Entry not found”", AGAIN),
    "Not Found": ("a text", "“Not Found”", AGAIN),
    "Invalid username or password.": ("a text", "“Invalid username or password.”", LOG_IN),
    "Access to model x/y is restricted. Please log in." + " " * 600: (
        "a text",
        "“Access to",
        LOG_IN,
    ),
    "\ufeffZugriff verweigert – bitte später" + "ß" * 600: (
        "a text",
        "“Zugriff verweigert –",
        AGAIN,
    ),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("answer", ANSWERS)
def test_texts_show_their_first_words(tmp_path: Path, answer: str, suffix: str) -> None:
    file = tmp_path / f"model{suffix}"
    file.write_text(answer, encoding="utf-8")
    with pytest.raises(AtlasError) as error:
        open_checkpoint(file)
    told = str(error.value)
    assert told.startswith(f"{file}: ")
    for words in ANSWERS[answer]:
        assert words in told
    assert len(told) < len(str(file)) + 220, "the words are few, however long the text is"
    assert "\n" not in told


def test_a_document_is_not_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Settings of the second run")
    with pytest.raises(AtlasError, match="“Settings of the second run”; name a file of weights"):
        open_checkpoint(tmp_path / "notes.txt")


def test_a_pointer_of_git_lfs_is_told_as_one(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n")
    with pytest.raises(AtlasError, match="run git lfs pull"):
        open_checkpoint(file)


def test_bytes_that_begin_like_a_text_are_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"words and then bytes" + bytes(100))
    with pytest.raises(AtlasError, match="cannot hold a safetensors header"):
        open_checkpoint(file)


def test_a_pickle_of_protocol_0_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    file.write_bytes(b"cposix\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(AtlasError, match=r"posix\.system"):
        open_checkpoint(file)
