"""Lists of words: what they hold, and all that is wrong with one at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas.basis.errors import AtlasError
from atlas.embeddings import word_lists
from atlas.embeddings.word_lists import ALONE, SENTENCE, UPPER


def written(folder: Path, text: str, name: str = "list.yaml") -> Path:
    place = folder / name
    place.write_text(text, encoding="utf-8")
    return place


@pytest.mark.parametrize("name", word_lists.shipped())
def test_shipped_lists_can_be_read(name):
    found = word_lists.read(word_lists.place_of(name))
    assert 40 <= found.words <= 60
    assert len({row.text for row in found.rows}) == len(found.rows)
    assert found.axes


def test_a_word_is_three_rows_where_it_has_letters(tmp_path):
    found = word_lists.read(
        written(tmp_path, 'sentence: a {} here\nwords: {small: [cat], figures: ["7"]}')
    )
    assert [(row.text, row.variant, row.category) for row in found.rows] == [
        ("cat", ALONE, "small"),
        ("CAT", UPPER, "small"),
        ("a cat here", SENTENCE, "small"),
        ("7", ALONE, "figures"),
        ("a 7 here", SENTENCE, "figures"),
    ]
    assert [row.text[row.start : row.stop].lower() for row in found.rows] == [
        "cat", "cat", "cat", "7", "7",
    ]  # fmt: skip


def test_a_text_file_has_a_word_a_line(tmp_path):
    found = word_lists.read(written(tmp_path, "# mine\ncat\n\nred fox\n", "mine.txt"))
    assert (found.name, found.words) == ("mine", 2)
    assert [row.word for row in found.rows if row.variant == ALONE] == ["cat", "red fox"]


def test_all_faults_are_told_at_once(tmp_path):
    place = written(
        tmp_path,
        'words: {a: [cat, " dog", Cat, ""], b: [cat]}\naxes: [[cat, catt], [cat, cat]]',
    )
    with pytest.raises(AtlasError) as told:
        word_lists.read(place)
    text = str(told.value)
    assert "6 problems" in text
    assert "an empty word; delete it" in text
    assert text.count("there already, as cat") == 2
    assert "spaces around it" in text
    assert "not a word of the list; did you mean cat?" in text
    assert "an axis needs two different words" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected the key words"),
        ("words: []", "a list of words"),
        ("word: [a]", "did you mean words?"),
        ("words: [1, 2]", "numbers in quotes"),
        ("words: [a]\nsentence: no place", "a sentence in which {} stands for the word"),
    ],
)
def test_what_is_no_list_says_what_is_expected(tmp_path, text, said):
    with pytest.raises(AtlasError, match=r"list\.yaml") as told:
        word_lists.read(written(tmp_path, text))
    assert said in str(told.value)


@pytest.mark.parametrize("name", ["list.yaml", "list.txt"])
def test_another_encoding_is_said(tmp_path, name):
    (tmp_path / name).write_bytes("words: [café]".encode("latin-1"))
    with pytest.raises(AtlasError, match="not a text file in UTF-8"):
        word_lists.read(tmp_path / name)


def test_an_empty_text_file_is_refused(tmp_path):
    with pytest.raises(AtlasError, match="has no words"):
        word_lists.read(written(tmp_path, "# nothing\n", "empty.txt"))


@pytest.mark.parametrize(
    ("given", "said"),
    [("everyday_", "did you mean everyday?"), ("missing.yaml", "no such list of words")],
)
def test_a_list_that_is_not_there_is_named(given, said):
    with pytest.raises(AtlasError, match=said.replace("?", r"\?")):
        word_lists.place_of(given)
