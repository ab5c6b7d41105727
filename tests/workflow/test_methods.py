"""A changed result of a rule raises the rule's number."""

from pathlib import Path

import pytest

import golden
import pocket_atlas
import reports
from golden import Result
from workflow_runs import Atlas

NUMBERS = golden.read(golden.NUMBERS)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Return the small atlas, made by a real run."""
    return golden.run(tmp_path_factory.mktemp("golden"))


@pytest.mark.slow
def test_results_are_the_golden_ones(atlas: Atlas) -> None:
    found = golden.results(atlas)
    assert set(found) == set(NUMBERS) - set(golden.WITHOUT)
    faults = golden.faults(found, golden.read(golden.KEPT), NUMBERS)
    assert not faults, "\n".join(faults)


@pytest.mark.slow
def test_the_report_has_all_pictures_and_pages_each_with_its_caption(atlas: Atlas) -> None:
    options = pocket_atlas.options(atlas)
    report = reports.make(atlas, *pocket_atlas.TARGETS, options=options, **pocket_atlas.SETTINGS)
    assert report.shown("results/architectures/") == {
        *("pocket_unet.png", "pocket_dit.png", "overview.png", "summary.csv", "summary.html")
    }
    assert report.shown("results/macs/") >= {"summary.html", "image_cost.png"}
    assert {"unet.html", "vae.html"} == report.shown("results/groups/published/matrices/")
    kinds: dict[str, set[str]] = {}
    for path, result in report.results.items():
        name = path.rpartition("/")[2]
        if name.endswith(".png"):
            kind = name.split(".")[-2] if "/plots/" in path else path.split("/")[1]
            kind += name if "identity" in name or "overview" in name else ""
            kind += next((each for each in ("recipes", "lineage") if each in path), "")
            kinds.setdefault(kind, set()).add(result["caption"])
    assert {"heatmap", "tree", "map", "spectral", "line"} < set(kinds)
    assert all(len(captions) == 1 for captions in kinds.values()), "one for each kind"
    assert len({min(captions) for captions in kinds.values()}) == len(kinds), "and no other's"
    assert "What was found" in report.introduction


@pytest.mark.slow
def test_a_second_run_of_everything_has_nothing_to_do(atlas: Atlas) -> None:
    options = pocket_atlas.options(atlas)
    again = atlas.run(*pocket_atlas.TARGETS, options=options, **pocket_atlas.SETTINGS)
    # `macs` shows its findings in every run.
    assert again.jobs == {"macs": 1}


ARCHITECTURES = {
    "summarise_architectures",
    "draw_architectures",
    "check_entries",
    "architectures",
}
MACS = {"summarise_macs", "draw_macs", "check_entries", "macs"}
FORMULAS = {"fit_macs", "bound_times", "write_explorer"}
WITHOUT_NAMES = {
    *golden.WITHOUT,
    *("import_matrices", "profile_additions", "reproduce_published_macs"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("facts", "old", "new", "rerun"),
    [
        (
            "atlas/pocket_dit.yaml",
            "steps: 10",
            "steps: 11",
            {"profile_macs", "profile_additions", *FORMULAS, *ARCHITECTURES, *MACS},
        ),
        (
            "workflow/config/published/macs.yaml",
            "steps: 3",
            "steps: 4",
            {"reproduce_published_macs", *MACS},
        ),
        (
            "workflow/config/names/kinds.yaml",
            "kinds:",
            "kinds :",
            {"groups", "recipes", "lineage", *ARCHITECTURES, *MACS, *set(NUMBERS) - WITHOUT_NAMES},
        ),
        (
            "workflow/config/calls/arguments.yaml",
            "timesteps: {shape: [batch]}",
            "timesteps: {shape: [batch, 1]}",
            {
                *("profile_macs", "profile_additions", "reproduce_published_macs"),
                *FORMULAS,
                *ARCHITECTURES,
                *MACS,
            },
        ),
        ("workflow/config/architectures/cogview4.yaml", "steps: 50", "steps: 51", {"macs"}),
    ],
)
def test_edited_facts_rerun_what_reads_them(
    atlas: Atlas, facts: str, old: str, new: str, rerun: set[str]
) -> None:
    file = atlas.folder.parent / facts
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    options = pocket_atlas.options(atlas, "--dry-run")
    planned = atlas.run(*pocket_atlas.TARGETS, options=options, **pocket_atlas.SETTINGS)
    file.write_text(text)
    assert set(planned.jobs) == rerun


def test_rules_without_a_digest_exist() -> None:
    assert set(golden.WITHOUT) < set(NUMBERS)


KEPT = {
    "read": {"method": 1, "digest": "a"},
    "add": {"method": 1, "digest": "b"},
    "draw": {"method": 2, "digest": "c"},
}
AS_KEPT = {"read": 1, "add": 1, "draw": 2}


def found(**digests: str) -> dict[str, Result]:
    """Return results of three rules, each of which reads the one before."""
    before = {"read": set(), "add": {"read"}, "draw": {"add"}}
    return {
        rule: Result(digests.get(rule, KEPT[rule]["digest"]), frozenset(before[rule]))
        for rule in KEPT
    }


def test_nothing_is_told_where_all_agrees() -> None:
    assert golden.faults(found(), KEPT, AS_KEPT) == []


def test_a_changed_result_asks_for_its_rules_number_and_for_no_other() -> None:
    (told,) = golden.faults(found(add="x", draw="y"), KEPT, AS_KEPT)
    assert told.startswith("results of add changed: raise add in rules/methods.yaml")
    assert "python tests/golden.py --fix" in told


def test_every_rule_that_changed_by_itself_is_told() -> None:
    told = golden.faults(found(read="x", draw="y"), KEPT, AS_KEPT)
    assert [text.split()[2] for text in told] == ["draw", "read"]


def test_a_raised_number_leaves_the_golden_file_to_be_renewed() -> None:
    raised = AS_KEPT | {"add": 2}
    for results in (found(), found(add="x"), found(add="x", draw="y")):
        (told,) = golden.faults(results, KEPT, raised)
        assert told.startswith("methods.golden.yaml is old for add")


def test_new_and_removed_rules_leave_it_to_be_renewed() -> None:
    new = found() | {"sort": Result("d")}
    assert "old for sort" in golden.faults(new, KEPT, AS_KEPT | {"sort": 1})[0]
    gone = {rule: result for rule, result in found().items() if rule != "draw"}
    assert "old for draw" in golden.faults(gone, KEPT, AS_KEPT)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.30000000000000004", "0.3"),
        ("-1.2345678e-09,7", "-1.23457e-09,7"),
        ("up_blocks.0.1.weight, 128, v1.2.3", "up_blocks.0.1.weight, 128, v1.2.3"),
    ],
)
def test_digits_beyond_the_sixth_do_not_count(text: str, expected: str) -> None:
    assert golden.rounded(text) == expected


def test_of_a_picture_texts_and_kinds_of_elements_count(tmp_path: Path) -> None:
    drawn = '<svg xmlns="http://www.w3.org/2000/svg"><text x="{}">a</text>{}</svg>'
    texts = []
    for number, content in enumerate([(1, ""), (2, ""), (1, "<path/>")]):
        file = tmp_path / f"{number}.svg"
        file.write_text(drawn.format(*content))
        texts.append(golden.text_of(file))
    assert texts[0] == texts[1] != texts[2]
