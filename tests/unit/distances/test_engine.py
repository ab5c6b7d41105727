"""The engine reads each content once, checks it, and gives the same bits however it is run."""

from __future__ import annotations

import os
import threading
import tracemalloc

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.distances import engine, plan
from atlas.distances.plan import UNIT
from atlas.fingerprints.elements.files import OpenFiles
from measured import NAME, contents_of, fingerprints, measure


def contents(count: int, size: int = 3 * UNIT + 100, dtype=np.float16) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    base = generator.standard_normal(size)
    return [(base + 0.1 * generator.standard_normal(size)).astype(dtype) for _ in range(count)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Six contents measured by one thread in one chunk."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return measure(folder, contents(6), threads=1, chunk_elements=100 * UNIT)


def assert_same_bits(found, expected):
    for pair, measures in found.items():
        assert measures.tobytes() == expected[pair].tobytes()


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chunk_elements", [UNIT, 2 * UNIT, None])
def test_threads_and_chunks_change_no_bit(tmp_path, undisturbed, threads, chunk_elements):
    found = measure(tmp_path, contents(6), threads=threads, chunk_elements=chunk_elements)
    assert_same_bits(found, undisturbed)


def test_the_company_of_other_contents_changes_no_bit(tmp_path, undisturbed):
    assert_same_bits(measure(tmp_path, contents(6)[:2]), undisturbed)


def test_the_order_in_the_cache_changes_no_bit(tmp_path, undisturbed, monkeypatch):
    monkeypatch.setattr(plan, "CACHED_CONTENTS", 2)
    assert_same_bits(measure(tmp_path, contents(6)), undisturbed)


def test_smaller_jobs_change_no_bit(tmp_path, undisturbed):
    assert_same_bits(measure(tmp_path, contents(6), most_contents=4), undisturbed)


def test_every_byte_is_read_once(tmp_path, monkeypatch):
    read = []
    plain = OpenFiles.read
    monkeypatch.setattr(
        OpenFiles, "read", lambda *given: read.append(len(given[3])) or plain(*given)
    )
    held = fingerprints(tmp_path, {f"m{i}": {NAME: each} for i, each in enumerate(contents(5))})
    read.clear()
    run(held)
    assert sum(read) == 5 * contents(1)[0].nbytes


def run(given, **settings):
    """Measure what the fingerprints hold."""
    held = contents_of(given, shard=0, count=1)
    settings = {"threads": 2, "memory_bytes": 10**8} | settings
    memory = {key: settings[key] for key in ("threads", "memory_bytes")}
    most = engine.most_contents(["f64"], **memory)
    jobs = (
        job for name in sorted(held) for job in plan.missing(name, held[name], most_contents=most)
    )
    return list(engine.measure(jobs, **settings))


def test_jobs_come_back_in_order(tmp_path):
    generator = np.random.default_rng(0)
    sizes = {f"unet/{n:02d}": size for n, size in enumerate([5 * UNIT, 3, 1, 2 * UNIT, 0, 7])}
    models = {
        model: {name: generator.standard_normal(size).astype(dtype) for name, size in sizes.items()}
        for model, dtype in (("a", np.float32), ("b", np.float16))
    }
    found = run(fingerprints(tmp_path, models), threads=3)
    assert [job.name for job, _ in found] == sorted(sizes)
    assert (found[4][1] == 0).all()  # nothing differs between tensors without elements


@pytest.mark.parametrize("memory_bytes", [2 * 10**6, 8 * 10**6])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_work_keeps_to_the_memory(tmp_path, monkeypatch, threads, memory_bytes):
    monkeypatch.setattr(engine, "LEAST_MEMORY", 10**6)
    models = {f"m{i}": {NAME: each} for i, each in enumerate(contents(24, 20 * UNIT))}
    given = fingerprints(tmp_path, models)
    tracemalloc.start()
    run(given, threads=threads, memory_bytes=memory_bytes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= memory_bytes + 10**6  # what the plan itself takes


@pytest.mark.parametrize("place", [0, 2 * UNIT, -1])
def test_other_weights_than_the_fingerprints_are_refused(tmp_path, place):
    arrays = contents(4)
    given = fingerprints(tmp_path, {f"m{i}": {NAME: each} for i, each in enumerate(arrays)})
    raw = bytearray((tmp_path / "m2").read_bytes())
    raw[3 + 2 * place if place >= 0 else place] ^= 1
    (tmp_path / "m2").write_bytes(raw)
    with pytest.raises(AtlasError, match=r"m2: unet/x holds other weights than when"):
        run(given, threads=2, chunk_elements=UNIT)


def test_a_truncated_file_is_named_and_no_thread_waits_for_it(tmp_path):
    before = threading.active_count()  # other tests' progress bars may have one
    arrays = contents(4)
    given = fingerprints(tmp_path, {f"m{i}": {NAME: each} for i, each in enumerate(arrays)})
    os.truncate(tmp_path / "m1", 2 * UNIT + 50)
    with pytest.raises(AtlasError, match=r"m1: ends at byte"):
        run(given, threads=3, chunk_elements=UNIT)
    assert threading.active_count() == before


def test_a_read_error_is_named(tmp_path, monkeypatch):
    given = fingerprints(tmp_path, {f"m{i}": {NAME: each} for i, each in enumerate(contents(3))})

    def fail(descriptor, buffers, offset):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(AtlasError, match=r"m\d: can't be read at byte \d+ \(Input/output error\)"):
        run(given)


def test_the_device_must_be_there():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        assert isinstance(engine.kernel_for("cuda"), engine.Kernel)
    else:
        with pytest.raises(AtlasError, match="torch finds no GPU here; set it to cpu"):
            engine.kernel_for("cuda")


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_torch_measures_the_same(tmp_path, dtype, monkeypatch):
    from atlas.distances import cuda

    monkeypatch.setattr(cuda, "PAIR_ELEMENTS", 5 * UNIT)
    arrays = contents(5, dtype=dtype)
    by_torch = measure(tmp_path, arrays, kernel=cuda.TorchKernel("cpu"))
    by_numba = measure(tmp_path, arrays)
    for pair, measures in by_torch.items():
        np.testing.assert_allclose(measures, by_numba[pair], rtol=1e-6)


class FaultyBuffers:
    """Hands out a buffer to all threads but one, as where memory is bounded."""

    def __init__(self, plain, unlucky: int) -> None:
        self._plain, self._unlucky = plain, unlucky
        self._turn, self._asked, self._failed = threading.Lock(), 0, threading.Event()

    def __call__(self, size: int) -> np.ndarray:
        """Return a buffer, or to the unlucky one raise MemoryError; others wait for that."""
        with self._turn:
            number, self._asked = self._asked, self._asked + 1
        if number == self._unlucky:
            self._failed.set()
            raise MemoryError
        assert self._failed.wait(timeout=60)
        return self._plain(size)


@pytest.mark.parametrize("unlucky", [0, 1])
def test_where_memory_is_short_the_job_ends_and_no_thread_waits(tmp_path, monkeypatch, unlucky):
    before = threading.active_count()  # other tests' progress bars may have one
    given = fingerprints(tmp_path, {f"m{i}": {NAME: each} for i, each in enumerate(contents(4))})
    faulty = FaultyBuffers(engine.aligned_empty, unlucky)
    monkeypatch.setattr(engine, "aligned_empty", faulty)
    ended = []

    def measure_all() -> None:
        with pytest.raises(AtlasError, match="lower distances › memory_mb or threads"):
            run(given, threads=3, chunk_elements=UNIT)
        ended.append(True)

    worker = threading.Thread(target=measure_all, daemon=True)
    worker.start()
    worker.join(timeout=60)
    assert ended
    assert threading.active_count() == before
