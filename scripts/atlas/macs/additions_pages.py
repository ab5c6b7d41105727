"""What the page of additions says, and its findings; no torch here."""

from collections.abc import Mapping, Sequence
from typing import Any

from atlas.basis.page import Section

Row = Mapping[str, Any]
TITLE = "Additions: ControlNets, adapters and LoRAs"
DASH = "–"
MOST_TOLD = 6
"""Rows up to which each one is told in a sentence."""
METHOD = (
    "What an addition costs on top of an architecture, counted as the architecture is: the forward "
    "of a ControlNet and of the denoiser that is given its outputs, or the forward with the layers "
    "of a LoRA put in, less the denoiser's alone. A step has the forwards that the addition runs "
    "with. Once: what is spent before the steps (an adapter's only forward, the control image "
    "through the autoencoder's encoder, a LoRA in text encoders for each prompt). Weights and "
    "activations in half precision; activations: what the peak of a forward grows by, all weights "
    "resident."
)


def sections(rows: Sequence[Row]) -> list[Section]:
    """Return all sections of the page."""
    fitting, left = split(rows)
    return [_costs(fitting), *([_left_out(left)] if left else [])]


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows that have figures, and those of additions that were left out."""
    with_figures = [row for row in rows if row.get("forward_macs") is not None]
    return with_figures, [row for row in rows if row.get("forward_macs") is None]


def _costs(rows: Sequence[Row]) -> Section:
    header = [
        "architecture", "addition", "pixels", "batch", "parameters M", "forward GMAC",
        "of the denoiser's", "step GMAC", "once GMAC", "steps", "image TMAC", "usual steps",
        "usual image TMAC", "weights GB", "activations MB", "problem",
    ]  # fmt: skip
    table = [
        [
            row["label"],
            row["addition_label"],
            f"{row['width_pixels']} × {row['height_pixels']}",
            str(row["batch"]),
            f"{row['parameters'] / 1e6:,.1f}",
            f"{row['forward_macs'] / 1e9:,.1f}",
            _percent(row["share"]),
            f"{row['step_macs'] / 1e9:,.1f}",
            f"{row['once_macs'] / 1e9:,.1f}",
            str(row["steps"]),
            f"{row['image_macs'] / 1e12:,.2f}",
            str(row["usual_steps"]),
            f"{row['usual_image_macs'] / 1e12:,.2f}",
            f"{row['weight_bytes'] / 1e9:,.3f}",
            f"{row['activation_bytes'] / 1e6:,.1f}",
            row["problem"],
        ]
        for row in rows
    ]
    words, prose = frozenset({0, 1}), frozenset({len(header) - 1})
    return Section("What is on top", METHOD, header, table, words, prose)


def _left_out(rows: Sequence[Row]) -> Section:
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        # What it is made for, without what each architecture has in its place.
        reason = row["problem"].partition(", not ")[0]
        listed = reasons.setdefault((row["addition_label"], reason), [])
        listed.append(row["label"])
    table = [
        [addition, problem, ", ".join(dict.fromkeys(labels))]
        for (addition, problem), labels in sorted(reasons.items())
    ]
    return Section(
        "Left out",
        "Additions that do not go with an architecture, or could not be counted with it.",
        ["addition", "reason", "architectures"],
        table,
        frozenset({0}),
        frozenset({1, 2}),
    )


def findings(rows: Sequence[Row]) -> list[str]:
    """Return what to know, for people in a hurry."""
    fitting, left = split(rows)
    running = [row for row in fitting if row["forward_macs"] or row["once_macs"]]
    told = running if len(running) <= MOST_TOLD else _extremes(running)
    found = [_sentence(row) for row in told]
    merged = {row["addition_label"]: row for row in fitting if row not in running}
    found += [
        f"{label} costs nothing when it runs: it is in the weights already." for label in merged
    ]
    homeless = {row["addition_label"] for row in left} - {row["addition_label"] for row in fitting}
    for label in sorted(homeless):
        reasons = dict.fromkeys(row["problem"] for row in left if row["addition_label"] == label)
        found.append(f"{label} goes with none of the architectures: {next(iter(reasons))}.")
    doubted = [row for row in fitting if row["problem"]]
    found += [f"{row['addition_label']} is in doubt: {row['problem']}." for row in doubted]
    return list(dict.fromkeys(found))


def _extremes(rows: Sequence[Row]) -> list[Row]:
    ordered = sorted(rows, key=lambda row: float(row["share"]))
    return [ordered[0], ordered[-1]]


def _sentence(row: Row) -> str:
    """Say what one addition costs on top of one architecture at one size."""
    size = f"{row['width_pixels']} × {row['height_pixels']} pixels"
    step = (
        f"{_percent(row['share'])} on top of a forward ({_giga(row['forward_macs'])} GMAC)"
        if row["forward_macs"]
        else "nothing on top of a forward, for it runs before the steps"
    )
    return (
        f"{row['label']} with {row['addition_label']}, {size}: {step}, "
        f"{row['image_macs'] / 1e12:,.3g} TMAC per image of {row['steps']} steps, "
        f"{_bytes(row['weight_bytes'])} of weights, "
        f"{_bytes(row['activation_bytes'])} of activations."
    )


def _giga(macs: int) -> str:
    """
    Write MACs in 10⁹, one digit where they are few.

    >>> _giga(19_552_976_764_928), _giga(141_645_987_840)
    ('19,553', '141.6')
    """
    return f"{macs / 1e9:,.0f}" if macs >= 1e12 else f"{macs / 1e9:,.1f}"


def _bytes(count: int) -> str:
    """
    Write bytes in a unit of people.

    >>> _bytes(2_502_028_320), _bytes(46_448_640), _bytes(0)
    ('2.50 GB', '46.4 MB', '0.0 MB')
    """
    return f"{count / 1e9:,.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def _percent(share: float) -> str:
    """
    Write a share in per cent, two digits where it is small.

    >>> _percent(0.44672), _percent(0.00612), _percent(0)
    ('44.7 %', '0.61 %', '0 %')
    """
    if not share:
        return "0 %"
    return f"{100 * share:.1f} %" if share >= 0.01 else f"{100 * share:.2f} %"
