"""
Bounds on time and memory: never a prediction, only what cannot be undercut or must be there.

The roofline model (Williams, Waterman and Patterson, "Roofline: an insightful visual performance
model for multicore architectures", 2009): work takes at least FLOPs / peak and at least bytes /
bandwidth. It is applied to layers and to attention of each call apart, which run one after the
other. Elementwise work, kernels' launches and losses of every kind count as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atlas.basis.errors import AtlasError
from atlas.basis.page import Section
from atlas.macs.devices import Device
from atlas.macs.formulas import KINDS, Formula
from atlas.macs.subjects import Subject, Text

Row = dict[str, Any]
COLUMNS = [
    "architecture", "label", "device", "device_label", "width_pixels", "height_pixels", "batch",
    "prompt_tokens", "text_tokens", "dtype", "steps", "forwards_per_step", "image_macs",
    "step_bound_seconds", "text_bound_seconds", "vae_bound_seconds", "image_bound_seconds",
    "limited_by", "resident_bytes", "by_component_bytes", "by_layer_bytes", "device_bytes",
    "fits", "measured_forward_seconds", "note", "problem",
]  # fmt: skip
TITLE = "Bounds on time"
METHOD = (
    "Lower bounds by the roofline, not predictions: nothing can be faster on this GPU, and "
    "everything is slower. Each architecture at its own size, steps and guidance, in bfloat16 "
    "(float16 where the GPU has no bfloat16), one image at once, a prompt as long as the "
    "pipeline's cap."
)
GUIDED = 2
"""Forwards per step with classifier-free guidance."""
PARTS = ("denoiser", "text", "vae")
COMPUTE, BANDWIDTH = "arithmetic", "bandwidth"
MODES = ("resident", "by_component", "by_layer")
"""Where weights are: all on the GPU, one component at a time, or one layer at a time."""


@dataclass(frozen=True)
class Precision:
    """How a model is held and computed."""

    label: str
    weight: int
    """Bytes per parameter."""
    activation: int
    layers: str
    """Whose peak is that of layers, by the dtypes of config/devices.yaml."""
    attention: str


PRECISIONS: Mapping[str, Precision] = {
    "bf16": Precision("bfloat16", 2, 2, "bf16", "bf16"),
    "f16": Precision("float16", 2, 2, "f16", "f16"),
    "f32": Precision("float32 (TF32 where there is)", 4, 4, "f32", "f32"),
    "f8": Precision("float8 weights, 16-bit arithmetic", 1, 2, "f16", "f16"),
    "f8_products": Precision("float8 layers, 16-bit attention", 1, 2, "f8", "f16"),
}


@dataclass(frozen=True)
class Question:
    """What is asked of an architecture."""

    width: int
    height: int
    batch: int = 1
    prompt: int | None = None
    """Tokens; None for a prompt as long as the pipeline's cap."""
    steps: int | None = None
    """None for the architecture's usual ones."""
    guidance: bool | None = None
    """Whether a step has two forwards; None for the architecture's own way."""
    precision: str = "bf16"
    work: float = 1.0
    """Share of the denoiser's steps that are computed in full, the others taken as free."""


@dataclass(frozen=True)
class Bound:
    """Seconds that work takes at least, and how many of them its arithmetic decides."""

    seconds: float
    by_arithmetic: float

    @property
    def limit(self) -> str:
        """What decides most of it."""
        return COMPUTE if 2 * self.by_arithmetic >= self.seconds else BANDWIDTH

    def times(self, factor: float) -> Bound:
        """Return the bound of so many times the work."""
        return Bound(self.seconds * factor, self.by_arithmetic * factor)


@dataclass(frozen=True)
class Answer:
    """What an image costs: exact in MACs, bounds in time."""

    steps: int
    forwards: int
    macs: Mapping[str, Mapping[str, int]]
    """By part of the pipeline and by kind, of the whole batch and all steps, without caching."""
    image_macs: int
    step_macs: int
    bounds: Mapping[str, Bound | None]
    """By part for the batch, the denoiser's of one step; None where the GPU has no such units."""
    image_bound: Bound | None
    memory: Mapping[str, int]
    """Bytes by mode, of weights, buffers and the largest activations."""


def answer(subject: Subject, question: Question, device: Device) -> Answer:
    """
    Answer a question.

    Raises
    ------
    AtlasError
        for a size that the model can't make, or a subject without formulas.
    """
    subject.check(question.width, question.height)
    text = subject.texts[question.prompt]
    forwards = (
        subject.forwards if question.guidance is None else (GUIDED if question.guidance else 1)
    )
    steps = subject.steps if question.steps is None else question.steps
    macs = {part: dict.fromkeys(KINDS, 0) for part in PARTS}
    bounds: dict[str, Bound | None] = {part: Bound(0, 0) for part in PARTS}
    for formula in subject.formulas:
        point = subject.tokens(formula, question.width, question.height, text)
        part = part_of(subject, formula, text)
        runs = {"denoiser": steps * forwards, "text": forwards, "vae": 1}[part]
        for kind, count in formula.kinds(*point, question.batch).items():
            macs[part][kind] += runs * count
        images = question.batch * _at_once(subject, part, forwards)
        precision = _precision(subject, question, part)
        one = bound(formula, point, images, precision, device)
        calls = forwards // subject.at_once(forwards) if part == "denoiser" else 1
        bounds[part] = _sum(bounds[part], one and one.times(calls))
    denoising = bounds["denoiser"]
    whole = denoising and denoising.times(steps * question.work)
    for part in ("text", "vae"):
        whole = _sum(whole, bounds[part])
    total = sum(sum(kinds.values()) for kinds in macs.values())
    return Answer(
        steps=steps,
        forwards=forwards,
        macs=macs,
        image_macs=total // question.batch,
        step_macs=sum(macs["denoiser"].values()) // steps,
        bounds=bounds,
        image_bound=whole and whole.times(1 / question.batch),
        memory=memory(subject, question, forwards),
    )


def part_of(subject: Subject, formula: Formula, text: Text) -> str:
    """Tell the part of the pipeline that a formula is of."""
    if formula is subject.denoiser:
        return "denoiser"
    return "text" if formula.component in text.encoders else "vae"


def _at_once(subject: Subject, part: str, forwards: int) -> int:
    """Return the copies of a batch that one call of a part is given."""
    if part == "vae":
        return 1
    return subject.at_once(forwards) if part == "denoiser" else forwards


def _precision(subject: Subject, question: Question, part: str) -> Precision:
    is_upcast = part == "vae" and subject.decodes_in_f32 and question.precision == "f16"
    return PRECISIONS["f32" if is_upcast else question.precision]


def bound(
    formula: Formula, point: tuple[int, int], batch: int, precision: Precision, device: Device
) -> Bound | None:
    """Return the roofline's bound of one call; None where the GPU has no units for the dtype."""
    kinds = formula.kinds(*point, batch)
    moved = (
        formula.elements(*point, batch) - formula.weights
    ) * precision.activation + formula.weights * precision.weight
    attended = formula.attended(*point, batch) * precision.activation
    works = (
        (sum(kinds.values()) - kinds["attention"], moved, precision.layers),
        (kinds["attention"], attended, precision.attention),
    )
    seconds = by_arithmetic = 0.0
    for macs, moved_bytes, dtype in works:
        rate = device.rate(dtype)
        if rate is None:
            return None
        computing, moving = 2 * macs / rate, moved_bytes / (1e9 * device.bandwidth_gb_per_s)
        seconds += max(computing, moving)
        by_arithmetic += computing if computing >= moving else 0
    return Bound(seconds, by_arithmetic)


def _sum(one: Bound | None, other: Bound | None) -> Bound | None:
    if one is None or other is None:
        return None
    return Bound(one.seconds + other.seconds, one.by_arithmetic + other.by_arithmetic)


def memory(subject: Subject, question: Question, forwards: int) -> dict[str, int]:
    """
    Return the bytes that a GPU must hold, by mode.

    Guidance's forwards are one batch where the pipeline runs them so. The context of the device
    (some 300 to 500 MB) and the allocator's losses come on top.
    """
    text = subject.texts[question.prompt]
    weights, peaks, largest = [], [], []
    for formula in subject.formulas:
        part = part_of(subject, formula, text)
        precision = _precision(subject, question, part)
        images = question.batch * _at_once(subject, part, forwards)
        point = subject.tokens(formula, question.width, question.height, text)
        buffers = formula.buffers * precision.activation
        weights.append(subject.parameters(formula) * precision.weight + buffers)
        largest.append(formula.largest * precision.weight + buffers)
        peaks.append(formula.peak(point[0], images, is_single=precision.activation == 4))
    return {
        "resident": sum(weights) + max(peaks),
        "by_component": max(own + peak for own, peak in zip(weights, peaks, strict=True)),
        "by_layer": max(own + peak for own, peak in zip(largest, peaks, strict=True)),
    }


def fits(found: Mapping[str, int], device: Device) -> str:
    """Name the easiest way in which it fits: a mode, or `no`."""
    return next((mode for mode in MODES if found[mode] <= device.memory_bytes), "no")


def rows(
    subject: Subject, gpus: Sequence[Device], measured: Sequence[Mapping[str, Any]] = ()
) -> list[Row]:
    """Return a row per GPU, at the architecture's own size and steps, in 16 bit."""
    width, height = subject.native
    found = []
    for device in gpus:
        precision = "bf16" if device.rate("bf16") else "f16"
        question = Question(width, height, precision=precision)
        try:
            found.append(row(subject, question, device) | _measured(subject, device, measured))
        except AtlasError as error:
            head = {"architecture": subject.name, "label": subject.label, "device": device.name}
            found.append(head | {"device_label": device.label, "problem": str(error)})
    return found


def _measured(subject: Subject, device: Device, measured: Sequence[Mapping[str, Any]]) -> Row:
    """Return what a forward took on this GPU at this size, where that was measured."""
    own = subject.name, *subject.native
    for row in measured:
        at = row["architecture"], row["width_pixels"], row["height_pixels"]
        if at == own and row["device"] in device.reported:
            return {"measured_forward_seconds": row["milliseconds"] / 1000}
    return {}


def row(subject: Subject, question: Question, device: Device) -> Row:
    """Return the row of a table."""
    head = {
        "architecture": subject.name,
        "label": subject.label,
        "device": device.name,
        "device_label": device.label,
        "width_pixels": question.width,
        "height_pixels": question.height,
        "batch": question.batch,
        "prompt_tokens": question.prompt,
        "dtype": question.precision,
        "device_bytes": device.memory_bytes,
        "note": subject.note,
    }
    found = answer(subject, question, device)
    told = head | {
        "text_tokens": subject.texts[question.prompt].denoiser,
        "steps": found.steps,
        "forwards_per_step": found.forwards,
        "image_macs": found.image_macs,
        **{f"{mode}_bytes": found.memory[mode] for mode in MODES},
        "fits": fits(found.memory, device),
    }
    if found.image_bound is None:
        return told | {"problem": f"{device.label} has no units for {question.precision}"}
    seconds = {part: each.seconds for part, each in found.bounds.items() if each is not None}
    return told | {
        "step_bound_seconds": _rounded(seconds["denoiser"]),
        "text_bound_seconds": _rounded(seconds["text"]),
        "vae_bound_seconds": _rounded(seconds["vae"]),
        "image_bound_seconds": _rounded(found.image_bound.seconds),
        "limited_by": found.image_bound.limit,
    }


def sections(table: Sequence[Row], gpus: Sequence[Device]) -> list[Section]:
    """Return the table for people, GPU by GPU."""
    header = ["architecture", "pixels", "steps", "step, s", "image, s", "limited by", "resident GB",
              "by component GB", "by layer GB", "fits", "note"]  # fmt: skip
    found = []
    for device in gpus:
        lines = [_line(each) for each in table if each["device"] == device.name]
        known = "" if device.certain else " Its peaks are worked out, not read in a document."
        text = f"{METHOD} Source: {device.source}.{known}"
        found.append(Section(device.label, text, header, lines, prose=frozenset({10})))
    return found


def _line(told: Row) -> list[str]:
    if told.get("image_macs") is None:
        return [told["label"], *["–"] * 9, told["problem"]]
    seconds = (told.get(f"{part}_bound_seconds") for part in ("step", "image"))
    return [
        told["label"],
        f"{told['width_pixels']} × {told['height_pixels']}",
        str(told["steps"]),
        *("–" if value is None else f"{value:.3g}" for value in seconds),
        told.get("limited_by", "–"),
        *(f"{told[f'{mode}_bytes'] / 1e9:.2f}" for mode in MODES),
        told["fits"].replace("_", " "),
        told.get("problem", "") or told["note"],
    ]


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.4g}")
