"""What the summary's pages say, section by section."""

from collections.abc import Mapping, Sequence
from typing import Any

from atlas.basis.page import Section
from atlas.macs.findings import is_explained
from atlas.macs.words import Words

Row = Mapping[str, Any]
TITLE = "MACs"
DASH = "–"
FIGURES = ("published", "recomputed", "right")
METHOD = (
    "MAC = multiply-accumulate, 1 MAC = 2 FLOPs; GMAC = 10⁹, TMAC = 10¹². Counted by torch's "
    "FlopCounterMode on the meta device: convolutions and matrix products; norms, activations and "
    "samplers count as nothing. An image = steps × forwards per step × one forward + the text "
    "encoders (once for the prompt, once more for the negative one where there is guidance) + the "
    "VAE's decoder; of a batch, an image is its share. Prompts: tokens as asked for; those that a "
    "pipeline pads to one length are one row. Text tokens: what the denoiser is given. Growth: "
    "MACs of a forward grow as pixels to this power between 512 and 1024 pixels squared. "
    "Intensity: FLOPs of a forward per byte of weights, layers' inputs and outputs in half "
    "precision. Sampling: what is not known of steps and guidance, and what is taken instead."
)


def sections(
    summary: Sequence[Row],
    counted: Sequence[Row],
    published: Sequence[Row],
    checks: Sequence[Row],
    words: Words,
) -> list[Section]:
    """Return all sections of the page."""
    return [
        _images(summary, words),
        _counters(counted, words),
        _published(published),
        _cross_checks(checks),
    ]


def _images(summary: Sequence[Row], words: Words) -> Section:
    of = words.per_forward
    header = [
        "architecture", "pixels", "frames", "batch", "prompts", "text tokens", f"forward GMAC{of}",
        "forwards per step", f"step GMAC{of}", f"text GMAC{of}", f"VAE decode GMAC{of}", "steps",
        "image TMAC", "usual steps", "usual image TMAC", "TMAC per megapixel",
        "TMAC per second of video", "attention",
        "FLOPs per byte", "growth", "from–to pixels", "text encoders' tokens", "sampling",
        "problem",
    ]  # fmt: skip
    rows = [
        [
            row["label"],
            _pixels(row),
            _whole(row["frames"]),
            _whole(row["batch"]),
            row["prompts"] or DASH,
            _whole(row["text_tokens"]),
            _giga(row.get("forward_macs")),
            _whole(row.get("forwards_per_step")),
            *(_giga(row.get(key)) for key in ("step_macs", "text_macs", "vae_decode_macs")),
            _whole(row.get("steps")),
            _tera(row.get("image_macs")),
            _whole(row["usual_steps"]),
            _tera(row.get("usual_image_macs")),
            _tera(row.get("image_macs_per_megapixel")),
            _tera(row.get("usual_macs_per_second_of_video")),
            DASH if row.get("attention_share") is None else f"{100 * row['attention_share']:.1f} %",
            _plain(row.get("intensity_flops_per_byte"), 0),
            _plain(row.get("growth_exponent"), 2),
            f"{row['growth_from_pixels']}–{row['growth_to_pixels']}"
            if row.get("growth_exponent") is not None
            else DASH,
            row.get("encoder_tokens") or DASH,
            row["sampling"],
            row["problem"],
        ]
        for row in summary
    ]  # fmt: skip
    last = len(header)
    text = f"{words.whole} {METHOD}"
    prose = frozenset({last - 2, last - 1})
    return Section("What an image costs", text, header, rows, frozenset({0, last - 3}), prose)


def _counters(counted: Sequence[Row], words: Words) -> Section:
    """Show denoisers in full; the table counters.csv has every call."""
    header = [
        "architecture", "component", "call", "pixels", "prompts", "text tokens",
        "FlopCounterMode GMAC", "thop GMAC", "torchinfo GMAC", "explained", "thop: why",
        "torchinfo: why",
    ]  # fmt: skip
    calls: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in counted:
        key = (*(row[name] for name in ("architecture", "component", "call")), _size(row))
        key = (*key, row["prompts"] or DASH, _whole(row["text_tokens"]))
        calls.setdefault(key, {})[row["counter"]] = row
    rows = []
    for place, by in calls.items():
        others = [by["thop"], by["torchinfo"]]
        rows.append(
            [
                *place,
                _giga(by["FlopCounterMode"]["record_macs"]),
                *(_giga(row["counter_macs"]) for row in others),
                "yes" if all(map(is_explained, others)) else "no",
                *(row["problem"] or _causes(row["causes"]) for row in others),
            ]
        )
    text = (
        f"Each call is of {words.images}. FlopCounterMode is the figure of record. Causes in GMAC, "
        "added to it, give the other counter's figure to within 0.1 %."
    )
    left, prose = frozenset({0, 1, 2}), frozenset({10, 11})
    return Section("Three counters", text, header, rows, left, prose)


def _causes(text: str) -> str:
    """Return causes in GMAC, those below 0.01 left to the table."""
    told = []
    for part in filter(None, text.split("; ")):
        cause, _, macs = part.rpartition(" ")
        giga = int(macs.replace(",", "")) / 1e9
        if abs(giga) >= 0.01:
            told.append(f"{cause} {giga:+,.2f}")
    return "; ".join(told)


def _published(published: Sequence[Row]) -> Section:
    header = [
        "model", "published GMAC per step", "made again", "right", "published TMAC per image",
        "made again", "right", "published / right", "rank published", "rank right", "why",
    ]  # fmt: skip
    rows = [
        [
            row["model"],
            *(f"{row[f'{figure}_step_gmacs']:,.1f}" for figure in FIGURES),
            *(f"{row[f'{figure}_total_tmacs']:,.1f}" for figure in FIGURES),
            f"{row['published_over_right_total']:.2f}",
            *(str(row[f"{kind}_rank"]) for kind in ("published", "right")),
            row["causes"],
        ]
        for row in published
    ]  # fmt: skip
    text = (
        "A table that has been published, 512 × 512 pixels and 30 steps with guidance; made again "
        "under its own assumptions, and counted right. Its TFLOPs are 10¹² MACs."
    )
    prose = frozenset({len(header) - 1})
    return Section("As published", text, header, rows, prose=prose)


def _cross_checks(checks: Sequence[Row]) -> Section:
    header = [
        "who", "what", "architecture", "pixels", "counter", "quantity", "published",
        "counted again", "ratio", "figure of record", "what differs from it",
    ]  # fmt: skip
    rows = [
        [
            *(row[key] for key in ("who", "what", "architecture")),
            _size(row),
            row["counter"],
            f"{row['quantity']}, 10{'⁹' if row['unit'] == 'G' else '¹²'}",
            row["published"],
            *(f"{row[key]:,.4g}" for key in ("recounted", "ratio", "record")),
            row["difference"],
        ]
        for row in checks
    ]  # fmt: skip
    text = "Single figures that others have published, counted again by the counter they used."
    words, prose = frozenset({0, 1, 2, 4, 5}), frozenset({len(header) - 1})
    return Section("Against the figures of others", text, header, rows, words, prose)


def _pixels(row: Row) -> str:
    side = row["native_pixels"] or 0
    native = " native" if (row["width_pixels"], row["height_pixels"]) == (side, side) else ""
    return f"{_size(row)}{native}"


def _size(row: Row) -> str:
    if row["width_pixels"] is None:
        return DASH
    return f"{row['width_pixels']} × {row['height_pixels']}"


def _giga(macs: int | None) -> str:
    return DASH if macs is None else f"{macs / 1e9:,.1f}"


def _tera(macs: int | None) -> str:
    return DASH if macs is None else f"{macs / 1e12:,.2f}"


def _whole(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"


def _plain(value: float | None, digits: int) -> str:
    return DASH if value is None else f"{value:,.{digits}f}"
