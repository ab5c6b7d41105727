"""What a run of MACs found, in sentences that say what they are of."""

from collections.abc import Mapping, Sequence
from typing import Any

from atlas.architectures.faults import COUNTED
from atlas.macs.summary import COMPARED, at
from atlas.macs.words import Words, pixels

Row = dict[str, Any]
MOST_TOLD = 6
"""Images up to which each one's cost is told in a sentence."""
REFERENCE = "sdxl"
QUOTED = ("flux1_dev", "flux2_dev", "qwen_image", "sd35_large", "z_image", "sana_1600m")
"""Whose images are told in images of the reference."""


def findings(
    summary: Sequence[Row],
    counted: Sequence[Row],
    published: Sequence[Mapping[str, Any]],
    words: Words,
) -> list[str]:
    """Return what to know, for people in a hurry; what was asked for comes first."""
    compared = at(summary, COMPARED, words.request.shown)
    found = [
        words.whole,
        *_costs(summary, words),
        *_ratios(compared, words),
        *_extremes(compared, words),
        *_counters(counted, words),
    ]
    turned = [row for row in published if row["published_rank"] != row["right_rank"]]
    if published:
        reproduced = sum(row["agrees"] for row in published)
        found.append(
            f"Of {len(published)} published rows, {reproduced} come out as printed under their own "
            f"assumptions; counted right, {len(turned)} of them change their rank."
        )
    return list(dict.fromkeys([*found, *problems(summary)]))


def problems(summary: Sequence[Row]) -> list[str]:
    """Say what was not counted, and whose figures are doubtful."""
    found = [
        f"Doubtful, and not compared: {row['problem']}"
        if row["status"] == COUNTED
        else f"Not counted: {_named(row)}"
        for row in summary
        if row["problem"]
    ]
    return list(dict.fromkeys(found))


def _costs(summary: Sequence[Row], words: Words) -> list[str]:
    """Say what an image costs, where so little was asked for that each can be told."""
    if len(summary) > MOST_TOLD:
        return []
    return [
        f"{row['label']}, {pixels((row['width_pixels'], row['height_pixels']))}"
        f"{words.of_row(row)}: "
        f"{_tera(row['step_macs'], 3)} TMAC per step{words.per_forward}, "
        f"{_tera(row['image_macs'], 4)} per {_what(row)} {words.steps} and "
        f"{_tera(row['usual_image_macs'], 4)} with the usual {row['usual_steps']}, with "
        f"{words.guidance} ({100 * row['attention_share']:.0f} % of a forward are attention's "
        "products)."
        for row in summary
        if not row["problem"]
    ]


def _named(row: Mapping[str, Any]) -> str:
    """Return a problem with the architecture's name in front, where it does not begin with it."""
    problem: str = row["problem"]
    return problem if row["architecture"] in problem else f"{row['architecture']}: {problem}"


def _what(row: Mapping[str, Any]) -> str:
    return f"video of {row['frames']} frames and" if row["frames"] else "image of"


def _ratios(square: Mapping[str, Mapping[str, Any]], words: Words) -> list[str]:
    reference = square.get(REFERENCE)
    if reference is None:
        return []
    found = []
    for name in QUOTED:
        if name in square:
            row = square[name]
            ratio = row["usual_image_macs"] / reference["usual_image_macs"]
            found.append(
                f"At {pixels(COMPARED)}, one {row['label']} image of {row['usual_steps']} steps "
                f"costs as much as {ratio:.2g} {reference['label']} images of "
                f"{reference['usual_steps']} steps ({_tera(row['usual_image_macs'])} against "
                f"{_tera(reference['usual_image_macs'])} TMAC; {words.conditions})."
            )
    return found


def _extremes(square: Mapping[str, Mapping[str, Any]], words: Words) -> list[str]:
    if len(square) < 2:
        return []
    ordered = sorted(square.values(), key=lambda row: int(row["usual_image_macs"]))
    first, last = ordered[0], ordered[-1]
    return [
        f"At {pixels(COMPARED)} and each model's usual steps, {first['label']} is the cheapest "
        f"({_tera(first['usual_image_macs'], 3)} TMAC) and {last['label']} the dearest "
        f"({_tera(last['usual_image_macs'], 4)} TMAC) of {len(ordered)} ({words.conditions})."
    ]


def _tera(macs: int, digits: int | None = None) -> str:
    """Write MACs in 10¹², whole or with so many digits that matter."""
    return f"{macs / 1e12:,.0f}" if digits is None else f"{macs / 1e12:,.{digits}g}"


def _counters(counted: Sequence[Row], words: Words) -> list[str]:
    """Say how far the other counters are off at the denoisers, and whether all is explained."""
    found = []
    for name in ("thop", "torchinfo"):
        rows = [row for row in counted if row["counter"] == name]
        shares = [
            row["counter_macs"] / row["record_macs"]
            for row in rows
            if row["counter_macs"] is not None and row["component"] in {"unet", "transformer"}
        ]
        failed = sum(row["counter_macs"] is None for row in rows)
        odd = [row for row in rows if not is_explained(row)]
        if shares:
            found.append(
                f"{name} counts {_span(min(shares), max(shares))} of a denoiser's MACs in a "
                f"forward of {words.images}; "
                f"{len(rows) - len(odd)} of {len(rows)} differences are explained to within 0.1 %"
                + (f", {failed} could not be counted." if failed else ".")
            )
    return found


def _span(low: float, high: float) -> str:
    """
    Write shares from the lowest to the highest in per cent.

    >>> _span(0.061, 1.0532), _span(0.8, 0.8)
    ('6.10 to 105.32 %', '80.00 %')
    """
    ends = dict.fromkeys(f"{100 * share:.2f}" for share in (low, high))
    return " to ".join(ends) + " %"


def is_explained(row: Mapping[str, Any]) -> bool:
    """Say whether a counter's difference is explained to within 0.1 % of the figure of record."""
    left = row["unexplained_macs"]
    return left is not None and abs(left) <= 1e-3 * row["record_macs"]
