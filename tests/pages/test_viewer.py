"""The viewer in a real browser, from disk: what it hits, filters, selects and shares."""

from __future__ import annotations

import numpy as np
import pytest

import browser
import map_pages
from browser import ready, spot

pytestmark = browser.needs_chromium

MANY = 50_000
REACH = 20
"""Pixels within which the cursor finds a point."""


@pytest.fixture(scope="module")
def chromium():
    with browser.browser() as started:
        yield started


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "many.html"
    return path, *map_pages.many(path, MANY)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return map_pages.small(tmp_path_factory.mktemp("small"))


@pytest.fixture
def small(chromium, made):
    """Open the page with all there is; its faults fail the test at the end."""
    watched = browser.opened(chromium, made[0])
    ready(watched)
    yield watched
    assert watched.page.evaluate("window.hurt") is None
    assert not watched.errors
    assert not watched.outside
    watched.page.close()


@pytest.mark.parametrize("how", ["webgl2", "canvas"])
def test_the_cursor_hits_the_nearest_visible_point_at_every_zoom(chromium, many, how):
    path, classes, xy = many
    watched = browser.opened(chromium, path, at=f"#renderer={how}")
    page, box = watched.page, ready(watched)
    assert page.evaluate("atlas.renderer") == how
    page.locator("[data-category='class 2']").click()
    rng = np.random.default_rng(4)
    shown = np.flatnonzero(classes != 2)
    cursors = 200 if how == "webgl2" else 20
    hits = 0
    for wheel in (0, -900, -900):
        page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.5)
        if wheel:
            page.mouse.wheel(0, wheel)
        page.wait_for_timeout(50)
        camera = page.evaluate("atlas.camera()")
        scale, middle = camera["scale"], np.array(camera["middle"])
        for at in rng.uniform(0, 1, (cursors, 2)) * (box["width"], box["height"]):
            at = np.floor(at) + 0.5
            page.mouse.move(box["x"] + at[0], box["y"] + at[1])
            on_map = middle + (at - (box["width"] / 2, box["height"] / 2)) * (1, -1) / scale
            far = np.linalg.norm(xy[shown].astype(np.float64) - on_map, axis=1)
            expected = f"p{shown[far.argmin()]}" if far.min() <= REACH / scale else None
            hits += expected is not None
            assert page.evaluate("atlas.hovered()") == expected
    assert 0.2 * 3 * cursors < hits < 3 * cursors
    assert not watched.errors
    assert not watched.outside
    page.close()


def test_both_ways_to_draw_show_the_points_in_their_colours(chromium, many):
    path, *_ = many
    pictures = []
    for how in ("webgl2", "canvas"):
        watched = browser.opened(chromium, path, at=f"#renderer={how}")
        box = ready(watched)
        page = watched.page
        page.wait_for_timeout(300)
        clip = {side: box[side] for side in ("x", "y", "width", "height")}
        pictures.append(pixels(page.screenshot(clip=clip)))
        page.close()
    for picture in pictures:
        inked = (picture.max(axis=2).astype(int) - picture.min(axis=2) > 40).mean()
        assert inked > 0.05
    assert np.abs(pictures[0].astype(int) - pictures[1]).mean() < 12


def pixels(png):
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_the_card_shows_image_and_columns_and_stays_in_the_window(small):
    page = small.page
    names = [f"m/{number:03d}" for number in range(0, 59, 4)]
    for name in names:
        x, y = spot(page, name)
        page.mouse.move(x, y)
        hovered = page.evaluate("atlas.hovered()")
        box = page.locator(".card").bounding_box()
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= 1200
        assert box["y"] + box["height"] <= 800
        assert page.locator(".card .id").inner_text() == hovered
    assert page.locator(".card .sprite").count() == 1
    assert "height in metres" in page.locator(".card").inner_text()
    page.mouse.move(5, 5)
    assert page.locator(".card").is_hidden()


def test_neighbours_are_those_of_the_activations_not_of_the_map(small, made):
    page, activations = small.page, made[1]
    for number in (0, 17, 42):
        name = f"m/{number:03d}"
        page.evaluate("name => { location.hash = `point=${encodeURIComponent(name)}` }", name)
        page.locator(".details h2", has_text=name).wait_for()
        apart = np.linalg.norm(activations - activations[number], axis=1)
        nearest = np.argsort(apart)[1 : map_pages.K + 1]
        expected = [map_pages.HOSTILE if place == 59 else f"m/{place:03d}" for place in nearest]
        entries = page.locator(".neighbours button")
        found = [entries.nth(i).get_attribute("data-id") for i in range(entries.count())]
        assert found == expected
        told = [float(text) for text in page.locator(".neighbours .far").all_inner_texts()]
        np.testing.assert_allclose(told, apart[nearest], rtol=1e-3)
        assert page.locator(".details h3").all_inner_texts() == ["Nearest among all"]
    entries.first.click()
    page.locator(".details h2", has_text=expected[0]).wait_for()


def test_what_the_legend_hides_is_grey_and_not_hit(small):
    page = small.page
    before = page.evaluate("atlas.status('m/002')")
    assert before == 3
    word = page.evaluate("""() => {
        const rows = [...document.querySelectorAll('.categories button')];
        return rows.map((row) => row.dataset.category);
    }""")
    assert word[1:3] == ["digit 9", "digit 10"]  # numbers in texts are sorted as numbers
    x, y = spot(page, "m/002")
    page.mouse.move(x, y)
    assert page.evaluate("atlas.hovered()") == "m/002"
    own = page.locator(".card dd").nth(1).inner_text()
    page.locator(f"[data-category={own!r}]").click()
    assert page.evaluate("atlas.status('m/002')") == 2
    page.mouse.move(x + 1, y)
    page.mouse.move(x, y)
    assert page.evaluate("atlas.hovered()") != "m/002"
    page.get_by_text("show all").click()
    assert page.evaluate("atlas.status('m/002')") == 3
    page.locator(f"[data-category={own!r}]").dblclick()
    statuses = [page.evaluate("n => atlas.status(n)", f"m/{n:03d}") for n in range(59)]
    assert set(statuses) <= {1, 2, 3}
    assert statuses[2] == 3
    assert statuses.count(2) > 20


def test_a_switch_takes_the_others_away(small):
    page = small.page
    page.get_by_label("model").select_option(label="one")
    statuses = [page.evaluate("n => atlas.status(n)", f"m/{n:03d}") for n in range(59)]
    assert all((status == 0) == (n % 2 == 0) for n, status in enumerate(statuses))


def test_a_range_of_a_number_filters(small):
    page = small.page
    page.get_by_label("colour").select_option(label="height in metres")
    page.get_by_label("height in metres from").fill("50")
    page.get_by_label("height in metres from").press("Enter")
    assert page.evaluate("atlas.status('m/002')") == 2
    assert page.evaluate("atlas.status('m/050')") == 3
    assert page.evaluate("atlas.status('m/000')") == 2  # has no height


def test_a_lasso_selects_what_is_inside_and_saves_the_ids(small, tmp_path):
    page = small.page
    box = page.locator(".map").bounding_box()
    middle = box["x"] + box["width"] / 2
    expected = set()
    for number in range(60):
        name = map_pages.HOSTILE if number == 59 else f"m/{number:03d}"
        x, _ = spot(page, name)
        if x < middle - 0.5:
            expected.add(name)
    left, top = box["x"] + 2, box["y"] + 2
    bottom = box["y"] + box["height"] - 2
    page.keyboard.press("l")
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((middle, top), (middle, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    assert set(page.evaluate("atlas.selected()")) == expected
    assert 5 < len(expected) < 58
    with page.expect_download() as waiting:
        page.get_by_text("Save ids").click()
    waiting.value.save_as(tmp_path / "ids.txt")
    assert set((tmp_path / "ids.txt").read_text().splitlines()) == expected
    page.keyboard.press("Escape")
    assert page.evaluate("atlas.selected()") == []


def test_search_finds_ids_and_texts_and_enter_goes_through_them(small):
    page = small.page
    page.keyboard.press("/")
    page.keyboard.type("M/01")
    assert page.locator(".found").inner_text() == "10 found"
    page.keyboard.press("Enter")
    assert page.locator(".details h2").inner_text() == "m/010"
    page.keyboard.press("Enter")
    assert page.locator(".details h2").inner_text() == "m/011"
    page.keyboard.press("Shift+Enter")
    assert page.locator(".details h2").inner_text() == "m/010"


def test_the_address_holds_all_and_restores_it(small, chromium, made):
    page = small.page
    page.get_by_label("layer").select_option(label="up")
    page.locator("[data-category='digit 10']").click()
    x, y = spot(page, "m/020")
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    page.keyboard.press("/")
    page.keyboard.type("m/02")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    address = page.evaluate("location.hash")
    other = browser.opened(chromium, made[0], at=address)
    ready(other)
    for said in ("atlas.camera()", "atlas.status('m/003')", "atlas.screen('m/020')"):
        assert close(other.page.evaluate(said), page.evaluate(said)), said
    for place in (".details h2", ".note", ".found", ".legend"):
        assert other.page.locator(place).inner_text() == page.locator(place).inner_text()
    assert other.page.get_by_label("layer").input_value() == "1"
    other.page.evaluate("location.hash = ''")
    other.page.locator(".note", has_text="of mid").wait_for()
    assert not other.errors
    other.page.close()


def close(one, other):
    """Tell whether two things are the same but for the digits that an address has."""
    if isinstance(one, dict):
        return all(close(one[key], other[key]) for key in one)
    return np.allclose(one, other, rtol=1e-3, atol=0.6)


def test_an_address_that_makes_no_sense_is_passed_over(chromium, made):
    bad = "#view.layer=none&colour=constructor&hide.__proto__=[1,&zoom=a,b&lasso=1,2&point=x&%E0%A4"
    watched = browser.opened(chromium, made[0], at=bad)
    ready(watched)
    assert watched.page.locator(".note").inner_text() == "of mid"
    assert not watched.errors
    watched.page.close()


def test_keys_do_what_the_dialog_says(small):
    page = small.page
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_hidden()
    scale = page.evaluate("atlas.camera().scale")
    page.keyboard.press("+")
    assert page.evaluate("atlas.camera().scale") == pytest.approx(1.4 * scale)
    middle = page.evaluate("atlas.camera().middle")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("atlas.camera().middle")[0] > middle[0]
    page.keyboard.press("0")
    assert page.evaluate("atlas.camera().scale") == pytest.approx(scale)
    page.keyboard.press("]")
    assert page.locator(".note").inner_text() == "of up"
    page.keyboard.press("c")
    assert "height in metres" in page.locator(".legend h2").inner_text()


def test_hostile_texts_stand_as_texts(small):
    page = small.page
    assert map_pages.HOSTILE in page.locator("h1").inner_text()
    assert page.locator(".head p").inner_text() == map_pages.HOSTILE
    assert map_pages.HOSTILE in page.locator(".categories").inner_text()
    page.evaluate("name => { location.hash = `point=${encodeURIComponent(name)}` }",
                  map_pages.HOSTILE)  # fmt: skip
    page.locator(".details h2", has_text=map_pages.HOSTILE).wait_for()
    assert page.locator("img").count() == 0


def test_a_map_without_origins_and_labels_has_no_switches_for_them(small):
    page = small.page
    page.keyboard.press("o")
    page.keyboard.press("t")
    assert page.locator(".toolbar input[type=checkbox]").count() == 0
    assert page.locator("canvas.paths").count() == 0
    assert page.locator(".paths-key").is_hidden()
    assert page.evaluate("[atlas.paths(), atlas.strong(), atlas.labels()]") == [[], [], []]


def test_dark_is_dark_and_light_is_light(small):
    page = small.page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.keyboard.press("d")
    assert light == "rgb(255, 255, 255)"
    assert page.evaluate(ground) == "rgb(18, 22, 31)"


def test_a_narrow_window_has_nothing_beside_it(chromium, made):
    watched = browser.opened(chromium, made[0], viewport={"width": 400, "height": 700})
    ready(watched)
    wide = watched.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 400
    watched.page.close()
