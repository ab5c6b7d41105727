"""What the summary's pages say, section by section."""

from collections.abc import Sequence
from operator import itemgetter

from atlas.architectures.rows import ALL, Row
from atlas.basis.page import Section

DASH = "–"

TITLE = "Architectures"
INTRODUCTION = (
    "Made from configurations on torch's meta device: no weights were read. Every forward is of "
    "one image (batch 1); guidance runs more than one forward per step. B = 10⁹, GMAC = 10⁹ "
    "multiply-accumulates, MB = 10⁶ bytes, GB = 10⁹ bytes."
)
MEMORY_METHOD = (
    "Weights (all that the pipeline loads) and buffers of the component, and the largest set of "
    "its activations alive at a time, followed through every operation of one forward (of an "
    "autoencoder: decoding one image). "
    "Attention is taken to be fused: its matrix of scores is not stored. Scratch space of kernels, "
    "the allocator's rounding and the device's own 300 to 500 MB come on top. f8 weights compute "
    "in 16 bit. A batch of more than 1 is that of a pipeline that runs guidance in one batch."
)
FITS_METHOD = (
    "GB that a pipeline needs to make one image of its native size in f16, guidance as it runs it. "
    "Resident: all weights on the device. Tiled: the image decoded by tiles, of the size that the "
    "autoencoder's class takes. Float8: the denoiser's weights in float8, a layer's at a time cast "
    "to 16 bit. By component, by block, by layer: what of the weights is on the device at a time "
    "(enable_model_cpu_offload, enable_group_offload, enable_sequential_cpu_offload). The device's "
    "own 300 to 500 MB come on top. bf16, and other sizes, are in modes.csv."
)
FITS_DTYPE = "f16"


def problems(summary: Sequence[Row]) -> list[str]:
    """Say which architectures could not be surveyed or have doubtful figures, and why."""
    return [
        f"{row['architecture']}: {row['problem']}"
        for row in summary
        if row["component"] == ALL and row["problem"]
    ]


def _is_missing(row: Row) -> bool:
    return row["parameters"] is None


def sections(summary: Sequence[Row], memory: Sequence[Row], modes: Sequence[Row]) -> list[Section]:
    """Return all sections of the page."""
    made = [row for row in summary if not _is_missing(row)]
    return [_glance(made), _fits(made, modes), _counts(made), _torchinfo(made), _memory(memory)]


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
        "architecture", "family", *INPUTS, "MBW units", "denoiser B", "VAE B", "text encoders B",
        "all B", "all weights GB", "GMAC per forward", "forwards per step", "denoiser's peak GB",
        "all resident, peak GB",
    ]  # fmt: skip
    return Section("At a glance", INTRODUCTION, header, rows, words=frozenset({0, 1}))


def _fits(summary: Sequence[Row], modes: Sequence[Row]) -> Section:
    """Return the GB of every mode at the native size."""
    names = list(dict.fromkeys(row["mode"] for row in modes))
    found = {
        (row["architecture"], row["width_pixels"], row["mode"]): row
        for row in modes
        if row["dtype"] == FITS_DTYPE
    }
    rows = []
    for whole in (row for row in summary if row["component"] == ALL):
        own = [found.get((whole["architecture"], whole["width_pixels"], name)) for name in names]
        batch = next(row["denoiser_batch"] for row in own if row)
        rows.append(
            [
                whole["label"],
                pixels(whole),
                str(batch),
                *(gigabytes(row["peak_bytes"]) if row else DASH for row in own),
            ]
        )
    header = ["architecture", "pixels", "denoiser's batch", *names]
    return Section("Fits in (GB)", FITS_METHOD, header, rows, words=frozenset({0}))


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
                    "parameters", "parameters_loaded", "parameters_torchinfo", "parameters_header",
                    "buffer_elements",
                )
            ),
            *(gigabytes(row[f"weights_{dtype}_bytes"]) for dtype in ("f32", "f16", "bf16", "f8")),
            row["sampling"],
            row["note"],
            row["problem"],
        ]
        for row in summary
    ]  # fmt: skip
    header = [
        "architecture", "component", "class", *INPUTS, "parameters", "loaded", "by torchinfo",
        "by header", "in buffers", "f32 GB", "f16 GB", "bf16 GB", "f8 GB", "sampling", "note",
        "problem",
    ]  # fmt: skip
    text = (
        "Parameters: elements of all parameters, tied ones once, buffers apart. By header: as a "
        "checkpoint's header or its publisher has them. Loaded: of the model that the pipeline "
        "loads, where that is more than what it runs. Every disagreement is explained."
    )
    return Section(
        "Parameters by three counts, and bytes of weights",
        text,
        header,
        rows,
        words=frozenset({0, 1, 2}),
        prose=frozenset({len(header) - 3, len(header) - 2, len(header) - 1}),
    )


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
    place_of = itemgetter("architecture", "component", "width_pixels", "batch")
    places = dict.fromkeys(place_of(row) for row in memory)
    found = {(*place_of(row), row["dtype"]): row for row in memory}
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
    words = frozenset({0, 1})
    return Section("Peak memory of one forward", MEMORY_METHOD, header, rows, words=words)


def _peak(row: Row) -> str:
    return f"{gigabytes(row['peak_bytes'])} ({row['activation_bytes'] / 1e9:.2f} activations)"


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
