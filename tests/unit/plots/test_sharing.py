"""The identity picture: what looks alike is the same, across columns too, and families together."""

from itertools import combinations

import pandas as pd
import pytest

from atlas.plots import grouping, sharing
from atlas.plots.grouping import MANY, TALLEST, grouped
from atlas.plots.layout import LARGEST
from atlas.relations.families import Standing
from drawn_texts import overlapping, text_boxes, texts

MODELS = [f"m-{number:03d}" for number in range(100)]


def pair(a, b, component, same, *, cast=0, ema=""):
    """Return the identity table's row of two models that share some of a hundred tensors."""
    verdict = "identical" if same == 100 else "cast" if cast == 100 else "changed"
    counts = {"identical_tensors": same, "cast_tensors": cast, "tensors": 100}
    return {"a": a, "b": b, "component": component, "verdict": verdict, "raw_is_ema": ema} | counts


def drawn(rows, models):
    """Return the picture of an identity table."""
    return sharing.draw(pd.DataFrame(rows), group="g", models=models, labels={}, base=models[0])


def cells(figure, models):
    """Return what is written beside each model, in the order of columns."""
    found = [text for text, _ in text_boxes(figure)]
    starts = [found.index(model) for model in models]
    ends = [*starts[1:], len(found) + 1]
    return {
        model: found[start + 1 : end - 1]
        for model, start, end in zip(models, starts, ends, strict=True)
    }


def test_two_that_stand_next_to_a_family_do_not_look_alike():
    rows = [pair("a", "b", "vae", 100)]
    rows += [pair(one, other, "vae", 60) for one in "ab" for other in "cd"]
    found = cells(drawn([*rows, pair("c", "d", "vae", 20)], list("abcd")), list("abcd"))
    assert found == {"a": ["A"], "b": ["A"], "c": ["A1 60 %"], "d": ["A2 60 %"]}


def test_two_that_are_the_same_next_to_a_family_look_alike():
    rows = [pair("a", "b", "vae", 100), pair("a", "c", "vae", 100), pair("b", "c", "vae", 100)]
    rows += [pair(one, other, "vae", 60) for one in "abc" for other in "de"]
    found = cells(drawn([*rows, pair("d", "e", "vae", 100)], list("abcde")), list("abcde"))
    assert found["d"] == found["e"] == ["A 60 %"]


def test_two_roundings_of_a_family_do_not_look_alike():
    rows = [pair("a", "b", "vae", 100)]
    rows += [pair(one, other, "vae", 0, cast=100) for one in "ab" for other in "cd"]
    found = cells(drawn([*rows, pair("c", "d", "vae", 0)], list("abcd")), list("abcd"))
    assert (found["c"], found["d"]) == (["A1 ≈"], ["A2 ≈"])


def averaged():
    """Return rows of four models: a's average is the UNet of b and c, d's is nobody's."""
    rows = [
        pair(one, other, "unet", 100 if one + other == "bc" else 0)
        | {"raw_is_ema": "b" if one + other in ("ab", "ac") else ""}
        for one, other in combinations("abcd", 2)
    ]
    return [*rows, pair("a", "d", "ema", 0)]


def test_an_average_that_is_another_models_unet_says_whose():
    figure = drawn(averaged(), list("abcd"))
    found = cells(figure, list("abcd"))
    assert found["b"][0] == found["c"][0] == "A"
    assert found["a"] == ["own", "= UNet A"]
    assert found["d"] == ["own", "own"]
    assert any("this average is A of that column" in text for text in texts(figure))


def test_a_unet_that_only_an_average_shares_gets_a_letter():
    rows = [pair("a", "b", "unet", 0, ema="b"), pair("a", "b", "ema", 0)]
    rows[1]["verdict"] = "only in a"
    assert cells(drawn(rows, ["a", "b"]), ["a", "b"]) == {"a": ["own", "= UNet A"], "b": ["A"]}


def alike_but_for_the_unet(count, families):
    """Return the identity rows of models with UNets of their own and few families of VAE."""
    unets = [pair(a, b, "unet", 0) for a, b in combinations(MODELS[:count], 2)]
    return [*in_families(count, families), *unets]


def test_models_that_look_alike_share_a_row_in_the_name_of_the_base():
    rows, models = alike_but_for_the_unet(20, 3), MODELS[:20]
    figure = sharing.draw(pd.DataFrame(rows), group="g", models=models, labels={}, base=models[4])
    found = texts(figure)
    assert [text for text in found if text in models] == [models[0], models[4], models[2]]
    assert [text.strip() for text in found if " more" in text] == ["and 6 more"] * 2 + [
        "and 5 more"
    ]
    assert found.count("each its own") == 3
    assert any("share a row" in text for text in found)
    assert overlapping(text_boxes(figure)) == []


def test_models_that_differ_in_one_component_have_rows_of_their_own():
    models = MODELS[:20]
    rows = [*in_families(20, 2), *[pair(a, b, "unet", 100) for a, b in combinations(models[:4], 2)]]
    rows += [pair(a, b, "unet", 30) for a in models[:4] for b in models[4:]]
    rows += [pair(a, b, "unet", 20) for a, b in combinations(models[4:], 2)]
    found = [text for text in texts(drawn(rows, models)) if text in models]
    assert set(found) == {*models} - {models[2], models[3]}


def test_few_models_keep_their_rows():
    models = MODELS[:MANY]
    found = [text for text in texts(drawn(in_families(MANY, 2), models)) if text in models]
    assert found == models


def test_a_thousand_rows_have_bounds_and_letters_that_can_be_read():
    places = {f"m{number:03d}": number for number in range(1000)}
    order = grouping.Grouping(tuple(places), "", frozenset())
    assert len(order.blocks(7)) == 7
    assert sum(map(len, order.blocks(7))) == 1000
    assert max(map(order.height, order.blocks(7))) * sharing.ROW < LARGEST
    assert len(order.blocks(30)) == 15


def in_families(count, families):
    """Return the identity rows of so many models, dealt to so many families of one VAE."""
    models = MODELS[:count]
    return [
        pair(one, other, "vae", 100 if (a - b) % families == 0 else 0)
        for (a, one), (b, other) in combinations(enumerate(models), 2)
    ]


def placed(count, families):
    return {
        "vae": {
            model: Standing("ABCDE"[at % families], 1.0, False)
            for at, model in enumerate(MODELS[:count])
        }
    }


def test_rows_of_many_models_stand_by_family():
    found = grouped(placed(20, 3), MODELS[:20])
    assert found.by == "vae"
    assert found.models[:7] == tuple(MODELS[:20:3])
    assert found.starts == {"m-001", "m-002"}


@pytest.mark.parametrize("families", [1, 3])
def test_rows_of_few_models_or_of_one_family_keep_the_rosters_order(families):
    count = MANY if families > 1 else 20
    found = grouped(placed(count, families), MODELS[:count])
    assert (found.by, found.models) == ("", tuple(MODELS[:count]))


def test_families_next_to_a_family_stand_with_it_and_those_alone_last():
    places = {"vae": {model: Standing("A", 1.0, False) for model in MODELS[:10]}}
    places["vae"] |= {model: Standing("B", 1.0, False) for model in MODELS[10:16]}
    places["vae"] |= {MODELS[16]: Standing(None, 1.0, False), MODELS[17]: Standing("A", 0.5, False)}
    order = grouped(places, MODELS[16:19] + MODELS[:16]).models
    assert order[10] == MODELS[17]
    assert order[-2:] == (MODELS[16], MODELS[18]), "the last has no such component"


def test_hundreds_of_rows_stand_in_blocks_side_by_side():
    rows = [pair(a, b, "unet", 60) for a, b in combinations(MODELS, 2)]
    figure = drawn([*in_families(100, 4), *rows], MODELS)
    boxes = text_boxes(figure)
    assert overlapping(boxes) == []
    found = [text for text, _ in boxes]
    assert all(model in found for model in MODELS)
    assert found.count("VAE") == found.count("UNet") == 2
    width, height = figure.get_size_inches()
    assert all(box.x0 > 0 and box.x1 < width * 72 and box.y0 > 0 for _, box in boxes)
    assert height < (TALLEST + 20) * sharing.ROW
