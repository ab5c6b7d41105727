"""The page of a group in a real browser, from disk: linked views, cards, filters, addresses."""

from __future__ import annotations

import numpy as np
import pytest

import browser
import group_pages
from atlas.plots.words import significant

pytestmark = browser.needs_chromium

SIZE = 60
VIEWS = ("map", "tree", "heatmap")
ALL_VIEWS = "#views=map,tree,heatmap"
WINDOW = {"width": 1600, "height": 900}


@pytest.fixture(scope="module")
def chromium():
    with browser.browser() as started:
        yield started


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "atlas.html"
    return group_pages.made(path, SIZE, hurting=True)


def opened(chromium, path, at=ALL_VIEWS, **options):
    """Open a page and wait until all of it is there."""
    watched = browser.opened(chromium, path, at=at, **({"viewport": WINDOW} | options))
    watched.page.locator("body[data-ready]").wait_for()
    return watched


@pytest.fixture
def page(chromium, made):
    """Open the page with all views; its faults fail the test at the end."""
    watched = opened(chromium, made.path)
    yield watched.page
    assert watched.page.evaluate("window.hurt") is None
    assert not watched.errors
    assert not watched.outside
    watched.page.close()


def area(page, view):
    return page.locator(f"[data-view={view}] .view-area")


def spot(page, view, *models):
    """Return where a model, or a pair of the heatmap, is in the window."""
    box = area(page, view).bounding_box()
    place = page.evaluate("([view, models]) => atlas[view](...models)", [view, list(models)])
    return None if place is None else (box["x"] + place[0], box["y"] + place[1])


def looks(page, view):
    """Return a view's picture, to be compared with another."""
    page.wait_for_timeout(60)
    return area(page, view).screenshot()


def settled(page, act):
    """Do something, and wait until the page is in step with it."""
    before = page.evaluate("document.body.dataset.settled")
    act()
    page.wait_for_function("before => document.body.dataset.settled !== before", arg=before)
    page.wait_for_timeout(40)


def row(page, model):
    return page.locator(f".models [data-model='{model}']")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_opens_offline_in_light_and_dark(chromium, made, theme):
    watched = opened(chromium, made.path, color_scheme=theme)
    ground = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (theme == "light")
    assert watched.page.locator(".models li").count() == SIZE
    assert not watched.errors
    assert not watched.outside
    watched.page.close()


@pytest.mark.parametrize("view", VIEWS)
def test_a_model_under_the_cursor_lights_up_everywhere(page, made, view):
    model = made.ids[17]
    settled(page, page.locator("[data-view=tree] button", has_text="open all").click)
    settled(page, row(page, model).click)  # which brings it into sight
    settled(page, row(page, model).click)
    page.evaluate("id => atlas.zoomTo(id, id)", model)
    page.mouse.move(5, 5)
    before = {other: looks(page, other) for other in VIEWS}
    page.mouse.move(*spot(page, view, model, model))
    page.wait_for_timeout(60)
    assert model in page.evaluate("atlas.lit()")
    assert "lit" in row(page, model).locator("..").get_attribute("class")
    for other in VIEWS:
        assert looks(page, other) != before[other], other


def test_a_cell_tells_both_names_and_the_number_of_the_matrix(page, made):
    matrix = made.matrices["unet"][1]
    for one, other in [(3, 8), (40, 12), (25, 26)]:
        page.evaluate("([a, b]) => atlas.zoomTo(a, b)", [made.ids[one], made.ids[other]])
        page.wait_for_timeout(50)
        page.mouse.move(*spot(page, "heatmap", made.ids[one], made.ids[other]))
        card = page.locator(".card")
        card.wait_for()
        told = card.inner_text()
        assert made.labels[one] in told
        assert made.labels[other] in told
        assert significant(matrix.values[one, other]) in told
        lit = page.evaluate("atlas.litIn()")
        assert lit["cell"] == [made.ids[one], made.ids[other]]


def test_every_number_of_every_matrix_is_that_of_the_table(page, made):
    names = list(made.matrices)
    rng = np.random.default_rng(1)
    for component, number in [(name, at) for name in names for at in range(4)]:
        matrix = made.matrices[component][number]
        told = f"#views=heatmap&component={component}&measure={matrix.measure}"
        settled(page, lambda to=told: page.evaluate("hash => (location.hash = hash)", to))
        pairs = rng.integers(0, SIZE, (60, 2))
        texts = page.evaluate(
            "pairs => pairs.map(([one, other]) => atlas.text(one, other))",
            [[made.ids[one], made.ids[other]] for one, other in pairs],
        )
        for (one, other), text in zip(pairs, texts, strict=True):
            value = matrix.values[one, other]
            if matrix.identical[one, other]:
                assert text == "identical"
            elif np.isnan(value):
                assert text == "not compared"
            else:
                distance = 1 - value if matrix.measure == "cosine" else value
                assert text == significant(distance)


def test_the_search_finds_labels_ids_and_tags(page, made):
    search = page.get_by_placeholder("search label, id, tag")
    shown = page.locator(".models li:not([hidden])")
    for text, count in [("model 42 ", 1), ("M0042", 1), ("paint", SIZE // 3), ("nobody", 0)]:
        settled(page, lambda text=text: search.fill(text))
        assert shown.count() == count, text
    assert page.get_by_text("No model is like that.").is_visible()
    search.fill("m0042")
    search.press("Enter")
    assert page.evaluate("atlas.chosen()") == ["m0042"]


def test_filters_leave_models_out_of_all_views_and_are_taken_away_again(page, made):
    choose = page.get_by_label("filter by")
    settled(page, lambda: choose.select_option(label=f"photo · {SIZE // 3}"))
    passing = page.evaluate("atlas.passing()")
    photos = [model for number, model in enumerate(made.ids) if number % 3 == 1]
    assert passing == photos
    assert sorted(page.evaluate("atlas.order()")) == photos
    told = page.evaluate("atlas.rows()")
    assert sum(row if isinstance(row, int) else 1 for row in told) == len(photos)
    settled(page, page.get_by_role("button", name="tag: photo ×").click)
    assert page.evaluate("atlas.passing()") == list(made.ids)


def test_clades_collapse_to_counts_and_open_again(page):
    few = page.locator("[data-view=tree] button", has_text="few")
    settled(page, few.click)
    rows = page.evaluate("atlas.rows()")
    assert len(rows) <= 12 < SIZE
    assert sum(row if isinstance(row, int) else 1 for row in rows) == SIZE
    clade = next(at for at, each in enumerate(rows) if isinstance(each, int))
    box = area(page, "tree").bounding_box()
    high = page.evaluate("document.querySelector('.scroll').offsetHeight") / (len(rows) + 1)
    at = (box["x"] + box["width"] - 60, box["y"] + (clade + 0.5) * high + 2)
    settled(page, lambda: page.mouse.click(*at))
    opened_rows = page.evaluate("atlas.rows()")
    assert len(opened_rows) > len(rows)
    assert sum(row if isinstance(row, int) else 1 for row in opened_rows) == SIZE
    settled(page, page.locator("[data-view=tree] button", has_text="open all").click)
    assert len(page.evaluate("atlas.rows()")) == SIZE


def test_the_card_has_what_the_tables_say(page, made):
    row(page, made.ids[3]).click()
    card = page.locator(".model-card")
    card.wait_for()
    told = card.inner_text()
    assert made.labels[3] in told
    assert "fine-tune of m0000" in told
    assert "6.94 GB on disk" in told
    assert "859,520,964" in told
    values = made.matrices["unet"][1].values[3].copy()
    values[3] = np.inf
    nearest = np.argsort(values, kind="stable")[:5]
    shown = card.locator("[data-neighbour]")
    assert [each.get_attribute("data-neighbour") for each in shown.all()] == [
        made.ids[number] for number in nearest
    ]
    assert significant(values[nearest[0]]) in shown.first.inner_text()


def test_the_card_tells_the_recipe_its_proof_and_what_is_claimed(page, made):
    row(page, made.ids[3]).click()
    told = page.locator(".model-card .recipe")
    told.wait_for()
    text = told.inner_text()
    assert "Recipe: merge" in text
    assert f"0.7 × Model 1 + 0.3 × {group_pages.HURTING}, proved bit for bit" in text
    assert "LoRA of rank 8 baked into the VAE" in text
    assert "roster recipe contradicted: weighted sum of m0001 (m0002 0.3)" in text
    links = told.locator("a")
    addresses = [link.get_attribute("href") for link in links.all()]
    assert addresses == ["recipes.html", "lineage.svg", "recipes"]
    assert page.locator(".model-card img").count() == 0
    settled(page, lambda: page.keyboard.press("Escape"))
    row(page, made.ids[0]).click()
    page.locator(".model-card").wait_for()
    assert page.locator(".model-card .recipe").count() == 0


def test_models_are_filtered_by_what_their_recipe_is(page, made):
    merges = made.ids[3::3]
    choose = page.get_by_label("filter by")
    settled(page, lambda: choose.select_option(label=f"merge · {len(merges)}"))
    assert page.evaluate("atlas.passing()") == list(merges)


def test_what_was_found_of_recipes_stands_on_the_groups_card(page):
    card = page.locator(".group-card")
    card.wait_for()
    assert card.get_by_text("What was made from what").first.is_visible()
    assert group_pages.HURTING in card.locator(".recipes").inner_text()
    assert "recipes.html" in [a.get_attribute("href") for a in card.locator(".links a").all()]


def test_two_models_are_compared_and_change_places(page, made):
    row(page, made.ids[4]).click()
    row(page, made.ids[9]).click(modifiers=["Shift"])
    card = page.locator(".pair-card")
    card.wait_for()
    told = card.inner_text()
    assert made.labels[4] in told
    assert made.labels[9] in told
    for component, matrices in made.matrices.items():
        for matrix in matrices:
            value = matrix.values[4, 9]
            if not matrix.identical[4, 9]:
                distance = 1 - value if matrix.measure == "cosine" else value
                assert significant(distance) in told, (component, matrix.measure)
    settled(page, lambda: page.keyboard.press("x"))
    assert page.evaluate("atlas.chosen()") == [made.ids[9], made.ids[4]]
    settled(page, lambda: page.keyboard.press("Escape"))
    assert page.evaluate("atlas.chosen()") == [made.ids[9]]


def test_tables_are_sorted_and_copied_as_csv(chromium, made):
    watched = browser.opened(chromium, made.path, at=f"#model={made.ids[4]}&with={made.ids[9]}")
    page = watched.page
    page.add_init_script(
        "navigator.clipboard.writeText = async (text) => { window.copied = text; }"
    )
    page.reload()
    page.locator(".pair-card table.sortable").first.wait_for()
    table = page.locator(".pair-card .table").first
    head = table.get_by_role("button", name="L2", exact=True)
    head.click()
    cells = table.locator("tbody tr td:nth-child(2)").all_inner_texts()
    numbers = [float(cell.replace(",", "")) for cell in cells if cell[0].isdigit()]
    assert numbers == sorted(numbers, reverse=True)
    table.get_by_role("button", name="copy CSV").click()
    lines = page.evaluate("window.copied").splitlines()
    assert lines[0].startswith("component,L2,")
    first = next(line for line in lines if line.startswith("unet,"))
    assert float(first.split(",")[1]) == pytest.approx(
        made.matrices["unet"][0].values[4, 9], rel=5e-4
    )
    assert not watched.errors
    page.close()


def test_the_address_holds_what_was_chosen(chromium, page, made):
    page.get_by_label("component", exact=True).select_option(label="VAE")
    page.get_by_label("measure").select_option(label="L2 distance")
    page.get_by_label("filter by").select_option(label=f"anime · {SIZE // 3}")
    page.keyboard.press("Escape")
    row(page, made.ids[3]).click()
    row(page, made.ids[6]).click(modifiers=["Shift"])
    page.locator(".switches button", has_text="tree").click()
    for view in ("map", "heatmap"):
        page.mouse.move(*spot(page, view, made.ids[3], made.ids[6]))
        page.mouse.wheel(0, -400)
    page.wait_for_timeout(300)
    again = opened(chromium, made.path, at=page.evaluate("location.hash"))
    same = [
        "atlas.chosen()", "atlas.passing()", "atlas.order()",
        f"atlas.text('{made.ids[3]}', '{made.ids[6]}')",
        "[...document.querySelectorAll('.view')].map((view) => view.hidden)",
        "[...document.querySelectorAll('.toolbar select')].map((list) => list.selectedIndex)",
    ]  # fmt: skip
    for told in same:
        assert again.page.evaluate(told) == page.evaluate(told), told
    assert "zoom.map=" in page.evaluate("location.hash")
    for told in (f"atlas.map('{made.ids[3]}')", f"atlas.heatmap('{made.ids[3]}', '{made.ids[6]}')"):
        assert again.page.evaluate(told) == pytest.approx(page.evaluate(told), abs=0.1)
    again.page.wait_for_timeout(300)
    assert again.page.evaluate("location.hash") == page.evaluate("location.hash")
    again.page.close()


def test_keys_do_what_the_help_says(page, made):
    body = page.locator("body")
    body.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.press("Escape")
    row(page, made.ids[2]).click()
    settled(page, lambda: body.press("n"))
    first, second = page.evaluate("atlas.chosen()")
    assert first == made.ids[2]
    values = made.matrices["unet"][1].values[2].copy()
    values[2] = np.inf
    assert second == made.ids[int(np.argmin(values))]
    settled(page, lambda: body.press("2"))
    assert page.locator("[data-view=tree]").is_hidden()
    settled(page, lambda: body.press("]"))
    assert page.get_by_label("component", exact=True).input_value() == "1"
    body.press("?")
    page.locator("dialog.help[open]").wait_for()
    page.locator("dialog.help button").click()


def test_hostile_labels_stand_as_text(page, made):
    row(page, made.ids[1]).click()
    card = page.locator(".model-card")
    card.wait_for()
    assert group_pages.HURTING in card.inner_text()
    assert page.locator("img").count() == 0
    for press in page.locator(".switches button").all():
        assert press.is_visible()


def test_of_an_ordered_group_the_path_is_told(chromium, tmp_path):
    made = group_pages.made(tmp_path / "atlas.html", 7, ordered=True)
    watched = opened(chromium, made.path)
    card = watched.page.locator(".group-card")
    told = card.inner_text()
    assert "The path: UNet" in told
    rows = card.locator("table.sortable tbody tr")
    assert rows.count() == 6
    assert rows.nth(1).locator("td").nth(2).inner_text() == "30°"
    assert not watched.errors
    watched.page.close()


@pytest.mark.parametrize("size", [1, 2, 3])
def test_groups_of_few_models_have_a_page(chromium, tmp_path, size):
    made = group_pages.made(tmp_path / "atlas.html", size, distinct={"unet": size})
    watched = opened(chromium, made.path)
    assert watched.page.locator(".models li").count() == size
    assert not watched.errors
    watched.page.close()
