"""The vocabularies of a group: which models share a table, which is compared with which."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from atlas.basis.errors import AtlasError
from atlas.basis.page import listed
from atlas.embeddings import token_texts, vocabulary
from atlas.embeddings.findings import called
from atlas.embeddings.token_tables import TokenTable, of_fingerprint
from atlas.embeddings.vocabulary import STATUSES
from atlas.embeddings.vocabulary_picture import shown
from atlas.embeddings.vocabulary_store import Known

COLUMNS = [
    "model", "component", "base", "pair", "tokens", *STATUSES, "factor", "median",
    "ninety_percent", "largest", "moved_most", "problem",
]  # fmt: skip
MOST = 8
"""Tokens that are named."""


@dataclass(frozen=True)
class Member:
    """A text encoder of a model of the group."""

    model: str
    component: str
    fingerprint: Path
    home: Path
    """The folder that the fingerprint's files are named from."""
    tokenizer: Path | None
    """Its folder, where one was found."""


@dataclass(frozen=True)
class Vocabularies:
    """One component's tables in a group."""

    component: str
    base: str
    tables: Mapping[str, TokenTable]
    """By model, in the group's order."""
    problems: Mapping[str, str]
    """By model: why it has no table that can be compared."""
    texts: Sequence[str]

    def pair(self, model: str) -> str:
        """Return the key of a model's pair with the base."""
        return f"{self.tables[self.base].digest}-{self.tables[model].digest}"

    def pairs(self) -> dict[str, "partial[vocabulary.Comparison]"]:
        """Return what is to be compared: tables other than the base's, each once."""
        own = self.tables[self.base]
        return {
            self.pair(model): partial(vocabulary.compare, own, table, self.texts)
            for model, table in self.tables.items()
            if table.digest != own.digest
        }


def vocabularies(members: Sequence[Member], *, base: str | None) -> Iterator[Vocabularies]:
    """
    Yield the components of a group; the base first has its say, else the first model.

    Parameters
    ----------
    members
        In the group's order.
    """
    for component in sorted({member.component for member in members}):
        tables: dict[str, TokenTable] = {}
        problems: dict[str, str] = {}
        own = [member for member in members if member.component == component]
        for member in own:
            try:
                tables[member.model] = of_fingerprint(
                    member.fingerprint, home=member.home, component=component, label=member.model
                )
            except AtlasError as error:
                problems[member.model] = str(error)
        if not tables:
            continue
        chosen = base if base in tables else next(iter(tables))
        for model in [name for name in tables if tables[name].width != tables[chosen].width]:
            problems[model] = (
                f"its tokens have {tables.pop(model).width} numbers, those of {chosen} "
                f"{tables[chosen].width}: no table to compare"
            )
        tokenizers = {member.model: member.tokenizer for member in own}
        folder = tokenizers[chosen]
        yield Vocabularies(component, chosen, tables, problems, _texts(folder))


def _texts(folder: Path | None) -> list[str]:
    """Return the texts of tokens, or none: without them tokens go by their numbers."""
    if folder is None:
        return []
    try:
        return token_texts.texts_of(folder)
    except AtlasError as error:
        logging.warning("%s", error)
        return []


def table(
    found: Sequence[Vocabularies], known: Mapping[str, Known], problems: Mapping[str, str]
) -> pd.DataFrame:
    """
    Return a row for each model and component: how many tokens are identical, moved, ...

    Parameters
    ----------
    known, problems
        Of `vocabulary_store.update`.
    """
    return pd.DataFrame(
        [
            _row(each, model, known, problems)
            for each in found
            for model in (*each.tables, *each.problems)
        ],
        columns=COLUMNS,
    )


def _row(
    each: Vocabularies, model: str, known: Mapping[str, Known], problems: Mapping[str, str]
) -> dict[str, Any]:
    told: dict[str, Any] = {"model": model, "component": each.component, "base": each.base}
    if model in each.problems:
        return told | {"problem": each.problems[model]}
    pair = each.pair(model)
    if pair in problems:
        return told | {"problem": problems[pair]}
    if pair not in known:  # the base's own table
        counts = dict.fromkeys(STATUSES, 0) | {"identical": each.tables[model].rows}
        return told | counts | {"tokens": each.tables[model].rows, "largest": 0.0, "median": 0.0}
    summary = known[pair].summary
    factor = summary["factor"]
    return (
        told
        | dict(summary["counts"])
        | {key: summary[key] for key in ("median", "ninety_percent", "largest")}
        | {
            "pair": pair,
            "tokens": summary["compared"],
            "factor": factor["value"] if factor else None,
            "moved_most": " ".join(_most(known[pair])),
        }
    )


def _most(known: Known) -> list[str]:
    """Return the tokens that moved most, as text that can be printed."""
    rows = known.rows.to_pandas()
    moved = rows[rows["status"] == vocabulary.MOVED].sort_values("rank").head(MOST)
    return [
        shown(None if pd.isna(text) else text, token)
        for text, token in zip(moved["text"], moved["token"], strict=True)
    ]


def sentences(name: str, rows: pd.DataFrame, labels: Mapping[str, str]) -> Iterator[str]:
    """Yield what became of the vocabularies of a group, component by component."""
    for component, of_it in rows.groupby("component", sort=False):
        base = of_it["base"].iloc[0]
        what = f"{name} · vocabulary of the {called(str(component))}"
        sound = of_it[of_it["problem"].isna()]
        same = sound[(sound["identical"] == sound["tokens"]) & (sound["model"] != base)]
        if len(same):
            told = listed([labels.get(model, model) for model in same["model"]], most=5)
            tokens = int(same["tokens"].iloc[0])
            yield f"{what}: {told}: all {tokens:,} tokens as {labels.get(base, base)}, bit for bit"
        others = sound[sound["identical"] < sound["tokens"]]
        for _, rest in others.groupby("pair", sort=False):
            who = listed([labels.get(model, model) for model in rest["model"]], most=5)
            yield f"{what}: {who}: {_told(rest.iloc[0])}"
        for _, row in of_it[of_it["problem"].notna()].iterrows():
            yield f"{what}: {labels.get(row['model'], row['model'])}: {row['problem']}"


def _told(row: "pd.Series[Any]") -> str:
    counts = [f"{int(row[status]):,} {status}" for status in STATUSES if row[status]]
    told = f"of {int(row['tokens']):,} tokens {', '.join(counts)}"
    if pd.notna(row["factor"]):
        told += f"; the shrunk ones are {row['factor']:.7g} times the base's"
    if row["moved_most"]:
        told += f"; moved most: {row['moved_most']}"
    return told
