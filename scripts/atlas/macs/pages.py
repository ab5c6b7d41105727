"""The summary as pages to read: Markdown and HTML made from the same sections."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from atlas.macs.summary import is_explained

Row = Mapping[str, Any]
DASH = "–"
FIGURES = ("published", "recomputed", "right")
STYLE = (
    ":root{color-scheme:light dark}body{font:14px/1.45 system-ui,sans-serif;margin:2rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}"
    "th,td{padding:.2rem .6rem;border-bottom:1px solid #8884;text-align:right;vertical-align:top}"
    "th{position:sticky;top:0;background:Canvas;vertical-align:bottom}.text{text-align:left}"
    "p,ul{max-width:60rem}tr:hover td{background:#8882}"
)
METHOD = (
    "MAC = multiply-accumulate, 1 MAC = 2 FLOPs; GMAC = 10⁹, TMAC = 10¹². Counted by torch's "
    "FlopCounterMode on the meta device: convolutions and matrix products; norms, activations and "
    "samplers count as nothing. An image = steps × forwards per step × one forward + the text "
    "encoders (once for the prompt, once more for the negative one where there is guidance) + the "
    "VAE's decoder. Growth: MACs of a forward grow as pixels to this power. Intensity: FLOPs of a "
    "forward per byte of weights, layers' inputs and outputs in half precision."
)


@dataclass(frozen=True)
class Section:
    """A heading, what to know, and a table of ready texts."""

    title: str
    text: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[int] = frozenset({0})
    """Columns set to the left."""


def sections(
    summary: Sequence[Row], counted: Sequence[Row], published: Sequence[Row]
) -> list[Section]:
    """Return all sections of the page."""
    return [_images(summary), _counters(counted), _published(published)]


def _images(summary: Sequence[Row]) -> Section:
    header = [
        "architecture", "pixels", "text tokens", "forward GMAC", "forwards per step", "step GMAC",
        "text GMAC", "VAE decode GMAC", "steps", "image TMAC", "usual steps", "usual image TMAC",
        "TMAC per megapixel", "attention", "FLOPs per byte", "growth", "from–to pixels", "problem",
    ]  # fmt: skip
    rows = [
        [
            row["label"],
            _pixels(row),
            _whole(row["text_tokens"]),
            _giga(row.get("forward_macs")),
            _whole(row.get("forwards_per_step")),
            *(_giga(row.get(key)) for key in ("step_macs", "text_macs", "vae_decode_macs")),
            _whole(row.get("steps")),
            _tera(row.get("image_macs")),
            _whole(row["usual_steps"]),
            _tera(row.get("usual_image_macs")),
            _tera(row.get("image_macs_per_megapixel")),
            DASH if row.get("attention_share") is None else f"{row['attention_share']:.1%}",
            _plain(row.get("intensity_flops_per_byte")),
            _plain(row.get("growth_exponent")),
            f"{row['growth_from_pixels']}–{row['growth_to_pixels']}"
            if row.get("growth_exponent") is not None
            else DASH,
            row["problem"],
        ]
        for row in summary
    ]  # fmt: skip
    return Section("What an image costs", METHOD, header, rows, frozenset({0, len(header) - 1}))


def _counters(counted: Sequence[Row]) -> Section:
    """Show denoisers in full; the table counters.csv has every call."""
    header = [
        "architecture", "component", "call", "pixels", "FlopCounterMode GMAC", "thop GMAC",
        "torchinfo GMAC", "explained", "thop: why", "torchinfo: why",
    ]  # fmt: skip
    calls: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in counted:
        key = tuple(row[name] for name in ("architecture", "component", "call", "width_pixels"))
        calls.setdefault(key, {})[row["counter"]] = row
    rows = []
    for (architecture, component, call, width), by in calls.items():
        others = [by["thop"], by["torchinfo"]]
        rows.append(
            [
                *(architecture, component, call, _whole(width)),
                _giga(by["FlopCounterMode"]["record_macs"]),
                *(_giga(row["counter_macs"]) for row in others),
                "yes" if all(map(is_explained, others)) else "no",
                *(row["problem"] or _causes(row["causes"]) for row in others),
            ]
        )
    text = (
        "FlopCounterMode is the figure of record. Causes in GMAC, added to it, give the other "
        "counter's figure to within 0.1 %."
    )
    return Section("Three counters", text, header, rows, frozenset({0, 1, 2, 8, 9}))


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
    return Section("As published", text, header, rows, frozenset({0, len(header) - 1}))


def _pixels(row: Row) -> str:
    side = row["native_pixels"]
    native = " native" if (row["width_pixels"], row["height_pixels"]) == (side, side) else ""
    return f"{row['width_pixels']} × {row['height_pixels']}{native}"


def _giga(macs: int | None) -> str:
    return DASH if macs is None else f"{macs / 1e9:,.1f}"


def _tera(macs: int | None) -> str:
    return DASH if macs is None else f"{macs / 1e12:,.2f}"


def _whole(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"


def _plain(value: float | None) -> str:
    return DASH if value is None else f"{value:g}"


def markdown(findings: Iterable[str], parts: Iterable[Section]) -> str:
    """Return the page in Markdown."""
    lines = ["# MACs", "", *(f"- {finding}" for finding in findings), ""]
    for part in parts:
        lines += [f"## {part.title}", "", part.text, "", _line(part.header)]
        lines.append(_line([":--" if n in part.words else "--:" for n in range(len(part.header))]))
        lines += [*map(_line, part.rows), ""]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def html(findings: Iterable[str], parts: Iterable[Section]) -> str:
    """Return the page as one HTML file that needs nothing else."""
    body = ["<h1>MACs</h1><ul>", *(f"<li>{escape(text)}</li>" for text in findings), "</ul>"]
    for part in parts:
        body += [f"<h2>{escape(part.title)}</h2><p>{escape(part.text)}</p><table><thead>"]
        body += [_html_row(part, part.header, "th"), "</thead><tbody>"]
        body += [_html_row(part, row, "td") for row in part.rows]
        body.append("</tbody></table>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>MACs</title>'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _html_row(part: Section, cells: Sequence[str], tag: str) -> str:
    opened = [f'<{tag} class="text">' if n in part.words else f"<{tag}>" for n in range(len(cells))]
    told = (f"{tag_}{escape(cell)}</{tag}>" for tag_, cell in zip(opened, cells, strict=True))
    return f"<tr>{''.join(told)}</tr>"
