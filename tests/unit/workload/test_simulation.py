"""The simulator of schedules against schedules that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs import simulation

Cluster, Stage, simulate = simulation.Cluster, simulation.Stage, simulation.simulate

LOCAL = Cluster(nodes=1, cores=2)


def makespan(stages, cluster=LOCAL) -> float:
    return simulate(stages, cluster).makespan


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 8))
def test_equal_jobs_run_in_rounds(jobs, nodes, cores):
    cluster = Cluster(nodes=nodes, cores=cores)
    assert makespan([Stage("a", jobs, 3.0)], cluster) == pytest.approx(
        3.0 * ceil(jobs / (nodes * cores))
    )


def test_jobs_of_two_threads_and_of_much_memory_take_turns():
    assert makespan([Stage("a", 4, 5.0, threads=2)]) == pytest.approx(20)
    full = Cluster(nodes=2, cores=8, mem_mb=1000)
    assert makespan([Stage("a", 4, 5.0, mem_mb=600)], full) == pytest.approx(10)


def test_stages_wait_for_each_other():
    stages = [
        Stage("a", 4, 1.0),
        Stage("b", 1, 10.0, after=("a",)),
        Stage("c", 1, 3.0, after=("a",)),
        Stage("d", 1, 1.0, after=("b", "c")),
    ]
    ended = simulate(stages, LOCAL)
    assert ended.makespan == pytest.approx(13)
    assert ended.spans["c"] == pytest.approx((2, 5))
    assert simulation.longest_chain(stages) == pytest.approx(12)


def test_a_shared_disk_bounds_what_all_read():
    reading = Stage("a", 8, 2.0, read_mb=100.0)
    alone = Cluster(nodes=4, cores=2, disk_mb=1000)
    assert makespan([reading], alone) == pytest.approx(2)
    # eight jobs want 50 MB/s each and get 100 MB/s together
    assert makespan([reading], replace(alone, disk_mb=100)) == pytest.approx(8)
    # a node's network: two jobs of a node get 25 MB/s each
    assert makespan([reading], replace(alone, node_mb=50)) == pytest.approx(4)


def test_who_needs_little_leaves_the_disk_to_others():
    cluster = Cluster(nodes=1, cores=2, disk_mb=100)
    # one wants 10 MB/s, the other would take all: it gets 90
    stages = [Stage("small", 1, 10.0, read_mb=100.0), Stage("large", 1, 0.0, read_mb=450.0)]
    ended = simulate(stages, cluster)
    assert ended.spans["large"][1] == pytest.approx(5)
    assert ended.spans["small"][1] == pytest.approx(10)


def test_submissions_follow_each_other():
    cluster = Cluster(nodes=1, cores=100, submit_seconds=2.0)
    assert makespan([Stage("a", 5, 1.0)], cluster) == pytest.approx(4 * 2 + 1)
    starting = replace(cluster, start_seconds=7.0)
    assert makespan([Stage("a", 5, 1.0)], starting) == pytest.approx(8 + 7 + 1)
    few = Cluster(nodes=1, cores=100, most_jobs=2)
    assert makespan([Stage("a", 5, 1.0)], few) == pytest.approx(3)


def test_what_can_never_run_is_told():
    with pytest.raises(ValueError, match="fits no node"):
        simulate([Stage("a", 1, 1.0, threads=3)], LOCAL)
    with pytest.raises(ValueError, match="wait for each other"):
        simulate([Stage("a", 1, 1.0, after=("b",)), Stage("b", 1, 1.0, after=("a",))], LOCAL)


stages = st.lists(
    st.builds(
        Stage,
        name=st.just(""),
        jobs=st.integers(0, 12),
        seconds=st.floats(0.1, 20),
        read_mb=st.sampled_from([0.0, 5.0, 300.0]),
        threads=st.integers(1, 2),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(stages, st.integers(1, 4), st.data())
def test_no_schedule_beats_its_bounds(drawn, nodes, data):
    chain = [
        replace(stage, name=str(number), after=(str(number - 1),) if number and waits else ())
        for number, stage in enumerate(drawn)
        for waits in [data.draw(st.booleans())]
    ]
    cluster = Cluster(nodes=nodes, cores=2, disk_mb=100, start_seconds=0.5)
    ended = simulate(chain, cluster)
    read = sum(stage.jobs * stage.read_mb for stage in chain)
    slack = 1 + 1e-6
    assert ended.makespan * slack >= simulation.core_seconds(chain) / (2 * nodes)
    assert ended.makespan * slack >= simulation.longest_chain(chain)
    assert ended.makespan * slack >= read / 100
    if any(stage.jobs for stage in chain):
        assert ended.utilisation(cluster) <= slack
    one_after_the_other = sum(
        stage.jobs * (0.5 + max(stage.seconds, stage.read_mb / 100 * 2 * nodes)) for stage in chain
    )
    assert ended.makespan <= one_after_the_other * slack
