"""The page to ask in a real browser: its numbers are the tables', it is offline and faultless."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from urllib.parse import quote

import pytest

import browser
import explorer_subjects
from atlas.basis.errors import AtlasError
from atlas.macs import asked, devices
from atlas.macs.bounds import PRECISIONS, Question, answer
from atlas.macs.subjects import PROMPTS
from atlas.pages import explorer_page

pytestmark = browser.needs_chromium

GPUS, CACHING = devices.read()
SUBJECTS = explorer_subjects.subjects()
ALL = " ".join(subject.name for subject in SUBJECTS)
SIZES = ((1024, 1024), (64, 192), (1344, 768), (2048, 2048), (1000, 1000), (8192, 64))
GUIDANCES = {"own": None, "one": False, "two": True}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    explorer_page.write(path, asked.facts(SUBJECTS, list(GPUS.values()), CACHING.values()))
    return path


def questions(count: int) -> list[dict[str, str]]:
    """Return questions of all kinds, some of them impossible."""
    grid = itertools.product(
        SIZES, (0, 4, 30), PROMPTS, (1, 3), GUIDANCES, PRECISIONS, GPUS, ("none", *CACHING)
    )
    names = ("steps", "prompt", "batch", "guidance", "precision", "device", "caching")
    return [
        {"of": ALL, "width": str(size[0]), "height": str(size[1])}
        | {name: asked.prompt_name(value) if name == "prompt" else str(value)
           for name, value in zip(names, rest, strict=True)}
        for size, *rest in random.Random(3).sample(list(grid), count)
    ]  # fmt: skip


def at(question: dict[str, str]) -> str:
    return "#" + "&".join(f"{name}={quote(value)}" for name, value in question.items())


def asked_of(told: dict[str, str]) -> Question:
    return Question(
        width=int(told["width"]),
        height=int(told["height"]),
        batch=int(told["batch"]),
        prompt=None if told["prompt"] == "cap" else int(told["prompt"]),
        steps=int(told["steps"]) or None,
        guidance=GUIDANCES[told["guidance"]],
        precision=told["precision"],
        work=1.0 if told["caching"] == "none" else CACHING[told["caching"]].work,
    )


def test_its_numbers_are_those_of_the_tables(page):
    with browser.browser() as chromium:
        watched = browser.opened(chromium, page)
        watched.page.locator("body[data-ready]").wait_for()
        for told in questions(60):
            watched.page.evaluate("hash => { location.hash = hash; }", at(told))
            watched.page.wait_for_function(
                "wanted => wanted.every(each => explorer.address().includes(each))",
                arg=[f"{name}={told[name]}" for name in ("width", "steps", "device", "prompt")],
            )
            answers = {each["name"]: each for each in watched.page.evaluate("explorer.answers()")}
            assert set(answers) == set(ALL.split())
            for subject in SUBJECTS:
                _compare(answers[subject.name], subject, told)
    assert not watched.errors
    assert not watched.outside


def _compare(shown, subject, told):
    try:
        found = answer(subject, asked_of(told), GPUS[told["device"]])
    except AtlasError:
        assert shown["fault"]
        assert "imageMacs" not in shown
        return
    assert not shown["fault"]
    assert int(shown["imageMacs"]) == found.image_macs
    assert int(shown["stepMacs"]) == found.step_macs
    assert shown["memory"] == found.memory
    if found.image_bound is None:
        assert shown["seconds"] is None
        return
    assert shown["seconds"] == pytest.approx(found.image_bound.seconds, rel=1e-12)
    assert shown["step"] == pytest.approx(found.bounds["denoiser"].seconds, rel=1e-12)
    assert shown["limit"] == found.image_bound.limit


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1400])
def test_it_is_offline_faultless_and_no_wider_than_the_window(page, theme, width):
    with browser.browser() as chromium:
        watched = browser.opened(
            chromium,
            page,
            at=f"#of={quote(ALL)}",
            viewport={"width": width, "height": 900},
            color_scheme=theme,
        )
        opened = watched.page
        opened.locator("body[data-ready]").wait_for()
        assert opened.get_by_text(explorer_subjects.HOSTILE).count() >= 4, "as text"
        assert opened.evaluate("window.hurt") is None
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        assert opened.locator(".bars li").count() == 3 * len(SUBJECTS)
        for details in opened.locator("details").all():
            details.locator("summary").click()
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 31)"}[theme]
    assert not watched.errors
    assert not watched.outside


def test_what_is_chosen_is_in_the_address_and_comes_back(page):
    with browser.browser() as chromium:
        opened = browser.opened(chromium, page).page
        opened.locator("body[data-ready]").wait_for()
        opened.get_by_label("GPU", exact=True).select_option(label="L40S")
        opened.get_by_label("steps", exact=True).fill("12")
        opened.get_by_label("steps", exact=True).press("Enter")
        opened.get_by_label("prompt", exact=True).select_option(label="64 tokens")
        opened.get_by_role("checkbox", name="Large").uncheck()
        opened.wait_for_function("() => location.hash.includes('l40s')")
        opened.wait_for_function("() => !location.hash.includes('large')")
        before = opened.evaluate("explorer.answers()")
        other = browser.opened(chromium, page, at=opened.evaluate("location.hash"))
        other.page.locator("body[data-ready]").wait_for()
        assert other.page.evaluate("explorer.answers()") == before
        assert other.page.get_by_label("steps", exact=True).input_value() == "12"


@pytest.mark.parametrize(
    "hash_", ["#device=nope&width=-5&batch=1e9&of=nobody", "#%E0%A4%A&steps=abc", "#mode=&split=x"]
)
def test_an_address_that_can_not_be_is_left_aside(page, hash_):
    with browser.browser() as chromium:
        watched = browser.opened(chromium, page, at=hash_)
        watched.page.locator("body[data-ready]").wait_for()
        assert "device=rtx_4090" in watched.page.evaluate("explorer.address()")
        assert "width=1024" in watched.page.evaluate("explorer.address()")
    assert not watched.errors


def test_keys_change_what_is_asked(page):
    with browser.browser() as chromium:
        opened = browser.opened(chromium, page).page
        opened.locator("body[data-ready]").wait_for()
        for key, part in (("n", "size=native"), ("m", "mode=by_component"), ("s", "split=kind")):
            opened.keyboard.press(key)
            assert part in opened.evaluate("explorer.address()")
        opened.keyboard.press("0")
        assert "size=same" in opened.evaluate("explorer.address()")
        opened.keyboard.press("d")
        assert opened.evaluate("document.documentElement.dataset.theme") == "dark"


def test_what_does_not_fit_is_told(page):
    with browser.browser() as chromium:
        opened = browser.opened(chromium, page, at="#of=large&device=rtx_3060_12gb").page
        opened.locator("body[data-ready]").wait_for()
        assert opened.locator(".bars li.over").count() == 1
        opened.get_by_label("weights", exact=True).select_option(label="one layer at a time")
        assert opened.locator(".bars li.over").count() == 0


def test_the_formula_and_its_check_are_shown(page):
    with browser.browser() as chromium:
        opened = browser.opened(chromium, page, at="#of=plain").page
        opened.locator("body[data-ready]").wait_for()
        opened.locator("summary").click()
        shown = opened.locator("details").inner_text()
    assert SUBJECTS[0].denoiser.told() in shown
    assert "padded to multiples of 32 and 32" in shown
    assert "208 x 80 pixels, 65 text tokens, batch 2" in shown
