"""Text that is added to YAML: in its place, and nothing else moves."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.roster.insertion import insert

NEW = {"new": {"path": "n: [1].pt"}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "# top\nmodels:\n    a:\n        path: a.pt  # mine\n\n# two\ngroups: {}\n",
            "# top\nmodels:\n    a:\n        path: a.pt  # mine\n    new:\n"
            "      path: 'n: [1].pt'\n\n# two\ngroups: {}\n",
        ),
        (
            "models:\n  a: {path: a.pt, tags: [x,\n    y]} # mine\n",
            "models:\n  a: {path: a.pt, tags: [x,\n    y]} # mine\n  new:\n    path: 'n: [1].pt'\n",
        ),
        ("models: {a: {path: a} }", "models: {a: {path: a}, new: {path: 'n: [1].pt'} }\n"),
        ("models: {}\n", "models: {new: {path: 'n: [1].pt'}}\n"),
        ("models:\ngroups: {}\n", "models:\n  new:\n    path: 'n: [1].pt'\ngroups: {}\n"),
        ("groups: {}\n", "groups: {}\nmodels:\n  new:\n    path: 'n: [1].pt'\n"),
        (
            "models:\n  a:\n    label: |\n      one\n      two\ngroups: {}\n",
            "models:\n  a:\n    label: |\n      one\n      two\n  new:\n    path: 'n: [1].pt'\n"
            "groups: {}\n",
        ),
    ],
)
def test_a_mapping_takes_entries_in_whatever_form_it_is_written(text, told):
    assert insert(text, ("models",), NEW) == told


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ("\n    - a\n    - b # mine\n", "\n    - a\n    - b # mine\n    - c\n"),
        ("\n      - a", "\n      - a\n      - c\n"),
        (" [a, b] # mine\n", " [a, b, c] # mine\n"),
        (" [a, b,]\n", " [a, b, c,]\n"),
        (" []\n", " [c]\n"),
        (" [a,\n  b\n  ]\n", " [a,\n  b, c\n  ]\n"),
    ],
)
def test_a_list_takes_entries_in_whatever_form_it_is_written(members, told):
    start = "groups:\n  all:\n    models:"
    assert insert(start + members, ("groups", "all", "models"), ["c"]) == start + told


names = st.text("abcxyz", min_size=1, max_size=3)
words = st.text(max_size=5)


@settings(max_examples=50)
@given(
    there=st.dictionaries(names, st.dictionaries(names, words, min_size=1), min_size=1, max_size=3),
    content=st.dictionaries(st.text("def", min_size=1), words, min_size=1, max_size=2),
    flow=st.sampled_from([True, False, None]),
    indent=st.integers(2, 6),
)
def test_what_is_read_is_both_whatever_was_written(there, content, flow, indent):
    document = {"models": there, "other": 1}
    text = yaml.safe_dump(document, default_flow_style=flow, indent=indent, allow_unicode=True)
    before = yaml.safe_load(text)
    after = yaml.safe_load(insert(text, ("models",), content))
    assert after == before | {"models": before["models"] | content}
