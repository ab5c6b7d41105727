"""Single figures of others come out by their own counters; the difference to ours is named."""

import pytest

from atlas.basis.shipped import load
from atlas.macs import cross_checks

ROWS = {(row["who"], row["architecture"], row["what"]): row for row in cross_checks.rows()}


def test_every_figure_is_counted() -> None:
    assert len(ROWS) == len(load("published/cross_checks")["rows"]) >= 7


@pytest.mark.parametrize("place", ROWS)
def test_a_published_figure_comes_out(place: tuple[str, str, str]) -> None:
    row = ROWS[place]
    assert row["agrees"], f"{row['recounted']} {row['unit']} against {row['published']}"
    assert row["source"].startswith("https://")


@pytest.mark.parametrize("place", ROWS)
def test_what_differs_from_the_figure_of_record_is_named(place: tuple[str, str, str]) -> None:
    row = ROWS[place]
    is_record = row["recounted"] == row["record"]
    assert is_record == (row["counter"] != "thop")
    assert is_record or "attention" in row["difference"]


def test_a_figure_off_by_more_than_is_allowed_does_not_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = load("published/cross_checks")
    first = next(row for row in facts["rows"] if row["quantity"] == "bytes") | {"value": "6.9"}
    told = {**facts, "rows": [first]}
    monkeypatch.setattr(cross_checks, "load", lambda _: told)
    assert not cross_checks.rows()[0]["agrees"]
