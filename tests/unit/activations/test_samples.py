"""What is random about a sample depends on the dataset's seed and the sample's number alone."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from atlas.activations.samples import Batch, batches, seed_of, uniform

SEEDS = st.integers(0, 2**40)
INDICES = st.integers(0, 2**20)


@given(seed=SEEDS, index=INDICES, others=st.lists(INDICES, max_size=4), place=st.integers(0, 4))
def test_noise_depends_on_seed_and_index_alone(seed, index, others, place):
    alone = Batch(seed, (index,)).noise((2, 3))[0]
    among = (*others[:place], index, *others[place:])
    row = len(others[:place])
    assert torch.equal(Batch(seed, among).noise((2, 3))[row], alone)


def test_noise_does_not_touch_torchs_own_generator():
    torch.manual_seed(5)
    first = torch.rand(3)
    torch.manual_seed(5)
    Batch(1, (0, 1)).noise((4,))
    assert torch.equal(torch.rand(3), first)


def test_other_seeds_indices_and_purposes_give_other_noise():
    drawn = [
        Batch(seed, (index,)).noise((8,), purpose)
        for seed in (0, 1)
        for index in (0, 1)
        for purpose in ("noise", "noise of step 1")
    ]
    assert len({tuple(value.flatten().tolist()) for value in drawn}) == len(drawn)


def test_noise_is_unit_noise():
    noise = Batch(3, tuple(range(40))).noise((50, 50))
    assert noise.dtype == torch.float32
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    # neighbours are strangers
    rows = noise.flatten(1)
    assert torch.corrcoef(rows).fill_diagonal_(0).abs().max() < 0.1


@given(seed=SEEDS, index=INDICES)
def test_seeds_fit_torchs_generators(seed, index):
    assert 0 <= seed_of(seed, index, "noise") < 2**63


def test_uniform_numbers_fill_the_range_evenly():
    numbers = torch.tensor([uniform(0, index, "label") for index in range(4000)])
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = torch.histc(numbers, bins=10, min=0, max=1)
    assert ((counts - 400).abs() < 100).all()


@given(start=st.integers(0, 60), count=st.integers(1, 60), size=st.integers(1, 20))
def test_batches_lie_on_one_grid_and_cover_what_is_asked(start, count, size):
    stop = start + count
    drawn = batches(start, stop, size=size, seed=4)
    covered = [index for batch in drawn for index in batch.indices]
    assert set(range(start, stop)) <= set(covered)
    assert covered == list(range(covered[0], covered[0] + len(covered)))
    assert all(len(batch) == size and batch.indices[0] % size == 0 for batch in drawn)
    assert all(batch.seed == 4 for batch in drawn)
    # none is drawn for nothing
    assert all(start <= max(batch.indices) and min(batch.indices) < stop for batch in drawn)


@given(chunks=st.integers(1, 12), size=st.integers(1, 9))
def test_chunks_draw_a_sample_in_the_same_batch(chunks, size):
    whole = {index: batch for batch in batches(0, 40, size=size, seed=0) for index in batch.indices}
    for start in range(0, 40, chunks):
        stop = min(start + chunks, 40)
        for batch in batches(start, stop, size=size, seed=0):
            for index in set(batch.indices) & set(range(start, stop)):
                assert whole[index] == batch
