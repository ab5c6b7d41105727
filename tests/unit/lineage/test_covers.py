"""What holds of parents that are named for the parts of a child."""

from atlas.lineage.covers import Slot, by_parent, cover


def test_every_slot_has_one_of_its_candidates_and_rows_have_different_ones():
    slots = [
        Slot("unet", 0, frozenset("ab")), Slot("unet", 1, frozenset("abc")),
        Slot("vae", 0, frozenset("cd")), Slot("text", 0, frozenset("d")),
    ]  # fmt: skip
    found = cover(slots, str)
    assert all(parent in slot.candidates for slot, parent in found.items())
    assert found[slots[0]] != found[slots[1]]
    assert by_parent(found)["d"] == [slots[2], slots[3]]


def test_wish_comes_before_the_one_that_fits_more():
    slots = [Slot("unet", 0, frozenset("ab")), Slot("vae", 0, frozenset("a"))]
    assert cover(slots, str, wished=["b"])[slots[0]] == "b"


def test_order_of_slots_does_not_count():
    slots = [Slot(row, place, frozenset("abc")) for row in "xyz" for place in range(2)]
    assert cover(slots, str) == cover(slots[::-1], str)
