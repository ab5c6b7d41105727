"""Other counters beside the figure of record: explained, failing, leaving nothing behind."""

import pytest
import torch

from atlas.architectures.counting import count
from atlas.macs import counters
from atlas.macs.counters import Call, thop_macs
from meta_modules import REMEMBERED, arguments_of, built

CALLS = [
    ("sana_600m", "transformer", None),
    ("sana_600m", "text_encoder", None),
    ("sana_600m", "vae", "decode"),
    ("qwen_image", "transformer", None),
    ("qwen_image", "text_encoder", None),
    ("qwen_image", "vae", "encode"),
    ("kandinsky3", "unet", None),
    ("kandinsky3", "text_encoder", None),
    ("kandinsky3", "vae", "decode"),
    ("lumina2", "transformer", None),
]
"""Components with layers of every kind; those of Stable Diffusion are in test_profile.py."""


def compared(architecture: str, component: str, method: str | None) -> dict[str, counters.Compared]:
    module, arguments = (
        built(architecture, component),
        arguments_of(architecture, component, method),
    )
    counted = count(module, arguments, method=method, remembered=REMEMBERED)
    found = counters.compare(module, arguments, method, counted, REMEMBERED)
    return {each.counter: each for each in found}


@pytest.mark.parametrize(("architecture", "component", "method"), CALLS)
def test_other_counters_are_explained(
    architecture: str, component: str, method: str | None
) -> None:
    found = compared(architecture, component, method)
    assert list(found) == ["FlopCounterMode", "thop", "torchinfo"]
    for each in found.values():
        assert not each.problem
        assert each.macs
        assert each.unexplained == 0, each


def test_a_counter_that_raises_says_so_and_the_rest_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: object) -> int:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(counters, "thop_macs", broken)
    found = compared("sd15", "text_encoder", None)
    assert found["thop"].problem == "ZeroDivisionError: no such luck"
    assert found["thop"].macs is None
    assert found["torchinfo"].macs
    assert not found["torchinfo"].problem


def test_thop_leaves_nothing_behind_even_where_it_fails() -> None:
    call = counters.Call(built("sd15", "text_encoder"), None, {}).eval()

    def held() -> list[object]:
        return [
            (dict(part._forward_hooks), dict(part._buffers), part.training)
            for part in call.modules()
        ]

    before = held()
    with pytest.raises(ValueError, match="input_ids"):
        counters.thop_macs(call)
    assert held() == before
    call.kwargs = arguments_of("sd15", "text_encoder", None)
    with torch.no_grad():
        assert counters.thop_macs(call) == counters.thop_macs(call) > 0
    assert held() == before


def test_a_counted_module_is_left_in_the_mode_it_was_in() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 4, device="meta")).eval()
    thop_macs(Call(module, None, {"input": torch.empty(2, 3, device="meta")}))
    assert not module.training
    assert not module[0].training
