"""Architectures that never were, with formulas made up, for tests of bounds and of the page."""

from __future__ import annotations

from fractions import Fraction

from atlas.macs.formulas import ATTENDED, MOVED, Formula
from atlas.macs.polynomials import Polynomial, made
from atlas.macs.subjects import PROMPTS, Subject, Text

HOSTILE = "</script><img src=x onerror='window.hurt = 1'> & \"co\""


def polynomial(*factors: int | Fraction) -> Polynomial:
    """Return a polynomial by its coefficients of 1, n, t, n², n·t, t²."""
    terms = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    return made({term: Fraction(factor) for term, factor in zip(terms, factors, strict=False)})


def denoiser(scale: int, *, steps: tuple[int, int] = (1, 1)) -> Formula:
    """Return a denoiser of a transformer's form."""
    return Formula(
        component="transformer",
        class_name="MadeUpTransformer",
        call="forward",
        variable="image tokens",
        image={
            "convolution": polynomial(0, 7 * scale),
            "linear": polynomial(10**9, 10**6 * scale, 10**6 * scale),
            "attention": polynomial(0, 0, 0, 2**14 * scale, 2**15 * scale, 2**14 * scale),
            "other matmul": polynomial(5),
            MOVED: polynomial(1000, 40000 * scale, 40000 * scale),
            ATTENDED: polynomial(0, 9000 * scale, 9000 * scale),
        },
        shared={"other matmul": polynomial(0, 3, 3)},
        weights=2 * 10**9 * scale,
        parameters=2 * 10**9 * scale,
        buffers=1234,
        largest=10**7 * scale,
        half=[(Fraction(9000), Fraction(3, 2)), (Fraction(100), Fraction(40000 * scale, 3))],
        single=[(Fraction(18000), Fraction(3)), (Fraction(200), Fraction(80000 * scale, 3))],
        steps=steps,
        checked=("208 x 80 pixels, 65 text tokens, batch 2",),
    )


def encoder(name: str, scale: int) -> Formula:
    """Return a text encoder."""
    return Formula(
        component=name,
        class_name="MadeUpEncoder",
        call="forward",
        variable="text tokens",
        image={
            "linear": polynomial(0, 10**8 * scale),
            "attention": polynomial(0, 0, 0, 4096),
            MOVED: polynomial(0, 9999),
        },
        weights=10**8 * scale,
        parameters=10**8 * scale,
        largest=10**6,
        half=[(Fraction(10), Fraction(500))],
        single=[(Fraction(20), Fraction(1000))],
        side_multiple=0,
    )


def vae() -> Formula:
    """Return a decoder."""
    return Formula(
        component="vae",
        class_name="MadeUpVae",
        call="decode",
        variable="latent pixels",
        image={
            "convolution": polynomial(0, 3 * 10**8),
            "attention": polynomial(0, 0, 0, Fraction(3, 2)),
            MOVED: polynomial(0, 12345),
            ATTENDED: polynomial(0, 2048),
        },
        weights=5 * 10**7,
        parameters=8 * 10**7,
        largest=10**6,
        half=[(Fraction(0), Fraction(98304))],
        single=[(Fraction(0), Fraction(196608))],
    )


def subject(name: str, label: str, scale: int, **changes: object) -> Subject:
    """Return an architecture with two text encoders and a VAE."""
    given: dict[str, object] = {
        "kind": "MMDiT",
        "native": (1024, 1024),
        "multiple": 16,
        "largest": 4096,
        "downsampling": 8,
        "patch": 2,
        "steps": 28,
        "forwards": 2,
        "decodes_in_f32": False,
        "texts": {
            prompt: Text(512 if prompt is None else prompt + 7, {"text_encoder": 77, "two": 300})
            for prompt in PROMPTS
        },
        "formulas": (
            denoiser(scale, steps=(32, 32)),
            encoder("text_encoder", scale),
            encoder("two", 3 * scale),
            vae(),
        ),
    }
    return Subject(name=name, label=label, **(given | changes))  # type: ignore[arg-type]


def subjects() -> list[Subject]:
    """Return a few that differ in all that matters; one has a hostile label, one a problem."""
    broken = Formula("unet", "Broken", "forward", "", problem=f"it can't be run: {HOSTILE}")
    return [
        subject("plain", "Plain", 1),
        subject("hostile", HOSTILE, 4, decodes_in_f32=True, steps=50, note=HOSTILE),
        subject("large", "Large", 9, forwards=1, loaded={"two": 9 * 10**9}, multiple=64),
        subject("calls", "Calls", 2, in_calls=True),
        subject("broken", "Broken", 1, formulas=(broken,)),
        subject(
            "pixels",
            "Pixels",
            1,
            texts=dict.fromkeys(PROMPTS, Text(0, {})),
            formulas=(denoiser(1),),
        ),
    ]
