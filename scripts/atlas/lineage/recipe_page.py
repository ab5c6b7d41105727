"""A group's recipes as a page to read: what was found, then block by block, and claims."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from atlas.basis.page import Item, Section, called, listed
from atlas.claims.comparing import Answer
from atlas.lineage.expressions import plain
from atlas.lineage.fitted import Fitted
from atlas.lineage.sentences import titles
from atlas.lineage.telling import TITLES, Kind, Told
from atlas.plots.words import significant
from atlas.relations.groups import nothing_to_compare

MOST_FINDINGS = {Kind.MERGE: 8, Kind.NEAR: 4, Kind.HIDDEN: 3}
"""Sentences of a kind that the page begins with."""
MOST_OTHERS = 4
"""Sentences on LoRAs, and on claims that are contradicted, that it begins with."""
MOST_ITEMS = 300
MOST_ROWS = 1500
"""Of a table; recipes.csv has all."""
FOLDED_FROM = 40
"""Rows from which on a table is folded."""
PUBLISHED = (
    "By published distances of four decimals alone: without the weights nothing is known of what "
    "rounding leaves, and nothing is proved."
)
LEFT = (
    "Left: the L2 that the sum does not explain, as a share of the distance from the nearest "
    "model; of blocks the largest. Beside it, what rounding to the model's dtype would leave. "
    "Distances as they are stored tell little below some 0.01."
)
LEGEND = (
    "A recipe is a sum of other models with weights, found from the distances. It is recovered "
    "where it leaves no more than rounding to the model's own dtype does; ± is a standard error, "
    "told where it matters. Proved: the recipe was made again from the weights, and is equal bit "
    "for bit wherever the parents differ. What no sum explains is a fine-tune, another "
    "arithmetic, or has a parent that is not here."
)


def overview(told: Told) -> tuple[str, list[str], list[Section]]:
    """Return the page's title, what was found, and its sections."""
    title = f"What {told.group} was made from"
    if not told.fits:
        return title, [nothing_to_compare(len(told.models))], []
    sections = [
        _recipes(told),
        _blocks(told),
        _baked(told),
        _claims(told),
        _deviating(told),
        _models(told),
    ]
    return title, list(_findings(told)), [part for part in sections if part.rows or part.items]


def _findings(told: Told) -> Iterator[str]:
    """Yield what matters most, in sentences."""
    if told.is_published:
        yield PUBLISHED
    for kind, most in MOST_FINDINGS.items():
        every = told.of_kind(kind)
        yield from (f"{told.sentence(model)}." for model in every[:most])
        if len(every) > most:
            yield f"… and {len(every) - most} more: {TITLES[kind]}."
    yield from _few([f"{told.label(model)}: {text}." for model, text in _all_baked(told)])
    yield from _few(
        [
            f"{told.label(each.model)}: {each.source} is contradicted ({each.words})."
            for model in told.fits
            for each in told.said(model)
            if each.answer is Answer.CONTRADICTED
        ]
    )
    if taken := told.of_kind(Kind.TAKEN):
        yield (
            f"{_models_are(len(taken))} the same as others, bit for bit or rounded: "
            f"{_names(told, taken)}."
        )
    if none := told.of_kind(Kind.NONE):
        yield (
            f"No recipe was found for {len(none)} of {len(told.fits)} models, which were trained, "
            f"or have a parent that is not here: {_names(told, none)}."
        )


def _few(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - MOST_OTHERS
    rest = [f"… and {more} more like this."] if more > 0 else []
    return [*sentences[:MOST_OTHERS], *rest]


def _models_are(number: int) -> str:
    return "1 model is" if number == 1 else f"{number} models are"


def _names(told: Told, models: Sequence[str]) -> str:
    return listed([called(model, told.labels) for model in models])


def _recipes(told: Told) -> Section:
    """Return the models that are sums of others, and what is known of it."""
    models = [model for kind in MOST_FINDINGS for model in told.of_kind(kind)]
    items = []
    for model in models[:MOST_ITEMS]:
        claims = ", ".join(f"{each.source} {each.answer}" for each in told.said(model))
        text = told.teller.in_parts(model) + (f". What is claimed: {claims}" if claims else "")
        items.append(Item(called(model, told.labels), f"{text}."))
    more = len(models) - MOST_ITEMS
    text = LEGEND + (f" The first {MOST_ITEMS}; recipes.csv has all." if more > 0 else "")
    return Section("Recipes", text, items=items)


def _blocks(told: Told) -> Section:
    """Return the weights of merges by block, equal blocks in one row."""
    rows = []
    for model, components in told.fits.items():
        for component, fitted in components.items():
            if fitted.is_by_block:
                names = told.teller.block_parents(fitted)
                of = f"share of {told.name(names[1])}" if len(names) == 2 else "sum"
                rows += [
                    [called(model, told.labels), titles([component]), run.name, of, run.text]
                    for run in told.teller.runs(fitted)
                ]
    header = ["model", "component", "blocks", "what", "weight"]
    return _table("Block by block", "", header, rows, words={0, 1, 2, 3})


def _all_baked(told: Told) -> list[tuple[str, str]]:
    return [(model, text) for model in told.models for text in told.baked(model)]


def _baked(told: Told) -> Section:
    items = [
        Item(called(model, told.labels), f"{text}.")
        for model, text in _all_baked(told)[:MOST_ITEMS]
    ]
    text = "By the singular values of what the model and its base differ by."
    return Section("LoRAs that were baked in", text, items=items)


def _claims(told: Told) -> Section:
    rows = [
        [called(model, told.labels), each.source, each.what, str(each.answer), each.words]
        for model in told.models
        for each in told.said(model)
    ]
    header = ["model", "who says it", "what", "the weights", "why"]
    text = "What the roster and the files' own metadata say, beside what the weights say."
    return _table("What is claimed", text, header, rows, words={0, 1, 3}, prose={2, 4})


def _deviating(told: Told) -> Section:
    rows = []
    for model, components in told.fits.items():
        for component, fitted in components.items():
            for each in fitted.deviating:
                weights = ", ".join(map(plain, each.weights)) if each.weights else "none found"
                times = (
                    f"{significant(each.residual / each.floor, 2)} × rounding"
                    if each.residual is not None and each.floor
                    else ""
                )
                rows.append(
                    [called(model, told.labels), titles([component]), each.name, weights, times]
                )
    header = ["model", "component", "tensor", "weights of its own", "left by the block's"]
    text = (
        "Tensors that do not follow the recipe of their block, as norms and projections that a "
        "merger leaves out. They are in no weight above."
    )
    return _table("Tensors that deviate", text, header, rows, words={0, 1, 2, 3})


def _models(told: Told) -> Section:
    """Return the table of all models, components of which the same is said in one row."""
    rows = []
    for model, components in told.fits.items():
        for names, text in told.teller.parts(model, in_brief=True):
            first = components[names[0]]
            rows.append(
                [
                    called(model, told.labels),
                    TITLES[told.kinds[model]],
                    titles(names),
                    text,
                    *_left(first),
                ]
            )
    header = ["model", "what it is", "components", "recipe", "left", "by rounding"]
    return _table("Model by model", LEFT, header, rows, words={0, 1, 2}, prose={3})


def _left(fitted: Fitted) -> tuple[str, str]:
    """Return residual and floor as shares of the distance, of blocks the largest residual's."""
    sums = [part for part in fitted.parts if part.is_sum]
    shares = [(part.relative(part.residual), part.relative(part.floor)) for part in sums]
    left, floor = max(shares, key=lambda pair: pair[0] or 0.0, default=(None, None))
    return _share(left), _share(floor)


def _share(value: float | None) -> str:
    return "" if value is None else significant(value, 2)


def _table(
    title: str,
    text: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    words: Collection[int],
    prose: Collection[int] = (),
) -> Section:
    """Return a section of a table, cut and folded where it is long."""
    more = len(rows) - MOST_ROWS
    note = f"The first {MOST_ROWS:,} of {len(rows):,} rows; recipes.csv has all."
    return Section(
        title,
        " ".join(filter(None, [text, note if more > 0 else ""])),
        header,
        rows[:MOST_ROWS],
        frozenset(words),
        frozenset(prose),
        is_folded=len(rows) > FOLDED_FROM,
    )
