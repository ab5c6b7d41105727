"""Lines to origins and texts beside points, in a real browser: which there are, and where."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import browser
import map_pages
from browser import ready, spot

pytestmark = browser.needs_chromium

COUNT = 40
MOST, LONGEST, SAME = 150, 24, 90
FONT = '11px "DejaVu Sans", Verdana, system-ui, sans-serif'
INK_AT = """([canvas, places]) => {
    const shown = document.querySelector(canvas);
    const context = shown.getContext("2d");
    return places.map(([x, y]) =>
        Math.max(...context.getImageData(x - 1, y - 1, 3, 3).data.filter((_, i) => i % 4 === 3)));
}"""
INKED = """(canvas) => {
    const shown = document.querySelector(canvas);
    const { data } = shown.getContext("2d").getImageData(0, 0, shown.width, shown.height);
    return data.some((value, place) => place % 4 === 3 && value > 0);
}"""


@pytest.fixture(scope="module")
def chromium():
    with browser.browser() as started:
        yield started


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "words.html"
    return path, *map_pages.words(path, COUNT)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "crowded.html"
    return path, *map_pages.words(path, 500)


@pytest.fixture(params=["webgl2", "canvas"])
def words(chromium, made, request):
    """Open the page of words, drawn either way; its faults fail the test at the end."""
    yield from watched(chromium, made[0], f"#renderer={request.param}")


@pytest.fixture
def crowd(chromium, crowded):
    """Open the page of many words."""
    yield from watched(chromium, crowded[0], "")


def watched(chromium, path, at):
    opened = browser.opened(chromium, path, at=at)
    ready(opened)
    yield opened.page
    assert opened.page.evaluate("window.hurt") is None
    assert not opened.errors
    assert not opened.outside
    opened.page.close()


def joined(made, there):
    """Return the lines that there have to be between points of which `there` says who is."""
    _, points, _, origins = made
    ids = points["id"].to_pylist()
    return {
        (ids[point], ids[origin])
        for point, origin in enumerate(origins)
        if origin >= 0 and there[point] and there[origin]
    }


def lines(page):
    """Return the lines that there are, which the frame after next has drawn."""
    page.evaluate("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
    return {tuple(line) for line in page.evaluate("atlas.paths()")}


def middles(page, drawn):
    """Return the pixels amid lines."""
    ends = screens(page, [name for line in drawn for name in line]).reshape(-1, 2, 2)
    return np.rint(ends.mean(axis=1)).astype(int).tolist()


def screens(page, names):
    """Return where points are on the map: (n, 2) pixels."""
    return np.array(page.evaluate("names => names.map((name) => atlas.screen(name))", names))


def model_of(made):
    return np.array(made[1]["model"].to_pylist())


def test_each_point_is_joined_with_the_one_that_it_comes_from(words, made):
    everywhere = joined(made, np.ones(4 * COUNT, bool))
    assert len(everywhere) == 3 * COUNT
    assert lines(words) == everywhere
    drawn = sorted(everywhere)
    assert min(words.evaluate(INK_AT, ["canvas.paths", middles(words, drawn)])) > 0


def test_what_is_hidden_or_switched_off_or_in_another_view_has_no_line(words, made):
    model = model_of(made)
    words.locator("[data-category='tuned 1']").click()
    assert lines(words) == joined(made, model != "tuned 1")
    words.locator("[data-category='base']").click()
    assert lines(words) == joined(made, np.isin(model, ["tuned 2", "tuned 3"]))
    words.get_by_text("show all").click()
    words.get_by_label("model").select_option(label="tuned 2")
    assert lines(words) == set()
    assert not words.evaluate(INKED, "canvas.paths")
    words.get_by_label("model").select_option(label="all")
    words.get_by_label("space").select_option(label="aligned")
    words.wait_for_timeout(600)
    half = joined(made, np.arange(4 * COUNT) >= COUNT // 2)
    assert lines(words) == half
    assert min(words.evaluate(INK_AT, ["canvas.paths", middles(words, sorted(half))])) > 0


def test_the_family_of_the_point_under_the_cursor_is_drawn_strongly(words, made):
    _, points, _, origins = made
    ids = points["id"].to_pylist()
    words.keyboard.press("t")
    for name in ("tuned 3/cat", "base/landscape1"):
        words.mouse.move(2, 2)
        lines(words)
        assert not words.evaluate(INKED, "canvas.overlay")
        words.mouse.move(*spot(words, name))
        hit = words.evaluate("atlas.hovered()")
        lines(words)
        word = hit.split("/", 1)[1]
        family = [(f"{m}/{word}", f"{o}/{word}") for m, o in MODELS.items()]
        assert {(ids[p], ids[origins[p]]) for p in range(COUNT, 4 * COUNT)} >= set(family)
        assert min(words.evaluate(INK_AT, ["canvas.overlay", middles(words, family)])) > 100


MODELS = {"tuned 1": "base", "tuned 2": "base", "tuned 3": "tuned 2"}
"""Which model comes from which."""


def test_a_chosen_point_keeps_its_family_strong_and_lists_it(words):
    words.mouse.click(*spot(words, "tuned 1/solo"))
    word = words.locator(".details h2").inner_text().split("/", 1)[1]
    assert set(words.evaluate("atlas.strong()")) == {f"{model}/{word}" for model in MODELS}
    entries = words.locator(".family button")
    chosen = words.locator(".details h2").inner_text()
    found = [entries.nth(place).get_attribute("data-id") for place in range(entries.count())]
    assert found == [f"{m}/{word}" for m in ("base", *MODELS) if f"{m}/{word}" != chosen]
    entries.first.click()
    assert words.locator(".details h2").inner_text() == found[0]
    words.keyboard.press("Escape")
    assert words.evaluate("atlas.strong()") == []


def test_a_lasso_makes_the_families_of_what_it_holds_strong_and_labels_only_these(words):
    box = words.locator(".map").bounding_box()
    left, top = box["x"] + 2, box["y"] + 2
    middle, bottom = box["x"] + box["width"] / 2, box["y"] + box["height"] - 2
    words.keyboard.press("l")
    words.mouse.move(left, top)
    words.mouse.down()
    for x, y in ((middle, top), (middle, bottom), (left, bottom), (left, top)):
        words.mouse.move(x, y, steps=4)
    words.mouse.up()
    selected = set(words.evaluate("atlas.selected()"))
    assert 10 < len(selected) < 4 * COUNT - 10
    held = {name.split("/", 1)[1] for name in selected}
    assert len(held) < COUNT
    expected = {f"{model}/{word}" for model in MODELS for word in held}
    lines(words)
    assert set(words.evaluate("atlas.strong()")) == expected
    labelled = {label["id"] for label in words.evaluate("atlas.labels()")}
    assert len(labelled) > 5
    assert labelled <= selected


def fits(box, wide):
    return box[0] >= 0 and box[1] >= 0 and box[2] <= wide[0] and box[3] <= wide[1]


def apart(one, other, least=0.0):
    return (
        one[2] + least <= other[0]
        or other[2] + least <= one[0]
        or one[3] + least <= other[1]
        or other[3] + least <= one[1]
    )


def labels(page):
    lines(page)
    return page.evaluate("atlas.labels()")


def size(page):
    box = page.locator(".map").bounding_box()
    return box["width"], box["height"]


@pytest.mark.parametrize("wheel", [0, -500, -1000])
def test_labels_overlap_nowhere_and_stand_beside_their_points(crowd, crowded, wheel):
    box = crowd.locator(".map").bounding_box()
    crowd.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    crowd.mouse.wheel(0, wheel)
    crowd.mouse.move(2, 2)
    found = labels(crowd)
    assert 40 < len(found) <= MOST
    assert all(apart(one["box"], two["box"], 2) for one, two in combinations(found, 2))
    assert all(fits(label["box"], size(crowd)) for label in found)
    word = dict(zip(*(crowded[1][name].to_pylist() for name in ("id", "word")), strict=True))
    places = screens(crowd, [label["id"] for label in found])
    for label, (x, y) in zip(found, places, strict=True):
        left, top, right, bottom = label["box"]
        assert max(left - x, x - right, top - y, y - bottom) < 12
        plain = " ".join(word[label["id"]].split())
        assert label["text"] == plain or label["text"].endswith("…")
        assert plain.startswith(label["text"].removesuffix("…"))
        assert len(label["text"]) <= LONGEST
    amid = [[round((b[0] + b[2]) / 2), round((b[1] + b[3]) / 2)] for b in boxes(found)]
    assert np.mean(np.array(crowd.evaluate(INK_AT, ["canvas.overlay", amid])) > 0) > 0.9


def boxes(found):
    return [label["box"] for label in found]


def test_a_point_without_a_label_has_no_room_for_it_or_the_same_text_near(words, made):
    found = labels(words)
    assert len(found) < MOST
    taken = {label["id"]: label for label in found}
    text = {label["text"]: [] for label in found}
    for label, place in zip(found, screens(words, list(taken)), strict=True):
        text[label["text"]].append(place)
    lacking = 0
    ids, texts = (made[1][name].to_pylist() for name in ("id", "word"))
    for name, word, (x, y) in zip(ids, texts, screens(words, ids), strict=True):
        if name in taken or len(word) > LONGEST or "\n" in word:
            continue
        near = [np.hypot(x - px, y - py) < SAME + 0.1 for px, py in text.get(word, [])]
        rooms = beside(words, word, x, y)
        inner = [room for room in rooms if fits(room, size(words))]
        if len(inner) < 4:
            continue  # it may have its room beyond the edge
        assert any(near) or not any(
            all(apart(room, label["box"], 1.9) for label in found) for room in inner
        )
        lacking += 1
    assert lacking > COUNT


def beside(page, word, x, y):
    """Return the four boxes in which a text may stand."""
    wide = page.evaluate(
        """([text, font]) => {
            const context = document.createElement("canvas").getContext("2d");
            context.font = font;
            return context.measureText(text).width;
        }""",
        [word, FONT],
    )
    gap, half = 11 / 2 + 3, 7
    return [
        [x + gap, y - half, x + gap + wide, y + half],
        [x - gap - wide, y - half, x - gap, y + half],
        [x - wide / 2, y - gap - 2 * half, x + wide / 2, y - gap],
        [x - wide / 2, y + gap, x + wide / 2, y + gap + 2 * half],
    ]


def test_labels_go_along_with_the_map_and_none_flickers(crowd):
    box = crowd.locator(".map").bounding_box()
    crowd.mouse.move(box["x"] + 450, box["y"] + 330)
    crowd.mouse.wheel(0, -600)
    before = {label["id"]: label["box"] for label in labels(crowd)}
    crowd.mouse.down()
    at = np.array([box["x"] + 450, box["y"] + 330])
    for step in ([40, 15], [-90, 30], [10, -77]):
        at = at + step
        crowd.mouse.move(*at)
        after = {label["id"]: label["box"] for label in labels(crowd)}
        dx, dy = step
        moved = {n: [b[0] + dx, b[1] + dy, b[2] + dx, b[3] + dy] for n, b in before.items()}
        stay = {name: each for name, each in moved.items() if fits(each, size(crowd))}
        assert len(stay) > 60
        assert stay.keys() <= after.keys()
        for name, each in stay.items():
            np.testing.assert_allclose(after[name], each, atol=0.01)
        before = after
    crowd.mouse.up()


def test_coming_closer_shows_more_of_the_labels(crowd, crowded):
    ids = crowded[1]["id"].to_pylist()
    crowd.mouse.move(*spot(crowd, "base/solo3"))
    shares = []
    for wheel in (0, -700, -700, -700):
        crowd.mouse.wheel(0, wheel)
        found = labels(crowd)
        places = screens(crowd, ids)
        seen = ((places >= 0) & (places <= size(crowd))).all(axis=1).sum()
        shares.append(len(found) / seen)
    assert shares == sorted(shares)
    assert shares[-1] > 5 * shares[0]


def test_hidden_points_have_no_label_and_make_room(words, made):
    model = dict(zip(*(made[1][name].to_pylist() for name in ("id", "model")), strict=True))
    assert {model[label["id"]] for label in labels(words)} >= {"base"}
    words.locator("[data-category='base']").click()
    kinds = [model[label["id"]] for label in labels(words)]
    assert "base" not in kinds
    assert len(kinds) > 20
    words.get_by_label("model").select_option(label="base")
    assert labels(words) == []


def test_switches_and_keys_turn_them_off_and_the_address_keeps_it(words, chromium, made):
    paths, texts = words.get_by_label("paths"), words.get_by_label("labels")
    assert paths.is_checked()
    assert texts.is_checked()
    paths.click()
    assert lines(words) == set()
    assert words.locator(".paths-key").is_hidden()
    words.keyboard.press("t")  # keys work although a switch has the focus
    assert labels(words) == []
    assert not texts.is_checked()
    assert not words.evaluate(INKED, "canvas.paths")
    assert not words.evaluate(INKED, "canvas.overlay")
    words.wait_for_timeout(300)
    other = browser.opened(chromium, made[0], at=words.evaluate("location.hash"))
    ready(other)
    assert lines(other.page) == set()
    assert labels(other.page) == []
    other.page.keyboard.press("o")
    texts = other.page.get_by_label("labels")
    texts.click()
    assert lines(other.page) == joined(made, np.ones(4 * COUNT, bool))
    assert len(labels(other.page)) > 20
    other.page.wait_for_timeout(300)
    assert "off" not in other.page.evaluate("location.hash")
    assert not other.errors
    other.page.close()


def labelled_by(chromium, path, label):
    """Return the points of a map that is labelled by a column, and the texts on it."""
    points, *_ = map_pages.words(path, 5, 2, label=label, origins=None)
    opened = browser.opened(chromium, path)
    ready(opened)
    texts = {each["text"] for each in labels(opened.page)}
    assert not opened.errors
    opened.page.close()
    return points, texts


def test_ids_may_be_labels(chromium, tmp_path):
    points, texts = labelled_by(chromium, tmp_path / "ids.html", "id")
    assert "base/dog" in texts
    assert texts <= {name[:LONGEST] for name in points["id"].to_pylist()}


def test_numbers_may_be_labels(chromium, tmp_path):
    points, texts = labelled_by(chromium, tmp_path / "numbers.html", "moved")
    moved = points["moved"].to_numpy()
    assert len(texts) > 3
    assert all(np.isclose(moved, float(text), rtol=1e-3).any() for text in texts)
