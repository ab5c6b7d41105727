"""The identity table as a page that one can read: what was found, then who holds what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import networkx as nx
import pandas as pd

from atlas.basis.page import Section, called, listed
from atlas.names import components
from atlas.relations.families import Standing, families, holders, standings
from atlas.relations.groups import nothing_to_compare
from atlas.relations.identity import EMA_OF

MAX_PAIRS = 60
"""A page that lists more pairs than this helps nobody: they are in the table."""
MAX_DIFFERENCES = 200
MAX_FINDINGS = 4
"""Of each kind."""

EMA_NOTE = re.compile(EMA_OF.format(raw=r"(\S+)", copy=r"([^\s;]+)"))
COPIES = {"identical", "cast", "two roundings"}
"""Verdicts on the components of what is one model in several dtypes."""
LETTERS = (
    "A letter is a family of models with the same weights, bit for bit, under whatever names; "
    "letters begin anew in each column. 'A, rounded': all tensors are A's or A's rounded to "
    "another dtype. '84 % of A': so many tensors are A's or A's rounded, the others changed. "
    "'own': less than 5 % of the tensors are any other model's. '–': no such component."
)


@dataclass(frozen=True, eq=False)
class Told:
    """A group's identity table, and how its page names what it tells of."""

    frame: pd.DataFrame
    group: str
    models: Sequence[str]
    """In the roster's order."""
    labels: Mapping[str, str]

    def name(self, model: str) -> str:
        """Return a model's label and id."""
        return called(model, self.labels)

    def names(self, models: Iterable[str]) -> str:
        """Return a list of models in the roster's order."""
        return listed([self.name(model) for model in self.ordered(models)])

    def ordered(self, models: Iterable[str]) -> list[str]:
        """Return models in the roster's order."""
        return sorted(models, key=self.place.__getitem__)

    @cached_property
    def place(self) -> dict[str, int]:
        """Each model's place in the roster."""
        return {model: place for place, model in enumerate(self.models)}

    @cached_property
    def compared(self) -> list[str]:
        """The models that have pairs."""
        return self.ordered({*self.frame["a"], *self.frame["b"]})

    @cached_property
    def rows(self) -> dict[str, pd.DataFrame]:
        """The table's rows by component, those of a pipeline first in its order."""
        known = {name: number for number, name in enumerate(components.WORDS)}
        found = {str(name): rows for name, rows in self.frame.groupby("component")}
        order = sorted(found, key=lambda name: (known.get(name, len(known)), name))
        return {component: found[component] for component in order}

    @cached_property
    def standings(self) -> dict[str, dict[str, Standing]]:
        """Where each model stands, by component."""
        return {name: standings(rows, self.models) for name, rows in self.rows.items()}


def overview(
    frame: pd.DataFrame, *, group: str, models: Sequence[str], labels: Mapping[str, str]
) -> tuple[str, list[str], list[Section]]:
    """Return the page's title, what was found, and its sections."""
    told = Told(frame, group, models, labels)
    title = f"Which components of {group} are the same"
    if frame.empty:
        return title, [nothing_to_compare(len(models))], []
    is_long = len(frame) > MAX_PAIRS
    sections = [_holdings(told), _families(told), *([_differences(told)] if is_long else [])]
    sections = [part for part in sections if part.rows]
    return title, _findings(told), [*sections, _elsewhere(told) if is_long else _pairs(told)]


def title_of(component: str) -> str:
    """Return what headings call a component."""
    word = components.WORDS.get(component, component)
    return word[0].upper() + word[1:]


def _findings(told: Told) -> list[str]:
    """Return what matters most, in a few sentences."""
    found = []
    if unread := [model for model in told.models if model not in told.compared]:
        found.append(f"Not compared, for models.md tells of trouble: {told.names(unread)}.")
    found += _few(_one_model(told, {"identical"}, "Identical in every component"))
    found += _few(_one_model(told, COPIES, "One model in several dtypes", but={"identical"}))
    found += _few(_roundings(told))
    found += _few(_averages(told))
    return found + [_sharing(told, component) for component in told.rows]


def _few(sentences: Iterable[str]) -> list[str]:
    """Return the first sentences of a kind, and how many more there are."""
    every = list(sentences)
    more = len(every) - MAX_FINDINGS
    return [*every[:MAX_FINDINGS], f"… and {more} more like this."] if more > 1 else every


def _one_model(
    told: Told, verdicts: set[str], words: str, but: set[str] | None = None
) -> list[str]:
    """
    Return a sentence for each set of models whose pairs all have these verdicts alone.

    Being rounded does not hand on: two models that round to a third may differ.
    """
    columns = (told.frame[column] for column in ("a", "b", "verdict"))
    found: dict[tuple[str, str], set[str]] = {}
    for a, b, verdict in zip(*columns, strict=True):
        found.setdefault((a, b), set()).add(verdict)
    graph = nx.Graph(pair for pair, every in found.items() if every <= verdicts)
    sets: list[set[str]] = []
    for part in nx.connected_components(graph):
        inner = graph.subgraph(part)
        is_whole = inner.number_of_edges() == len(part) * (len(part) - 1) // 2
        sets += [part] if is_whole else [set(edge) for edge in inner.edges]
    if but:
        plain = {pair for pair, every in found.items() if every == but}
        sets = [part for part in sets if not plain.issuperset(combinations(sorted(part), 2))]
    sets.sort(key=lambda part: (-len(part), *sorted(map(told.place.__getitem__, part))))
    return [f"{words}: {told.names(part)}." for part in sets]


def _roundings(told: Told) -> list[str]:
    """Return a sentence for each model that others are proved to be roundings of."""
    copies: dict[tuple[str, str], set[str]] = {}
    for component, rows in told.rows.items():
        rows = rows[rows["verdict"] == "two roundings"]
        for a, b, what in zip(rows["a"], rows["b"], rows["what"], strict=True):
            source = what.partition(": ")[2].partition(";")[0]
            copies.setdefault((source, component), set()).update((a, b))
    titles: dict[tuple[str, str], list[str]] = {}
    for (source, component), models in copies.items():
        titles.setdefault((source, told.names(models)), []).append(title_of(component))
    return [
        f"Roundings of one model, {told.name(source)}: {models} ({', '.join(parts)})."
        for (source, models), parts in titles.items()
    ]


def _averages(told: Told) -> list[str]:
    """Return a sentence for each model whose training copy others have as raw weights."""
    raw_of: dict[str, set[str]] = {}
    for what in told.frame["what"]:
        for raw, copy in EMA_NOTE.findall(what):
            raw_of.setdefault(copy, set()).add(raw)
    return [
        f"The EMA of {told.name(copy)} is the raw weights of {told.names(raw_of[copy])}."
        for copy in told.ordered(raw_of)
    ]


def _sharing(told: Told, component: str) -> str:
    """Say how many models have the same weights in a component."""
    title, rows = title_of(component), told.rows[component]
    held = told.ordered(holders(rows))
    if len(held) == 1:
        return f"{title}: {told.name(held[0])} alone has one."
    found = families(rows)
    if not found:
        return f"{title}: no two of {len(held)} models have the same weights."
    largest = f"{len(found[0])} of {len(held)} models have the same weights"
    more = len(found) - 1
    others = f", and {more} smaller famil{'y' if more == 1 else 'ies'}" if more else ""
    return f"{title}: {largest}{others}: {told.names(found[0])}."


def _holdings(told: Told) -> Section:
    """Return the table of all models: whose weights each component has."""
    rows = [
        [told.name(model), *(_place(places.get(model)) for places in told.standings.values())]
        for model in told.compared
    ]
    header = ["model", *map(title_of, told.standings)]
    return Section("Model by model", LETTERS, header, rows, frozenset(range(len(header))))


def _place(place: Standing | None) -> str:
    if place is None:
        return "–"
    if place.family is None:
        return "own"
    if place.is_member:
        return place.family
    if place.is_rounded:
        return f"{place.family}, rounded"
    return f"{min(max(round(100 * place.share), 1), 99)} % of {place.family}"


def _members(told: Told, component: str) -> dict[str, list[str]]:
    """Return the models of each family by its letter, in the roster's order."""
    found: dict[str, list[str]] = {}
    for model in told.ordered(told.standings[component]):
        place = told.standings[component][model]
        if place.family is not None and place.is_member:
            found.setdefault(place.family, []).append(model)
    return found


def _families(told: Told) -> Section:
    """Return the table of families that have two models or more."""
    rows = [
        [title_of(component), letter, str(len(members)), told.names(members)]
        for component in told.rows
        for letter, members in sorted(
            _members(told, component).items(), key=lambda family: (len(family[0]), family[0])
        )
        if len(members) > 1
    ]
    header = ["component", "family", "models", "who"]
    return Section("Families", "", header, rows, frozenset({0, 1}), frozenset({3}))


def _differences(told: Told) -> Section:
    """Return what differs between a family and the models that stand next to it."""
    rows = []
    for component, places in told.standings.items():
        what = _lookup(told.rows[component])
        for model in told.ordered(places):
            place = places[model]
            if place.family is None or place.is_member:
                continue
            leader = _members(told, component)[place.family][0]
            rows.append(
                [title_of(component), told.name(model), told.name(leader), what(model, leader)]
            )
    more = len(rows) - MAX_DIFFERENCES
    text = f"The first {MAX_DIFFERENCES}; {more} more are in identity.csv." if more > 0 else ""
    header = ["component", "model", "next to", "what"]
    words, prose = frozenset({0, 1, 2}), frozenset({3})
    return Section("What differs from a family", text, header, rows[:MAX_DIFFERENCES], words, prose)


def _lookup(rows: pd.DataFrame) -> Callable[[str, str], str]:
    """Return a function of two models, in any order, to what differs between them."""
    found = dict(zip(zip(rows["a"], rows["b"], strict=True), rows["what"], strict=True))
    return lambda one, other: found[min(one, other), max(one, other)]


def _elsewhere(told: Told) -> Section:
    """Return where to find the table of pairs that is too long for a page."""
    where = f"The {len(told.frame)} rows of all pairs and components are in identity.csv."
    return Section("Pair by pair", where)


def _pairs(told: Told) -> Section:
    """Return the table of all pairs, in the roster's order."""
    header = ["models", "and", "component", "verdict", "what"]
    words, prose = frozenset(range(4)), frozenset({4})
    order = list(told.rows)
    records = []
    for row in told.frame.to_dict("records"):
        one, other = told.ordered([row["a"], row["b"]])
        verdict, what = row["verdict"], row["what"]
        if verdict in ("only in a", "only in b"):
            verdict = f"only in {told.name(row[verdict[-1]])}"
        what = "" if what == verdict else what
        place = (told.place[one], told.place[other], order.index(row["component"]))
        cells = [told.name(one), told.name(other), title_of(row["component"]), verdict, what]
        records.append((place, cells))
    rows = [cells for _, cells in sorted(records)]
    return Section("Pair by pair", "", header, rows, words, prose)
