"""Published resource tables made again under their own assumptions, beside the right figures."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from math import prod
from typing import Any

from atlas.activations import plan_bytes, recorder
from atlas.activations.layers import Layer, Place
from atlas.activations.plan_assumptions import assumed
from atlas.activations.plan_bytes import Picture
from atlas.architectures import build, catalogue, inputs, memory
from atlas.architectures.architecture import Architecture
from atlas.basis.shipped import load

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
BINARY = {"KB": 2**10, "MB": 2**20, "GB": 2**30}
"""What is called so in figures of one sample."""
PRINTED = re.compile(r"([\d.,]+) (KB|MB|GB)")
NEAR = 0.025
"""A figure agrees if its digits do, or if it is as near as this: many are printed as "about"."""
HALF, SINGLE = 2, 4
"""Bytes of a value."""
STANDARDISED = 2
"""Arrays of values at a time: those read, and the standardised ones."""
PREVIEW = "a sample"

COLUMNS = (
    "set", "quantity", "of", "published", "published_bytes", "recomputed_bytes", "agrees",
    "right_float32_bytes", "right_float16_bytes", "right_means_bytes",
    "published_over_right_float32", "causes",
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One figure: as printed, made again, and right."""

    quantity: str
    of: str
    printed: Sequence[str] = ()
    """One, both ends of a range, or none where it was not printed."""
    recomputed: float | None = None
    """Under the assumptions of the printed one."""
    single: float | None = None
    half: float | None = None
    means: float | None = None
    causes: Sequence[str] = ()


@dataclass(frozen=True)
class Network:
    """What the figures of one set follow from, all of it from shapes."""

    facts: Mapping[str, Any]
    entry: Architecture
    layers: tuple[Layer, ...]
    parameters: Mapping[str, int]
    """By component."""

    @property
    def picture(self) -> Picture:
        """The image of a sample."""
        return Picture(self.facts["side"], self.facts["side"])

    def values(self, item: int) -> int:
        """Return the bytes of one sample's maps."""
        return plan_bytes.values_bytes(self.layers, item=item)

    @property
    def means(self) -> int:
        """Bytes of one sample's means over space."""
        return plan_bytes.means_bytes(self.layers)

    @property
    def assumed_values(self) -> int:
        """Bytes of one sample's maps in float32, by the shapes that were taken for granted."""
        return SINGLE * sum(map(prod, self.facts["shapes"].values()))

    def table_bytes(self, samples: int) -> int:
        """Return the bytes of our table of samples, with a label or prompt each."""
        return plan_bytes.table_file(
            len(self.layers), 1, samples, condition_bytes=self._text_bytes, has_images=True
        )

    @property
    def _text_bytes(self) -> float:
        return 25.0 if self.entry.text else 8.0

    def weights(self, item: int) -> int:
        """Return the bytes of all components."""
        return item * sum(self.parameters.values())


def table() -> dict[str, Any]:
    """Return the published figures and what they assume."""
    return dict(load("published/activations"))


def rows() -> list[dict[str, Any]]:
    """Return all figures: published, made again, right in three ways, ratio and causes."""
    facts = table()
    return [
        _row(one["name"], figure, facts["causes"])
        for one in facts["sets"]
        for figure in figures(network(one), facts)
    ]


def network(facts: Mapping[str, Any]) -> Network:
    """Return what a set's figures follow from: layers' shapes as a forward on meta gives them."""
    entry = catalogue.load(facts["architecture"])
    side = facts["side"]
    module = build.component(entry, entry.denoiser_name)
    arguments = inputs.denoiser(entry, width=side, height=side)
    places = {name: Place(name) for name in facts["layers"]}
    shapes = recorder.shapes(module, places, lambda: module(**arguments))
    layers = tuple(Layer(name, name, shapes[name]) for name in places)
    parameters = {name: build.parameters(build.component(entry, name)) for name in entry.components}
    return Network(facts, entry, layers, parameters)


def figures(of: Network, facts: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield the figures of one set."""
    yield from _of_sample(of, facts)
    yield from _of_tables(of, facts)
    yield from _of_umap(of)
    yield from _of_runtime(of)


def _of_sample(of: Network, facts: Mapping[str, Any]) -> Iterator[Figure]:
    printed, causes = of.facts["sample"], of.facts["causes"]
    right: dict[str, Any] = {
        "single": of.values(SINGLE),
        "half": of.values(HALF),
        "means": of.means,
    }
    shape_causes = [cause for cause in causes if cause in {"mid_side", "resampled"}]
    # a KB of these is 1,024 bytes
    raw = of.assumed_values * _binary_share(printed["raw"])
    yield Figure("activations, raw", PREVIEW, [printed["raw"]], raw, **right, causes=shape_causes)
    compressed = _bytes(printed["raw"]) * facts["compressed_share"]
    told = [printed["compressed"]]
    yield Figure("activations, compressed", PREVIEW, told, compressed, **right, causes=causes)
    if latent := of.facts.get("latent"):
        columns, rows = of.entry.latent_size(of.facts["side"], of.facts["side"])
        values = of.entry.latent.channels * columns * rows
        # the number is right, and its unit is not: 256 MB for 256 KB
        same = values * SINGLE / BINARY["KB"] * UNITS["MB"]
        yield Figure(
            "latent", PREVIEW, [latent], same, values * SINGLE, values * HALF, causes=["latents"]
        )
    if prompt := of.facts.get("prompt"):
        wide = of.entry.denoiser.config["cross_attention_dim"] * prompt["tokens"]
        made = prompt["width"] * prompt["tokens"] * SINGLE
        yield Figure(
            "prompt's embedding",
            PREVIEW,
            [prompt["printed"]],
            made,
            wide * SINGLE,
            wide * HALF,
            causes=prompt["causes"],
        )


def _binary_share(printed: str) -> float:
    """Return 1,000 over 1,024, or its square, for what is called KB or MB of one sample."""
    unit = _parts(printed)[1]
    return UNITS[unit] / BINARY[unit]


def _of_tables(of: Network, facts: Mapping[str, Any]) -> Iterator[Figure]:
    sample, causes = of.facts["sample"], of.facts["causes"]
    compressed, image, text = (_bytes(sample[name]) for name in ("compressed", "image", "text"))
    for count in facts["samples"]:
        printed = of.facts["tables"].get(count, {})
        named = f"{count} samples"
        png = count * of.picture.png_bytes
        table_bytes = of.table_bytes(count)
        kept = {
            "single": count * of.values(SINGLE),
            "half": count * of.values(HALF),
            "means": count * of.means,
        }
        told = printed.get("activations", ())
        yield Figure(
            "activations",
            named,
            [told] if isinstance(told, str) else told,
            count * compressed if told else None,
            **kept,
            causes=causes if told else (),
        )
        if "images" in printed:
            yield Figure(
                "images",
                named,
                [printed["images"]],
                count * image,
                png,
                png,
                png,
                ["images"],
            )
        if "texts" in printed:
            yield Figure(
                "texts",
                named,
                [printed["texts"]],
                count * text,
                table_bytes,
                table_bytes,
                table_bytes,
                ["texts"],
            )
        total = None
        if "disk" in printed:
            total = sum(
                _bytes(printed[name]) for name in ("activations", "images", "texts")
                if name in printed
            )  # fmt: skip
        whole = {name: held + png + table_bytes for name, held in kept.items()}
        figure = Figure(
            "disk", named, [printed["disk"]] if "disk" in printed else (), total, **whole
        )
        yield _with_causes(figure, [*causes, "images"] if "disk" in printed else [], "sum")


def _with_causes(figure: Figure, causes: list[str], otherwise: str) -> Figure:
    """Return a figure with its causes, and one more where it does not come out as printed."""
    if figure.recomputed is not None and not _agrees(figure.printed, figure.recomputed):
        causes = [otherwise, *causes]
    own = {name: getattr(figure, name) for name in Figure.__dataclass_fields__}
    return Figure(**(own | {"causes": causes}))


def _of_umap(of: Network) -> Iterator[Figure]:
    compressed = _bytes(of.facts["sample"]["compressed"])
    told = of.facts.get("umap", {})
    are_made = all(_agrees([printed], count * compressed) for count, printed in told.items())
    for count, printed in told.items():
        made = count * compressed
        yield Figure(
            "UMAP's memory",
            f"{count} samples",
            [printed],
            made,
            STANDARDISED * count * of.values(SINGLE),
            # what is read as float16 is worked on as float32
            STANDARDISED * count * of.values(SINGLE),
            STANDARDISED * count * of.means,
            ["umap_compressed" if are_made else "umap_larger"],
        )


def _of_runtime(of: Network) -> Iterator[Figure]:
    if "weights" not in of.facts:
        return
    told = of.facts["weights"]
    counted = sum(of.parameters[name] for name in told["counted"])
    yield Figure(
        "weights",
        "all components",
        [told["printed"]],
        counted * told["item"] if "item" in told else None,
        of.weights(SINGLE),
        of.weights(HALF),
        causes=told["causes"],
    )
    for batch, one in of.facts["batches"].items():
        single, half = forward_peaks(of.entry, side=of.facts["side"], batch=batch)
        context = assumed()["cuda"]["device"]
        yield Figure(
            "a GPU's memory",
            f"batch of {batch}",
            one["printed"],
            sum(map(_bytes, one["parts"])),
            of.weights(SINGLE) + single + context,
            of.weights(HALF) + half + context,
            causes=one["causes"],
        )


def forward_peaks(entry: Architecture, *, side: int, batch: int) -> tuple[int, int]:
    """
    Return the most bytes of activations alive at one time, in single and in half precision.

    Of the denoiser on a batch, or of the decoder on a whole batch where that takes more.
    """
    size: dict[str, Any] = {"width": side, "height": side, "batch": batch}
    denoiser = build.component(entry, entry.denoiser_name)
    live = [memory.live_bytes(denoiser, inputs.denoiser(entry, **size), pixels=side**2)]
    if "vae" in entry.components:
        decoder: Any = build.component(entry, "vae").decode
        live.append(memory.live_bytes(decoder, inputs.vae_decode(entry, **size), pixels=side**2))
    return max(max(each.single) for each in live), max(max(each.half) for each in live)


def _row(name: str, figure: Figure, causes: Mapping[str, str]) -> dict[str, Any]:
    published = None
    if figure.printed:
        published = sum(map(_bytes, figure.printed)) / len(figure.printed)
    agrees = None
    if figure.printed and figure.recomputed is not None:
        agrees = _agrees(figure.printed, figure.recomputed)
    over = round(published / figure.single, 4) if published and figure.single else None
    values = (
        name, figure.quantity, figure.of, " to ".join(figure.printed), _whole(published),
        _whole(figure.recomputed), agrees, _whole(figure.single), _whole(figure.half),
        _whole(figure.means), over, "; ".join(causes[cause] for cause in figure.causes),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _parts(printed: str) -> tuple[str, str]:
    found = PRINTED.fullmatch(printed)
    assert found, printed
    return found[1].replace(",", ""), found[2]


def _bytes(printed: str) -> float:
    number, unit = _parts(printed)
    return float(number) * UNITS[unit]


def _agrees(printed: Sequence[str], value: float) -> bool:
    """Say whether a value is one of the printed ones to its digits, near it, or between them."""
    low, *_, high = map(_bytes, [printed[0], printed[-1]])
    return low <= value <= high or any(agrees(text, value) for text in printed)


def agrees(printed: str, value: float) -> bool:
    """
    Say whether bytes are as printed: to its digits, rounded or cut off, or to 2.5 %.

    >>> agrees("203 MB", 202.5e6), agrees("3.6 GB", 3.5e9), agrees("10 GB", 9.6e9)
    (True, False, True)
    """
    number, unit = _parts(printed)
    exact = Decimal(repr(value / UNITS[unit]))
    step = Decimal(1).scaleb(int(Decimal(number).as_tuple().exponent))
    digits = {exact.quantize(step, rounding=how) for how in (ROUND_HALF_UP, ROUND_DOWN)}
    return Decimal(number) in digits or abs(float(exact) / float(number) - 1) <= NEAR
