"""What an image costs: rows per architecture, size and prompt, from the profiles; no torch here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

from atlas.architectures.architecture import Architecture, Video
from atlas.architectures.faults import COUNTED, FAILED
from atlas.macs.request import BEYOND, GROWTH, SEPARATOR, Size

Row = dict[str, Any]
GUIDED = 2
"""Forwards per step with classifier-free guidance."""

COMPARED: Size = (1024, 1024)
"""The size at which architectures are compared where there are such images."""

COLUMNS = [
    "architecture", "label", "kind", "width_pixels", "height_pixels", "native_pixels", "frames",
    "references", "reference_pixels", "batch",
    "prompts", "prompt_tokens", "text_tokens", "encoder_tokens", "image_tokens",
    "denoiser_parameters", "forward_macs", "forwards_per_step",
    "step_macs", "text_encodings", "text_macs", "vae_decode_macs", "vae_encode_macs", "steps",
    "image_macs", "image_flops", "usual_steps", "usual_image_macs", "image_macs_per_megapixel",
    "usual_macs_per_second_of_video", "attention_share", "intensity_flops_per_byte",
    "growth_exponent", "growth_from_pixels",
    "growth_to_pixels", "sampling", "status", "problem",
]  # fmt: skip


HEAD = ("batch", "prompts", "prompt_tokens", "text_tokens", "image_tokens")
"""What a row has from its forward's profile."""


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
    """Return one row per resolution and prompt that was asked for."""
    totals = [row for row in profile if row["part"] == "total"]
    denoiser = [row for row in totals if row["component"] == architecture.denoiser_name]
    grown = {
        prompts: growth(points(profile, architecture.native, prompts))
        for prompts in dict.fromkeys(row["prompts"] for row in denoiser)
    }
    return [
        _row(architecture, totals, row, sampling) | grown[row["prompts"]]
        for row in denoiser
        if row["is_asked"]
    ]


def failed(name: str, problem: str) -> Row:
    """Return the row of an architecture that could not be profiled: its problem and no number."""
    known = {"architecture": name, "label": name, "status": FAILED, "problem": problem}
    return dict.fromkeys(COLUMNS) | dict.fromkeys(("kind", "prompts", "sampling"), "") | known


def _row(architecture: Architecture, totals: Sequence[Row], own: Row, sampling: Sampling) -> Row:
    """Add up one resolution; MACs of a call are of the batch, those of an image of one image."""
    texts = [
        row
        for row in totals
        if row["component"] in architecture.text_encoders and row["prompts"] == own["prompts"]
    ]
    size = own["width_pixels"], own["height_pixels"]
    decode, encode = (_of_vae(totals, call, size) for call in ("decode", "encode"))
    needed = [own, *texts, *([decode] if decode else [])]
    head = {
        "architecture": architecture.name,
        "label": architecture.label,
        "kind": architecture.kind,
        "width_pixels": size[0],
        "height_pixels": size[1],
        "native_pixels": architecture.native,
        "frames": architecture.video.frames if architecture.video else None,
        "references": architecture.references.number if architecture.references else None,
        "reference_pixels": architecture.references.pixels if architecture.references else None,
        "denoiser_parameters": own["parameters"],
        "encoder_tokens": "; ".join(f"{row['component']} {row['text_tokens']}" for row in texts),
        "usual_steps": architecture.sampling.steps,
        "sampling": architecture.sampling.stated,
        "status": next((row["status"] for row in needed if row["status"] != COUNTED), COUNTED),
        "problem": _told(needed, "problem") or _told(totals, "doubt"),
        **{key: own[key] for key in HEAD},
    }
    if head["status"] != COUNTED:
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
        "usual_macs_per_second_of_video": _per_second(architecture.video, usual),
        "attention_share": round(own["attention_macs"] / own["macs"], 4),
        "intensity_flops_per_byte": round(own["flops"] / own["moved_bytes"], 1),
    }


def _per_second(video: Video | None, macs: int) -> int | None:
    """Return the MACs of a clip per second of its running time."""
    return round(macs * video.rate / video.frames) if video else None


def _told(rows: Iterable[Row], column: str) -> str:
    return "; ".join(dict.fromkeys(row[column] for row in rows if row[column]))


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


def points(
    profile: Sequence[Mapping[str, Any]], native: int, prompts: str = ""
) -> list[tuple[int, int]]:
    """
    Return (side in pixels, MACs of a forward) of the squares for the growth, the smallest first.

    Those that were asked for beyond what the model is made for are left out, but for the two
    between which all growth is told.
    """
    told = GROWTH if max(GROWTH) <= BEYOND * native else ()
    found = {
        row["width_pixels"]: row["macs"]
        for row in forwards(profile, prompts)
        if row["macs"]
        and row["width_pixels"] == row["height_pixels"]
        and (row["width_pixels"] in told or native / 2 <= row["width_pixels"] <= BEYOND * native)
    }
    return sorted(found.items())


def forwards(profile: Sequence[Mapping[str, Any]], prompts: str) -> Iterator[Mapping[str, Any]]:
    """Yield the totals of the denoiser's forwards for a prompt, or for several that are alike."""
    own = profile[0]["component"]
    for row in profile:
        if row["part"] == "total" and row["component"] == own and row["prompts"] == prompts:
            yield row


def growth(squares: Sequence[tuple[int, int]]) -> Row:
    """
    Return how a forward's cost grows with the image: MACs ~ pixels ^ exponent.

    Between the same two squares for all, 512 and 1024: 1 is in proportion to the pixels, 2 is
    with their square, as attention does. Empty where the model can't make one of them.
    """
    known = dict(squares)
    small, large = GROWTH
    if not {small, large} <= set(known):
        return {}
    return {
        "growth_exponent": round(log(known[large] / known[small]) / (2 * log(large / small)), 3),
        "growth_from_pixels": small,
        "growth_to_pixels": large,
    }


def is_of(row: Mapping[str, Any], prompt: str) -> bool:
    """Say whether a row is of a prompt, or of a model without text."""
    return not row["prompts"] or prompt in row["prompts"].split(SEPARATOR)


def at(
    summary: Iterable[Mapping[str, Any]], size: Size, prompt: str
) -> dict[str, Mapping[str, Any]]:
    """
    Return the rows of a size and prompt by architecture, to be compared.

    Of those that are made for such images, not for videos, and whose figures nothing makes
    doubtful.
    """
    side = sqrt(size[0] * size[1])
    return {
        row["architecture"]: row
        for row in summary
        if (row["width_pixels"], row["height_pixels"]) == size
        and not row["problem"]
        and not row["frames"]
        and is_of(row, prompt)
        and row["native_pixels"] / 2 <= side <= 2 * row["native_pixels"]
    }
