"""Digests of blocks: copies, casts and what they were cast from, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.fingerprints.elements.digests import digest_of
from atlas.library.identities import (
    AS_IS,
    FORMS,
    Named,
    bare_digests,
    forms_between,
    forms_worth_taking,
    named_digests,
)

KINDS = {"f32": np.float32, "f16": np.float16}
VALUES = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


def digest(values: np.ndarray, dtype: str) -> str:
    made = digest_of(dtype, values.shape)
    made.update(values.tobytes())
    return made.hexdigest()


def held(names: str = "abcd", dtype: str = "f32", values: np.ndarray = VALUES) -> list[Named]:
    """Return tensors of these names, one a row, with the digests that a fingerprint foretells."""
    tensors = []
    for name, row in zip(names, values, strict=True):
        digests: dict[str, str | None] = dict.fromkeys(FORMS)
        stored = row.astype(KINDS[dtype])
        digests[AS_IS] = digests[dtype] = digest(stored, dtype)
        if dtype == "f32":
            digests["f16"] = digest(row.astype(np.float16), "f16")
        tensors.append(Named(name, dtype, digests))
    return tensors


def test_copies_are_equal_as_they_are():
    assert (AS_IS, AS_IS) in forms_between(named_digests(held()), named_digests(held()))


def test_a_cast_is_told_from_what_it_was_cast_from():
    wide, narrow = named_digests(held()), named_digests(held(dtype="f16"))
    assert forms_between(narrow, wide) == [(AS_IS, "f16")]
    assert forms_between(wide, narrow) == [("f16", AS_IS)]


@given(st.permutations(range(4)))
def test_the_order_of_tensors_changes_nothing(order):
    shuffled = [held()[place] for place in order]
    assert named_digests(shuffled) == named_digests(held())
    assert bare_digests(shuffled) == bare_digests(held())


def test_other_names_are_other_places_and_the_same_contents():
    assert not forms_between(named_digests(held("abcd")), named_digests(held("abce")))
    assert bare_digests(held("abcd")) == bare_digests(held("wxyz"))


def test_exchanged_tensors_are_not_a_copy():
    exchanged = held(values=VALUES[[1, 0, 2, 3]])
    assert not forms_between(named_digests(held()), named_digests(exchanged))
    assert forms_between(bare_digests(held()), bare_digests(exchanged))


@pytest.mark.parametrize("place", range(4))
def test_one_changed_element_is_noticed(place):
    values = VALUES.copy()
    values[place, 3] = np.nextafter(values[place, 3], np.float32(9))
    assert not forms_between(named_digests(held()), named_digests(held(values=values)))


def test_nothing_is_the_same_as_nothing():
    assert named_digests([]) == (None,) * len(FORMS)
    assert forms_between(named_digests([]), named_digests([])) == []


def test_what_was_not_foretold_is_not_known():
    narrow = named_digests(held(dtype="f16"))
    assert narrow[FORMS.index("f32")] is None
    assert narrow[FORMS.index("bf16")] is None


def test_dtypes_are_rounded_to_where_others_may_be_casts():
    assert forms_worth_taking(["f32"], ["f16", "bf16"]) == {"f16", "bf16"}
    assert forms_worth_taking(["f16"], ["f32", "bf16"]) == {"bf16"}
    assert forms_worth_taking(["f32"], ["f8_e4m3fn"]) == set()
