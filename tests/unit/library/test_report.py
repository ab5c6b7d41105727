"""What is said of a file: in words that hold, and whatever labels and files are called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import factory
from atlas.basis import page
from atlas.checkpoint import open_checkpoint
from atlas.library import packing
from atlas.library.identifying import identify
from atlas.library.index import Index
from atlas.library.report import Report, labels_of

BASE = factory.weights(0)
SCRIPTS = Path(__file__).parents[3] / "scripts" / "library"
HOSTILE = "a\x1b[31m*b*|<script>\n# c"


@pytest.fixture
def told(tmp_path, entries_of):
    """Return a function: the report of a model by a library."""

    def report(weights: factory.Weights, library, name: str = "asked") -> Report:
        folder = factory.diffusers_folder(tmp_path / name, weights)
        entries = entries_of(library)
        opened = open_checkpoint(folder)
        nbytes = sum(file.stat().st_size for file in opened.files)
        found = identify(opened, Index(entries))
        return Report(opened, nbytes, found, labels_of(entries), len(entries))

    return report


def line_of(report: Report, word: str) -> list[str]:
    return [each for each in report.sentences() if each.startswith(f"{word}: ")]


def test_a_duplicate_is_told_first(told):
    report = told(BASE, {"base": BASE, "other": factory.weights(1)})
    assert report.duplicates() == ["base"]
    assert "A duplicate of the base (base): all of it, bit for bit." in report.sentences()[1]


def test_a_cast_is_no_duplicate(told):
    half = {name: value.astype(np.float16) for name, value in BASE.items()}
    report = told(half, {"base": BASE})
    assert report.duplicates() == []
    assert line_of(report, "UNet") == [
        "UNet: rounded to f16, bit for bit, from that of the base (base)"
    ]


def test_a_relative_is_told_with_bounds(told):
    report = told(factory.changed(BASE, 3, "unet/"), {"base": BASE})
    [line] = line_of(report, "UNet")
    assert line.startswith("UNet: nearest is the base (base), relative L2 0.0")
    assert line_of(report, "VAE") == ["VAE: bit for bit that of the base (base)"]


def test_a_recipe_is_by_sketch_and_never_recovered(told):
    models = {"base": BASE} | {f"t{n}": factory.changed(BASE, n + 1, scale=0.1) for n in range(5)}
    merge = {
        key: (0.7 * models["t0"][key] + 0.3 * models["t1"][key]).astype(np.float32) for key in BASE
    }
    report = told(merge, models)
    assert any(
        line.endswith("0.7 the t0 (t0) + 0.3 the t1 (t1)") and "by sketch" in line
        for line in line_of(report, "UNet")
    )
    pages = page.markdown(report.title, report.sentences(), report.sections())
    assert "recovered" not in pages + json.dumps(report.as_json())


def test_hostile_labels_are_shown_and_obeyed_nowhere(told, monkeypatch):
    report = told(factory.changed(BASE, 3), {"base": BASE})
    hostile = Report(
        report.checkpoint, report.nbytes, report.found, {"base": HOSTILE}, report.models, [HOSTILE]
    )
    text = page.markdown(hostile.title, hostile.sentences(), hostile.sections())
    assert not any(sign in text for sign in ("\x1b", "<script>", "*b*|"))
    assert not any(page.CONTROL.search(each) for each in hostile.sentences())


def test_json_has_all_of_it_and_no_path(told, tmp_path):
    report = told(factory.changed(BASE, 3), {"base": BASE})
    text = json.dumps(report.as_json())
    assert str(tmp_path) not in text
    held = {each["component"]: each for each in json.loads(text)["components"]}
    nearest = held["unet"]["nearest"][0]
    bounds = nearest["relative_l2"]
    assert nearest["model"] == "base"
    assert bounds["low"] < bounds["estimate"] < bounds["high"]
    assert held["unet"]["read_bytes"] == held["unet"]["bytes"]


class TestScripts:
    """As `make identify` calls them."""

    @pytest.fixture
    def place(self, tmp_path, entries_of) -> Path:
        packing.write(entries_of({"base": BASE}), tmp_path / "library.parquet")
        factory.diffusers_folder(tmp_path / "files" / "asked", BASE)
        return tmp_path

    @staticmethod
    def called(place: Path, script: str, *words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, SCRIPTS / script, *map(str, words)],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_file_is_told_and_written_down_alike_each_time(self, place):
        words = ("identify.py", "files/asked", "--library", "library.parquet")
        done = self.called(place, *words)
        assert done.returncode == 0, done.stderr
        assert "A duplicate of the base (base)" in done.stdout
        files = [place / "results" / "identify" / f"asked.{kind}" for kind in ("json", "md")]
        first = [file.read_bytes() for file in files]
        assert self.called(place, *words).stdout == done.stdout
        assert [file.read_bytes() for file in files] == first

    def test_a_folder_becomes_a_table(self, place):
        done = self.called(place, "triage.py", "files", "--library", "library.parquet")
        assert done.returncode == 0, done.stderr
        assert "1 checkpoints, 1 of them new: 1 model" in done.stdout
        again = self.called(place, "triage.py", "files", "--library", "library.parquet")
        assert "0 of them new" in again.stdout

    @pytest.mark.parametrize(
        ("words", "answer"),
        [
            (["no.safetensors"], "no such file"),
            (["library.parquet"], "neither a safetensors nor a PyTorch file"),
            (["files/asked", "--library", "none.parquet"], "no such library"),
            (["files/asked", "--library", "files/asked/vae"], "no library"),
            (["files/asked", "--error", "7"], "give a share between 0 and 1"),
        ],
    )
    def test_a_wrong_input_is_one_clear_line(self, place, words, answer):
        if "--library" not in words:
            words = [*words, "--library", "library.parquet"]
        done = self.called(place, "identify.py", *words)
        assert done.returncode == 1
        assert answer in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1

    @pytest.mark.parametrize("script", ["identify.py", "triage.py", "pack_library.py"])
    def test_help_tells_all_options(self, place, script):
        done = self.called(place, script, "--help")
        assert done.returncode == 0
        assert "--library" in done.stdout
