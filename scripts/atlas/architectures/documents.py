"""The summary as pages to read: Markdown and HTML made from the same sections."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from atlas.architectures.rows import ALL, Row

DASH = "–"


@dataclass(frozen=True)
class Section:
    """A heading, what to know, and a table of ready texts; numbers are set to the right."""

    title: str
    text: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    """Leading columns that are words; notes at the end are told by their header."""


TITLE = "Architectures"
INTRODUCTION = (
    "Made from configurations on torch's meta device: no weights were read. Every forward is of "
    "one image (batch 1); guidance runs more than one forward per step. b = 10⁹, GMAC = 10⁹ "
    "multiply-accumulates, MB = 10⁶ bytes, GB = 10⁹ bytes."
)
MEMORY_METHOD = (
    "Weights of the component and the largest set of its activations that are alive at one time, "
    "followed through every operation of one forward (of an autoencoder: decoding one image). "
    "Attention is taken to be fused: its matrix of scores is not stored. Scratch space of kernels, "
    "the allocator's rounding and the device's own 300 to 500 MB come on top. f8 weights compute "
    "in 16 bit. Italic sizes are inferred from forwards at a smaller and a larger size."
)


def sections(summary: Sequence[Row], memory: Sequence[Row]) -> list[Section]:
    """Return all sections of the page."""
    return [_glance(summary), _counts(summary), _torchinfo(summary), _memory(memory)]


def _glance(summary: Sequence[Row]) -> Section:
    rows = []
    for name in dict.fromkeys(row["architecture"] for row in summary):
        own = [row for row in summary if row["architecture"] == name]
        denoiser, whole = own[0], own[-1]
        vae = next((row for row in own if row["component"] == "vae"), None)
        texts = [row["parameters"] for row in own if row["component"].startswith("text_encoder")]
        rows.append(
            [
                denoiser["label"],
                denoiser["family"],
                *_inputs(denoiser),
                str(denoiser["blocks"]),
                billions(denoiser["parameters"]),
                billions(vae["parameters"]) if vae else DASH,
                billions(sum(texts)) if texts else DASH,
                billions(whole["parameters"]),
                gigabytes(whole["weights_f16_bytes"]),
                f"{denoiser['forward_macs'] / 1e9:,.0f}",
                str(denoiser["forwards_per_step"]),
                gigabytes(denoiser["peak_bytes"]),
                gigabytes(whole["peak_bytes"]),
            ]
        )
    header = [
        "architecture", "family", *INPUTS, "MBW units", "denoiser b", "VAE b", "text encoders b",
        "all b", "all weights GB", "GMAC per forward", "forwards per step", "denoiser's peak GB",
        "all resident, peak GB",
    ]  # fmt: skip
    return Section("At a glance", INTRODUCTION, header, rows, texts=2)


def _counts(summary: Sequence[Row]) -> Section:
    rows = [
        [
            row["label"],
            row["component"],
            row["class"] or "",
            *_inputs(row),
            *(
                f"{row[key]:,}" if row[key] is not None else DASH
                for key in (
                    "parameters", "parameters_torchinfo", "parameters_header", "buffer_elements",
                )
            ),
            *(gigabytes(row[f"weights_{dtype}_bytes"]) for dtype in ("f32", "f16", "bf16", "f8")),
            row["note"],
        ]
        for row in summary
    ]  # fmt: skip
    header = [
        "architecture", "component", "class", *INPUTS, "parameters", "by torchinfo", "by header",
        "in buffers", "f32 GB", "f16 GB", "bf16 GB", "f8 GB", "note",
    ]  # fmt: skip
    text = (
        "Parameters: elements of all parameters, tied ones once, buffers apart. By header: as a "
        "checkpoint's header or its publisher has them. Every disagreement is explained."
    )
    return Section("Parameters by three counts, and bytes of weights", text, header, rows, texts=3)


def _torchinfo(summary: Sequence[Row]) -> Section:
    rows = [
        [
            row["label"],
            *_inputs(row),
            f"{row['torchinfo_forward_backward_bytes'] / 1e6:,.1f}",
            f"{row['torchinfo_total_bytes'] / 1e6:,.1f}",
            f"{row['peak_activation_bytes'] / 1e6:,.1f}",
            f"{row['peak_bytes'] / 1e6:,.1f}",
        ]
        for row in summary
        if row["component"] != ALL and row["blocks"]
    ]
    header = [
        "architecture", *INPUTS, "torchinfo forward/backward MB", "torchinfo total MB",
        "our peak activations MB", "our peak with weights MB",
    ]  # fmt: skip
    text = (
        "torchinfo's figure adds up twice the outputs of all leaf modules that own parameters, as "
        "training would keep them; inference frees them, so what it needs is far less."
    )
    return Section("torchinfo's sizes, and what inference needs", text, header, rows)


def _memory(memory: Sequence[Row]) -> Section:
    dtypes = list(dict.fromkeys(row["dtype"] for row in memory))
    places = dict.fromkeys(
        (row["architecture"], row["component"], row["width_pixels"]) for row in memory
    )
    found = {
        (row["architecture"], row["component"], row["width_pixels"], row["dtype"]): row
        for row in memory
    }
    rows = []
    for place in places:
        first = found[*place, dtypes[0]]
        rows.append(
            [
                first["label"],
                first["component"],
                pixels(first),
                str(first["batch"]),
                str(first["text_tokens"] or DASH),
                *(_peak(found[*place, dtype]) for dtype in dtypes),
            ]
        )
    header = ["architecture", "component", *INPUTS[:3], *(f"{dtype} peak GB" for dtype in dtypes)]
    return Section("Peak memory of one forward", MEMORY_METHOD, header, rows, texts=2)


def _peak(row: Row) -> str:
    told = f"{gigabytes(row['peak_bytes'])} ({row['activation_bytes'] / 1e9:.2f} activations)"
    return f"*{told}*" if row["method"] == "inferred" else told


INPUTS = ("pixels", "batch", "text tokens", "dtype")


def _inputs(row: Row) -> list[str]:
    return [pixels(row), str(row["batch"]), str(row["text_tokens"] or DASH), row["dtype"]]


def pixels(row: Row) -> str:
    """Write an image's size; a dash for what has none."""
    side = row["width_pixels"]
    return f"{side} × {row['height_pixels']}" if side else DASH


def billions(count: int) -> str:
    """
    Write a count in 10⁹ with the digits that matter.

    >>> billions(859_520_964), billions(11_901_408_320)
    ('0.860', '11.90')
    """
    return f"{count / 1e9:.3f}" if count < 10**10 else f"{count / 1e9:.2f}"


def gigabytes(size: int) -> str:
    """Write bytes in GB of 10⁹."""
    return f"{size / 1e9:.2f}"


def markdown(parts: Iterable[Section]) -> str:
    """Return the page in Markdown."""
    lines = [f"# {TITLE}", ""]
    for part in parts:
        ruler = ["---" if _is_text(part, n) else "---:" for n in range(len(part.header))]
        lines += [f"## {part.title}", "", part.text, "", _line(part.header), _line(ruler)]
        lines += [*(_line(row) for row in part.rows), ""]
    return "\n".join(lines)


def _line(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _is_text(part: Section, column: int) -> bool:
    return column < part.texts or part.header[column] == "note"


STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #8884; text-align: right; }
td { vertical-align: top; }
th { position: sticky; top: 0; background: Canvas; vertical-align: bottom; }
.text { text-align: left; } p { max-width: 60rem; } td.note { min-width: 22rem; }
tr:hover td { background: #8882; }
"""


def html(parts: Iterable[Section]) -> str:
    """Return the page as one HTML file that needs nothing else."""
    body = [f"<h1>{TITLE}</h1>"]
    for part in parts:
        body += [f"<h2>{escape(part.title)}</h2>", f"<p>{escape(part.text)}</p>", "<table>"]
        body.append(f"<thead>{_html_row(part, part.header, 'th')}</thead><tbody>")
        body += [_html_row(part, row, "td") for row in part.rows]
        body.append("</tbody></table>")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _html_row(part: Section, cells: Sequence[str], tag: str) -> str:
    told = "".join(
        f"<{tag}{_html_class(part, column)}>{_html_cell(cell)}</{tag}>"
        for column, cell in enumerate(cells)
    )
    return f"<tr>{told}</tr>"


def _html_class(part: Section, column: int) -> str:
    if not _is_text(part, column):
        return ""
    return ' class="text note"' if part.header[column] == "note" else ' class="text"'


def _html_cell(text: str) -> str:
    """Escape a cell; what Markdown sets in italics is so here."""
    if len(text) > 2 and text.startswith("*") and text.endswith("*"):
        return f"<i>{escape(text[1:-1])}</i>"
    return escape(text)
