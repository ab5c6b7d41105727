"""What an image costs: rows per architecture and resolution, from the profiles; no torch here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

from atlas.architectures.architecture import Architecture

Row = dict[str, Any]
GUIDED = 2
"""Forwards per step with classifier-free guidance."""

Size = tuple[int, int]
"""Width and height in pixels."""

COMPARED: Size = (1024, 1024)
"""The size at which architectures are compared where there are such images."""

MOST_TOLD = 6
"""Images up to which each one's cost is told in a sentence."""

COLUMNS = [
    "architecture", "label", "kind", "width_pixels", "height_pixels", "native_pixels", "batch",
    "image_tokens", "text_tokens", "denoiser_parameters", "forward_macs", "forwards_per_step",
    "step_macs", "text_encodings", "text_macs", "vae_decode_macs", "vae_encode_macs", "steps",
    "image_macs", "image_flops", "usual_steps", "usual_image_macs", "image_macs_per_megapixel",
    "attention_share", "intensity_flops_per_byte", "growth_exponent", "growth_from_pixels",
    "growth_to_pixels", "problem",
]  # fmt: skip


@dataclass(frozen=True)
class Sampling:
    """How an image is sampled, for all architectures."""

    steps: int
    guidance: bool | None = None
    """True for two forwards per step, False for one, None for each architecture's own."""

    def forwards(self, architecture: Architecture) -> int:
        """Return the forwards per step."""
        if self.guidance is None:
            return architecture.sampling.forwards_per_step
        return GUIDED if self.guidance else 1


def rows(architecture: Architecture, profile: Sequence[Row], sampling: Sampling) -> list[Row]:
    """Return one row per resolution that was asked for."""
    totals = [row for row in profile if row["part"] == "total"]
    denoiser = [row for row in totals if row["component"] == architecture.denoiser_name]
    grown = growth(points(profile, architecture.native))
    return [
        _row(architecture, totals, row, sampling) | grown for row in denoiser if row["is_asked"]
    ]


def failed(name: str, problem: str) -> Row:
    """Return the row of an architecture that could not be profiled: its problem and no number."""
    known = {"architecture": name, "label": name, "kind": "", "problem": problem}
    return dict.fromkeys(COLUMNS) | known


def _row(architecture: Architecture, totals: Sequence[Row], own: Row, sampling: Sampling) -> Row:
    """Add up one resolution; MACs of a call are of the batch, those of an image of one image."""
    texts = [row for row in totals if row["component"] in architecture.text_encoders]
    size = own["width_pixels"], own["height_pixels"]
    decode, encode = (_of_vae(totals, call, size) for call in ("decode", "encode"))
    needed = [own, *texts, *([decode] if decode else [])]
    problems = "; ".join(dict.fromkeys(row["problem"] for row in needed if row["problem"]))
    head = {
        "architecture": architecture.name,
        "label": architecture.label,
        "kind": architecture.kind,
        "width_pixels": size[0],
        "height_pixels": size[1],
        "native_pixels": architecture.native,
        "denoiser_parameters": own["parameters"],
        "usual_steps": architecture.sampling.steps,
        "problem": problems,
        **{key: own[key] for key in ("batch", "image_tokens", "text_tokens")},
    }
    if problems:
        return head
    forwards = sampling.forwards(architecture)
    step = forwards * own["macs"]
    text = forwards * sum(row["macs"] for row in texts)
    decoding = decode["macs"] if decode else 0
    image, usual = (
        (steps * step + text + decoding) // own["batch"]
        for steps in (sampling.steps, architecture.sampling.steps)
    )
    return head | {
        "forward_macs": own["macs"],
        "forwards_per_step": forwards,
        "step_macs": step,
        "text_encodings": forwards if texts else 0,
        "text_macs": text,
        "vae_decode_macs": decoding,
        "vae_encode_macs": encode["macs"] if encode else 0,
        "steps": sampling.steps,
        "image_macs": image,
        "image_flops": 2 * image,
        "usual_image_macs": usual,
        "image_macs_per_megapixel": round(image / (size[0] * size[1] / 1e6)),
        "attention_share": round(own["attention_macs"] / own["macs"], 4),
        "intensity_flops_per_byte": round(own["flops"] / own["moved_bytes"], 1),
    }


def _of_vae(totals: Iterable[Row], call: str, size: tuple[int, int]) -> Row | None:
    return next(
        (
            row
            for row in totals
            if row["component"] == "vae"
            and row["call"] == call
            and (row["width_pixels"], row["height_pixels"]) == size
        ),
        None,
    )


def points(profile: Sequence[Mapping[str, Any]], native: int) -> list[tuple[int, int]]:
    """Return (side in pixels, MACs of a forward) of the squares that the model is made for."""
    found = {
        row["width_pixels"]: row["macs"]
        for row in profile
        if row["part"] == "total"
        and row["component"] == profile[0]["component"]
        and row["macs"]
        and row["width_pixels"] == row["height_pixels"]
        and native / 2 <= row["width_pixels"] <= 4 * native
    }
    return sorted(found.items())


def growth(squares: Sequence[tuple[int, int]]) -> Row:
    """
    Return how a forward's cost grows with the image: MACs ~ pixels ^ exponent.

    Between the smallest and the largest square that was counted: 1 is in proportion to the
    pixels, 2 is with their square, as attention does.
    """
    if len(squares) < 2:
        return {}
    (small, least), (large, most) = squares[0], squares[-1]
    return {
        "growth_exponent": round(log(most / least) / (2 * log(large / small)), 3),
        "growth_from_pixels": small,
        "growth_to_pixels": large,
    }


def at(summary: Iterable[Mapping[str, Any]], size: Size) -> dict[str, Mapping[str, Any]]:
    """Return the rows of a size by architecture, of those that are made for such images."""
    side = sqrt(size[0] * size[1])
    return {
        row["architecture"]: row
        for row in summary
        if (row["width_pixels"], row["height_pixels"]) == size
        and not row["problem"]
        and row["native_pixels"] / 2 <= side <= 2 * row["native_pixels"]
    }


def findings(
    summary: Sequence[Row], counted: Sequence[Row], published: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return what to know, for people in a hurry."""
    compared = at(summary, COMPARED)
    found = [*_costs(summary), *_ratios(compared), *_extremes(compared), *_counters(counted)]
    turned = [row for row in published if row["published_rank"] != row["right_rank"]]
    if published:
        reproduced = sum(row["agrees"] for row in published)
        found.append(
            f"Of {len(published)} published rows, {reproduced} come out as printed under their own "
            f"assumptions; counted right, {len(turned)} of them change their rank."
        )
    problems = [row for row in summary if row["problem"]]
    found += [f"Not counted: {row['problem']}" for row in problems]
    return list(dict.fromkeys(found))


def _costs(summary: Sequence[Row]) -> list[str]:
    """Say what an image costs, where so little was asked for that each can be told."""
    if len(summary) > MOST_TOLD:
        return []
    return [
        f"{row['label']}, {row['width_pixels']} × {row['height_pixels']} pixels: "
        f"{row['step_macs'] / 1e12:,.3g} TMAC per step, {row['usual_image_macs'] / 1e12:,.4g} per "
        f"image of {row['usual_steps']} steps ({100 * row['attention_share']:.0f} % of a forward "
        "are attention's products)."
        for row in summary
        if not row["problem"]
    ]


def _ratios(square: Mapping[str, Mapping[str, Any]]) -> list[str]:
    reference = square.get("sdxl")
    if reference is None:
        return []
    found = []
    for name in ("flux1_dev", "flux2_dev", "qwen_image", "sd35_large", "z_image", "sana_1600m"):
        if name in square:
            row = square[name]
            ratio = row["usual_image_macs"] / reference["usual_image_macs"]
            found.append(
                f"At 1024², one {row['label']} image of {row['usual_steps']} steps costs as much "
                f"as {ratio:.2g} {reference['label']} images of {reference['usual_steps']} steps "
                f"({row['usual_image_macs'] / 1e12:,.0f} against "
                f"{reference['usual_image_macs'] / 1e12:,.0f} TMAC)."
            )
    return found


def _extremes(square: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if len(square) < 2:
        return []
    ordered = sorted(square.values(), key=lambda row: int(row["usual_image_macs"]))
    first, last = ordered[0], ordered[-1]
    return [
        f"At 1024² and each model's usual steps, {first['label']} is the cheapest "
        f"({first['usual_image_macs'] / 1e12:,.3g} TMAC) and {last['label']} the dearest "
        f"({last['usual_image_macs'] / 1e12:,.4g} TMAC) of {len(ordered)}."
    ]


def _counters(counted: Sequence[Row]) -> list[str]:
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
                f"{name} counts {_span(min(shares), max(shares))} of a denoiser's MACs; "
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
