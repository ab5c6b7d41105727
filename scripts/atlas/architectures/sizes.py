"""Which sizes, batches and text lengths an architecture takes: no torch here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from atlas.architectures.architecture import Architecture, Component, Padding
from atlas.basis.errors import AtlasError

LARGEST_SIDE = 16384
"""Pixels: beyond this a size is taken for a mistake."""


@dataclass(frozen=True)
class Lengths:
    """Tokens that a prompt becomes on its way through a pipeline."""

    prompt: int | None
    """Of the prompt itself; None for one as long as the cap."""
    denoiser: int = 0
    """Of the text that the denoiser is given; 0 for a model without text."""
    attended: int = 0
    """Of those, what is left where the denoiser drops the padding within."""
    encoders: Mapping[str, int] = field(default_factory=dict)
    """Of each text encoder, by name."""


def check_size(architecture: Architecture, width: int, height: int) -> None:
    """Raise AtlasError, with the nearest valid size, unless the model can make this size."""
    multiple = architecture.latent.pixel_multiple
    largest = architecture.largest or LARGEST_SIDE
    valid = [nearest_side(side, multiple, largest) for side in (width, height)]
    if valid == [width, height]:
        return
    reason = (
        f"sides must be multiples of {multiple} pixels"
        if max(width, height) <= largest and min(width, height) > 0
        else f"sides must be from {multiple} to {largest} pixels"
    )
    raise AtlasError(
        f"{architecture.name}: {width} x {height} pixels is not possible: {reason} "
        f"({_what_divides(architecture)}); the nearest valid size is {valid[0]} x {valid[1]}"
    )


def nearest_side(side: int, multiple: int, largest: int) -> int:
    """Return the nearest multiple that is neither 0 nor above the largest side, in pixels."""
    nearest_multiple = (side + multiple // 2) // multiple * multiple
    return max(multiple, min(nearest_multiple, largest // multiple * multiple))


def _what_divides(architecture: Architecture) -> str:
    latent = architecture.latent
    return f"{latent.downsampling} pixels per latent pixel, in steps of {latent.multiple}"


def check_batch(batch: int) -> None:
    """Raise AtlasError unless a batch holds at least one image."""
    if batch < 1:
        raise AtlasError(f"a batch of {batch}: it must hold at least 1 image")


def text_tokens(architecture: Architecture, text_length: int | None) -> int:
    """Return the text tokens of one denoiser forward, 0 for a model without text."""
    text = architecture.text
    if text is None:
        if text_length:
            raise AtlasError(
                f"{architecture.name} takes no text, but a text length of {text_length} was asked "
                "for; leave it out"
            )
        return 0
    wanted = text.cap if text_length is None else text_length
    if wanted < text.least or (text.most is not None and wanted > text.most):
        raise AtlasError(
            f"{architecture.name}: {wanted} text tokens: its denoiser takes "
            f"{_span(text.least, text.most)} ({text.cap} by default)"
        )
    return wanted


def check_attended(architecture: Architecture, attended: int | None, tokens: int) -> int:
    """Return the text tokens that are left within the denoiser, all by default, checked."""
    if attended is None:
        return tokens
    masked = architecture.text is not None and architecture.text.padding == "masked"
    if not (1 <= attended <= tokens and (masked or attended == tokens)):
        why = f"of the {tokens} it is given" if masked else "it drops no padding itself"
        raise AtlasError(
            f"{architecture.name}: {attended} text tokens left within the denoiser: {why}"
        )
    return attended


def clip_frames(architecture: Architecture, frames: int | None) -> int:
    """
    Return the frames of a video, the entry's by default; 0 for a model of images.

    Raises
    ------
    AtlasError
        for frames of an image, or a number that is not 1 more than a multiple of those per latent
        frame; the nearest that is one is named.
    """
    video = architecture.video
    if video is None:
        if frames not in (None, 0, 1):
            raise AtlasError(
                f"{architecture.name} makes images, but {frames} frames were asked for; "
                "leave it out"
            )
        return 0
    wanted = video.frames if frames is None else frames
    if wanted < 1 or (wanted - 1) % video.temporal:
        nearest_count = max(0, round((wanted - 1) / video.temporal)) * video.temporal + 1
        raise AtlasError(
            f"{architecture.name}: {wanted} frames are not possible: one, and {video.temporal} per "
            f"latent frame after it; the nearest valid number is {nearest_count}"
        )
    return wanted


def reference_images(
    architecture: Architecture, number: int | None, pixels: int | None
) -> tuple[int, int]:
    """
    Return the number of reference images and the side of each in pixels, the entry's by default.

    Raises
    ------
    AtlasError
        for references of a model that takes none, a number below 0, or a side that does not fit.
    """
    usual = architecture.references
    if usual is None:
        if number or pixels:
            raise AtlasError(
                f"{architecture.name} takes no reference images; leave out how many and their side"
            )
        return 0, 0
    count = usual.number if number is None else number
    side = usual.pixels if pixels is None else pixels
    if count < 0:
        raise AtlasError(f"{architecture.name}: {count} reference images: there must be at least 0")
    check_size(architecture, side, side)
    return count, side


def chosen(
    architecture: Architecture,
    *,
    frames: int | None = None,
    references: int | None = None,
    reference_pixels: int | None = None,
) -> Architecture:
    """
    Return an architecture whose usual clip and reference images are those asked for.

    What a model does not take is passed over; None leaves the entry's own.

    Raises
    ------
    AtlasError
        for frames or references that it can't take.
    """
    found = architecture
    if found.video is not None:
        found = replace(found, video=replace(found.video, frames=clip_frames(found, frames)))
    if found.references is not None:
        number, pixels = reference_images(found, references, reference_pixels)
        own = replace(found.references, number=number, pixels=pixels)
        found = replace(found, references=own)
    return found


def lengths(architecture: Architecture, prompt: int | None, cap: int | None = None) -> Lengths:
    """
    Return what becomes of a prompt of so many tokens by the pipeline's own rule of padding.

    A longer prompt is cut at the cap, as pipelines do. A negative prompt is taken to be as long.

    Parameters
    ----------
    prompt
        Tokens of the prompt itself; None for one that is as long as the cap.
    cap
        Tokens of the denoiser's text at most, where not the pipeline's own.

    Raises
    ------
    AtlasError
        for a cap that the denoiser or an encoder can't take, or a prompt below 0 tokens.
    """
    text = architecture.text
    if prompt is not None and prompt < 0:
        raise AtlasError(f"a prompt of {prompt} tokens: it must have at least 0")
    if text is None:
        return Lengths(prompt)
    most = text_tokens(architecture, cap)
    whole = most if prompt is None else min(prompt + text.kept, most)
    needed = max(whole, text.least)
    given = padded(needed, most, text.padding)
    return Lengths(
        prompt=prompt,
        denoiser=most if text.padding == "masked" else given,
        attended=given,
        encoders={
            name: _encoded(encoder, encoder_tokens_for(architecture, name, encoder, cap), needed)
            for name, encoder in architecture.text_encoders.items()
        },
    )


def padded(needed: int, cap: int, padding: Padding) -> int:
    """
    Return the tokens that are computed with for a text of so many.

    >>> padded(70, 512, "cap"), padded(70, 512, 16), padded(70, 512, "longest")
    (512, 80, 70)
    """
    if isinstance(padding, int):
        return min(-(-needed // padding) * padding, max(cap, needed))
    return cap if padding == "cap" else needed


def _encoded(encoder: Component, most: int, needed: int) -> int:
    """Return the tokens of an encoder where the denoiser needs so many of a text."""
    return padded(min(encoder.template + needed, most), most, encoder.padding)


def encoder_tokens(
    architecture: Architecture, name: str, encoder: Component, tokens: int | None
) -> int:
    """Return the tokens that a text encoder is given, its usual ones by default, checked."""
    wanted = encoder.tokens if tokens is None else tokens
    most = encoder.most_tokens
    if wanted is None or wanted < 1 or (most is not None and wanted > most):
        raise AtlasError(
            f"{architecture.name}: {wanted} text tokens: its {name} ({encoder.class_name}) takes "
            f"{_span(1, most)} (usually {encoder.tokens})"
        )
    return wanted


def encoder_tokens_for(
    architecture: Architecture, name: str, encoder: Component, text_length: int | None
) -> int:
    """
    Return the tokens of a text encoder where the denoiser is given so many.

    Of several encoders the longest takes what is more or less than usual: FLUX.1's CLIP is always
    given 77 tokens, SD3's 333 are 77 of CLIP and 256 of T5.
    """
    usual = encoder.tokens
    if text_length is None or architecture.text is None or usual is None:
        return encoder_tokens(architecture, name, encoder, None)
    if usual < max(each.tokens or 0 for each in architecture.text_encoders.values()):
        return encoder_tokens(architecture, name, encoder, usual)
    wanted = usual + text_length - architecture.text.cap
    most = encoder.most_tokens
    if most is not None and text_length <= most:
        wanted = min(wanted, most)
    return encoder_tokens(architecture, name, encoder, wanted)


def _span(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least}"
    return f"exactly {most}" if least == most else f"{least} to {most}"
