"""What the page to ask is told: subjects, GPUs and settings as JSON has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from atlas.macs.bounds import MODES, PARTS, PRECISIONS, part_of
from atlas.macs.devices import Caching, Device
from atlas.macs.formulas import KINDS, Formula
from atlas.macs.polynomials import Polynomial
from atlas.macs.subjects import PROMPTS, Subject

FIRST = ("sd15", "sdxl", "sd35_large", "flux1_dev", "qwen_image", "z_image", "sana_1600m")
"""Architectures that are seen first, those of them that there are."""
FEW = 7
"""So many are seen first where none of these is there."""
FIRST_DEVICE = "rtx_4090"


def facts(
    subjects: Sequence[Subject], devices: Sequence[Device], caching: Iterable[Caching]
) -> dict[str, Any]:
    """Return all that the page knows; whole numbers that may be large are texts."""
    known = [subject.name for subject in subjects]
    first = [name for name in FIRST if name in known] or known[:FEW]
    names = [device.name for device in devices]
    return {
        "subjects": [_subject(each) for each in subjects],
        "devices": [_device(each) for each in devices],
        "caching": [
            {
                "name": way.name,
                "label": way.label,
                "work": way.work,
                "source": way.source,
                "certain": way.certain,
            }
            for way in caching
        ],
        "precisions": [{"name": name, **told.__dict__} for name, told in PRECISIONS.items()],
        "prompts": [prompt_name(prompt) for prompt in PROMPTS],
        "parts": list(PARTS),
        "kinds": list(KINDS),
        "modes": list(MODES),
        "start": {
            "chosen": first,
            "device": FIRST_DEVICE if FIRST_DEVICE in names else names[0],
        },
    }


def prompt_name(prompt: int | None) -> str:
    """Return how a prompt's length is called in the page and its address."""
    return "cap" if prompt is None else str(prompt)


def _device(device: Device) -> dict[str, Any]:
    rates = {dtype: device.rate(dtype) for dtype in ("f32", "f16", "bf16", "f8")}
    return {
        "name": device.name,
        "label": device.label,
        "bytes": device.memory_bytes,
        "bandwidth": 1e9 * device.bandwidth_gb_per_s,
        "rates": rates,
        "source": device.source,
        "certain": device.certain,
    }


def _subject(subject: Subject) -> dict[str, Any]:
    text = subject.texts[None]
    return {
        "name": subject.name,
        "label": subject.label,
        "kind": subject.kind,
        "native": list(subject.native),
        "multiple": subject.multiple,
        "largest": subject.largest,
        "downsampling": subject.downsampling,
        "patch": subject.patch,
        "steps": subject.steps,
        "forwards": subject.forwards,
        "upcasts": subject.decodes_in_f32,
        "isSquare": subject.is_square,
        "inCalls": subject.in_calls,
        "note": subject.note,
        "problem": subject.problem,
        "texts": {
            prompt_name(prompt): {"denoiser": told.denoiser, "encoders": dict(told.encoders)}
            for prompt, told in subject.texts.items()
        },
        "formulas": [
            _formula(formula, part_of(subject, formula, text), subject.parameters(formula))
            for formula in subject.formulas
        ],
    }


def _formula(formula: Formula, part: str, loaded: int) -> dict[str, Any]:
    return {
        "component": formula.component,
        "class": formula.class_name,
        "call": formula.call,
        "part": part,
        "told": formula.told(),
        "variable": formula.variable,
        "padded": list(formula.steps),
        "checked": list(formula.checked),
        "memory": formula.memory_problem,
        "weights": formula.weights,
        "parameters": loaded,
        "buffers": formula.buffers,
        "largest": formula.largest,
        "image": _table(formula.image),
        "shared": _table(formula.shared),
        "half": _lines(formula.half),
        "single": _lines(formula.single),
    }


def _table(table: Mapping[str, Polynomial]) -> dict[str, Any]:
    return {quantity: _polynomial(polynomial) for quantity, polynomial in table.items()}


def _polynomial(polynomial: Polynomial) -> dict[str, Any]:
    """Return a common denominator, and numerators by powers of n and t, as texts."""
    below = lcm(*(factor.denominator for factor in polynomial.coefficients.values()))
    return {
        "below": str(below),
        "terms": [[*term, str(int(factor * below))] for term, factor in polynomial.ordered()],
    }


def _lines(lines: Sequence[tuple[Fraction, Fraction]]) -> list[list[str]]:
    """Return lines (a + b·n) / below as texts."""
    found = []
    for start, slope in lines:
        below = lcm(start.denominator, slope.denominator)
        found.append([str(below), str(int(start * below)), str(int(slope * below))])
    return found
