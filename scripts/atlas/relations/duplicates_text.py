"""What is there twice in a group, in words: the table's last column, and a page to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

import pandas as pd

from atlas.basis.page import Item, Section, called, listed
from atlas.names import components
from atlas.relations.derivations import CAST, COPY, PRUNE, Step
from atlas.relations.duplicates import Duplicate, Family, Report
from atlas.relations.groups import nothing_to_compare
from atlas.relations.verdicts import WIDTHS

COLUMNS = [
    "model", "relation", "of", "exact", "bytes", "frees_bytes", "components", "what",
]  # fmt: skip

SEPARATOR = "; "
"""Between the components of a cell."""

MAX_FAMILIES = 200
"""A page that lists more helps nobody."""

KINDS = {
    COPY: ("copy", "copies"),
    CAST: ("cast to another dtype", "casts to another dtype"),
    PRUNE: ("part of another", "parts of others"),
}
"""What a page calls one of a relation, and several."""

NO_HARM = "Nothing is deleted: this page tells what could go, and what stays is yours to choose."
GROUND = (
    "“Could go” rests on the weights as they were read, and on nothing else: each component of "
    "such a file is, bit for bit or rounded, one of a file that stays, and can be made from it "
    "again; never the other way. Not compared are metadata, schedules and counters, "
    "configurations, tokenizers, and what lies beside the weights in a folder. A file with a "
    "component that was refused or could not be read, or with much besides weights in it, is "
    "never said to be able to go."
)

Name = Callable[[str], str]


def table(report: Report) -> pd.DataFrame:
    """Return a row per model in the roster's order: COLUMNS, with models by their ids."""
    rows = []
    for model in report.models:
        own = report.duplicates.get(model)
        rows.append(
            {
                "model": model,
                "relation": own.relation if own else "",
                "of": own.of if own else "",
                "exact": own.exact if own else "",
                "bytes": report.weights_bytes.get(model),
                "frees_bytes": own.frees if own else None,
                "components": SEPARATOR.join(report.components.get(model, ())),
                "what": _what(report, model, str),
            }
        )
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"bytes": "Int64", "frees_bytes": "Int64"})


def overview(
    report: Report, *, group: str, labels: Mapping[str, str]
) -> tuple[str, list[str], list[Section]]:
    """Return the page's title, what was found, and its sections."""
    title = f"What {group} has twice"
    if len(report.compared) < 2:
        return title, [nothing_to_compare(len(report.models)), NO_HARM], []

    def name(model: str) -> str:
        return called(model, labels)

    sections = [_going(report, name), _unjudged(report, name), _families(report, name)]
    told = [part for part in sections if part.rows or part.items]
    return title, [*_findings(report), NO_HARM], [Section("What this rests on", GROUND), *told]


def size(value: int | None) -> str:
    """
    Return bytes in decimal units with three digits; of what is not known a dash.

    >>> size(6938040682), size(41920532), size(616), size(None)
    ('6.94 GB', '41.9 MB', '616 B', '–')
    """
    if value is None:
        return "–"
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= factor:
            number = value / factor
            return f"{number:,.{0 if number >= 100 else 1 if number >= 10 else 2}f} {unit}"
    return f"{value} B"


def _findings(report: Report) -> list[str]:
    """Return the sums."""
    going = [each for each in report.duplicates.values() if each.frees != 0]
    models = len(report.models)
    if going:
        counts = Counter(each.relation for each in going)
        kinds = [
            f"{counts[kind]} {words[counts[kind] > 1]}"
            for kind, words in KINDS.items()
            if counts[kind]
        ]
        found = [f"{len(going)} of {models} models could go: {', '.join(kinds)}."]
        if report.files_bytes:
            frees = f"{size(report.frees)} of the {size(report.files_bytes)}"
            found.append(f"That would free {frees} that the group's files take.")
        if unknown := sum(each.frees is None for each in going):
            found.append(f"The files of {unknown} of them are not there, and in no sum.")
    else:
        found = [f"None of {models} models could go: each has weights of its own."]
    stay = models - len(report.duplicates)
    if report.sharing_frees:
        found.append(
            f"The {stay} that stay hold {size(report.sharing_frees)} of components again that "
            "others of them hold bit for bit: keeping each component once would save that too."
        )
    if report.unjudged:
        found.append(f"{len(report.unjudged)} of them are not judged: see below.")
    return found


def _going(report: Report, name: Name) -> Section:
    """Return the table of models that could go, by the model that they follow from."""
    place = {model: at for at, model in enumerate(report.models)}
    order = sorted(report.duplicates.values(), key=lambda each: (place[each.of], place[each.model]))
    rows = [
        [
            name(each.model),
            each.relation,
            name(each.of),
            each.exact,
            size(each.frees),
            _what(report, each.model, name),
        ]
        for each in order
    ]
    header = ["could go", "as", "of, which stays", "exact", "frees", "what"]
    return Section("What could go", "", header, rows, frozenset({0, 1, 2, 3}), frozenset({5}))


def _unjudged(report: Report, name: Name) -> Section:
    """Return the list of models of which nothing is said, with the reasons."""
    why: dict[str, list[str]] = {}
    for model, reason in report.unjudged.items():
        why.setdefault(reason, []).append(name(model))
    items = [Item(listed(models), reason) for reason, models in why.items()]
    return Section("Not judged, so never said to be able to go", items=items)


def _families(report: Report, name: Name) -> Section:
    """Return the table of who shares which component."""
    rows = [
        [
            _title(each.component),
            str(len(each.models)),
            size(each.bytes),
            size(each.bytes_in_all),
            listed([name(model) for model in each.models]),
        ]
        for each in _ordered(report.families)[:MAX_FAMILIES]
    ]
    more = len(report.families) - MAX_FAMILIES
    text = "Bit for bit, under whatever names."
    if more > 0:
        text += f" The first {MAX_FAMILIES} of {len(report.families)} families."
    header = ["component", "models", "once", "in all", "who"]
    return Section("Who shares which component", text, header, rows, frozenset({0}), frozenset({4}))


def _ordered(families: Sequence[Family]) -> list[Family]:
    """Return families with the components of a pipeline first, in its order."""
    known = {name: at for at, name in enumerate(components.WORDS)}
    return sorted(
        families, key=lambda each: (known.get(each.component, len(known)), each.component)
    )


def _what(report: Report, model: str, name: Name) -> str:
    """Return in words what is said of a model; "" of one that stays and is none's source."""
    if own := report.duplicates.get(model):
        return _way(report, own, name)
    if reason := report.unjudged.get(model):
        return f"not judged: {reason}"
    return ""


def _way(report: Report, own: Duplicate, name: Name) -> str:
    """Tell how a model follows from the one that stays, step by step."""
    told, here = [], own.model
    for there, step in own.chain:
        begun = "" if here == own.model else f"{name(here)} "
        told.append(f"{begun}from {name(there)}{_step(step)}")
        here = there
    if own.frees == 0:
        told.append("its files are those of another model, and free nothing")
    return "; ".join(told)


def _step(step: Step) -> str:
    """
    Return how a model follows from its source directly, to be said behind the source's name.

    >>> _step(Step(same=("vae",), rounded=(("unet", "f16"),)))
    ': UNet rounded to float16, VAE bit for bit'
    >>> _step(Step(averaged=("unet",), beside=("unet", "vae"), unread=("vae",)))
    ', which also has raw UNet and VAE (VAE not read): UNet is the training copy (EMA)'
    """
    told = []
    for dtype in dict.fromkeys(dtype for _, dtype in step.rounded):
        parts = [component for component, to in step.rounded if to == dtype]
        told.append(f"{_words(parts)} rounded to {WIDTHS.get(dtype, dtype)}")
    if step.averaged:
        told.append(f"{_words(step.averaged)} is the {components.WORDS[components.EMA]}")
    if step.same:
        told.append(f"{_words(step.same)} bit for bit")
    beside = ""
    if step.beside:
        unread = f" ({_words(step.unread)} not read)" if step.unread else ""
        beside = f", which also has {_words(step.beside, raw=step.averaged)}{unread}"
    return f"{beside}: {', '.join(told)}"


def _words(parts: Sequence[str], raw: Collection[str] = ()) -> str:
    """Return components in words, as a list; those of which the training copy is meant are raw."""
    names = [f"{'raw ' if part in raw else ''}{components.WORDS.get(part, part)}" for part in parts]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _title(component: str) -> str:
    word = components.WORDS.get(component, component)
    return word[0].upper() + word[1:]
