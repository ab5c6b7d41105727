"""
Simulate a schedule: jobs with cores and memory on nodes that share one disk.

A fluid model, event by event. A job first starts, then reads and computes at once, as the jobs
stream: its progress is bounded by its processor's time and by its share of the disk. The disk is
shared max-min fairly: who needs less than an equal share leaves the rest to the others.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

EPSILON = 1e-9


@dataclass(frozen=True)
class Stage:
    """Jobs of one rule that are alike."""

    name: str
    jobs: int
    seconds: float
    """Of each, on its cores, where the disk is no limit."""
    read_mb: float = 0.0
    """MB (10^6 bytes) that each reads from the shared disk."""
    threads: int = 1
    mem_mb: float = 0.0
    after: tuple[str, ...] = ()
    """Stages all of whose jobs must have ended."""


@dataclass(frozen=True)
class Cluster:
    """Nodes that are alike, what they share, and the process that submits."""

    nodes: int
    cores: int
    mem_mb: float = inf
    """Of each node."""
    disk_mb: float = inf
    """MB a second that all nodes read together."""
    node_mb: float = inf
    """MB a second that one node reads: its network."""
    submit_seconds: float = 0.0
    """Between two submissions."""
    start_seconds: float = 0.0
    """From a job's submission to its first work."""
    most_jobs: float = inf
    """Jobs that may be submitted at once."""


@dataclass(frozen=True)
class Ended:
    """A schedule that was simulated."""

    makespan: float
    """Seconds."""
    core_seconds: float
    """Of cores that jobs held."""
    spans: Mapping[str, tuple[float, float]]
    """Stage to the start of its first job and the end of its last."""

    def utilisation(self, cluster: Cluster) -> float:
        """Return the share of all cores' time that jobs held."""
        return self.core_seconds / (self.makespan * cluster.nodes * cluster.cores)


class _Fluid:
    """Jobs of one stage that run: all progress at one rate, so they end in order of start."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.progress = 0.0
        self.rate = 0.0
        self.ends: list[tuple[float, int, int, float]] = []
        """Progress at which each ends, its number, its node, and when it was submitted."""

    @property
    def wanted_mb(self) -> float:
        """MB a second of each job where the disk is no limit."""
        if not self.stage.read_mb:
            return 0.0
        return self.stage.read_mb / self.stage.seconds if self.stage.seconds else inf

    def next_end(self) -> float:
        """Return the seconds until the next job ends, if the rate stays."""
        if not self.ends:
            return inf
        return max(0.0, self.ends[0][0] - self.progress) / self.rate if self.rate else inf


def simulate(stages: Sequence[Stage], cluster: Cluster) -> Ended:
    """
    Return when all jobs have ended, each started as soon as it may.

    Stages are served in their order, jobs placed on the first node with room.

    Raises
    ------
    ValueError
        Where a job fits no node, or stages wait for each other.
    """
    return _Simulation(stages, cluster).run()


class _Simulation:
    def __init__(self, stages: Sequence[Stage], cluster: Cluster) -> None:
        for stage in stages:
            if stage.threads > cluster.cores or stage.mem_mb > cluster.mem_mb:
                raise ValueError(f"{stage.name} fits no node")
        self.cluster = cluster
        self.stages = list(stages)
        self.fluids = {stage.name: _Fluid(stage) for stage in stages}
        self.waiting = {stage.name: stage.jobs for stage in stages}
        self.unfinished = dict(self.waiting)
        self.cores = [cluster.cores] * cluster.nodes
        self.memory = [cluster.mem_mb] * cluster.nodes
        self.readers = [0] * cluster.nodes
        self.starting: list[tuple[float, int, str, int, float]] = []
        self.now = self.core_seconds = self.may_submit = 0.0
        self.submitted = self.count = 0
        self.spans: dict[str, tuple[float, float]] = {}

    def run(self) -> Ended:
        while any(self.unfinished.values()):
            self._submit()
            self._share()
            step = min(
                self._until_start(),
                self._until_submission(),
                min(fluid.next_end() for fluid in self.fluids.values()),
            )
            if step == inf:
                raise ValueError("stages wait for each other")
            self._advance(step)
        return Ended(self.now, self.core_seconds, self.spans)

    def _is_ready(self, stage: Stage) -> bool:
        return all(map(self._is_over, stage.after))

    def _is_over(self, name: str) -> bool:
        """Tell whether a stage holds nobody up: one without jobs passes on what it waits for."""
        stage = self.fluids[name].stage
        return not self.unfinished[name] and (stage.jobs > 0 or self._is_ready(stage))

    def _submit(self) -> None:
        """Submit what fits, in order of stages."""
        for stage in self.stages:
            while self.waiting[stage.name] and self._is_ready(stage):
                if self.now < self.may_submit - EPSILON:
                    return
                node = self._node_for(stage)
                if node is None or self.submitted >= self.cluster.most_jobs:
                    break
                self._place(stage, node)

    def _node_for(self, stage: Stage) -> int | None:
        for node in range(self.cluster.nodes):
            if self.cores[node] >= stage.threads and self.memory[node] >= stage.mem_mb:
                return node
        return None

    def _place(self, stage: Stage, node: int) -> None:
        self.cores[node] -= stage.threads
        self.memory[node] -= stage.mem_mb
        self.waiting[stage.name] -= 1
        self.submitted += 1
        self.count += 1
        self.may_submit = max(self.now, self.may_submit) + self.cluster.submit_seconds
        begins = self.now + self.cluster.start_seconds
        heapq.heappush(self.starting, (begins, self.count, stage.name, node, self.now))
        first, last = self.spans.get(stage.name, (self.now, self.now))
        self.spans[stage.name] = first, last

    def _until_start(self) -> float:
        return max(0.0, self.starting[0][0] - self.now) if self.starting else inf

    def _until_submission(self) -> float:
        """Return the seconds until the head process may submit, if there is what it could."""
        left = self.may_submit - self.now
        has_more = any(self.waiting[stage.name] and self._is_ready(stage) for stage in self.stages)
        return left if has_more and left > EPSILON else inf

    def _share(self) -> None:
        """Share the disk max-min fairly among the stages' running jobs."""
        running = [fluid for fluid in self.fluids.values() if fluid.ends]
        left = min(self.cluster.disk_mb, self.cluster.node_mb * sum(map(bool, self.readers)))
        jobs = sum(len(fluid.ends) for fluid in running if fluid.wanted_mb)
        for fluid in sorted(running, key=lambda fluid: fluid.wanted_mb):
            stage = fluid.stage
            if not fluid.wanted_mb:
                fluid.rate = 1 / stage.seconds if stage.seconds else inf
                continue
            given = min(fluid.wanted_mb, left / jobs)
            fluid.rate = given / stage.read_mb
            left -= given * len(fluid.ends)
            jobs -= len(fluid.ends)

    def _advance(self, step: float) -> None:
        self.now += step
        for fluid in self.fluids.values():
            if fluid.ends and fluid.rate != inf:
                fluid.progress += fluid.rate * step
            while fluid.ends and (fluid.rate == inf or fluid.ends[0][0] <= fluid.progress + 1e-12):
                _, _, node, submitted = heapq.heappop(fluid.ends)
                self._end(fluid.stage, node)
                self.core_seconds += fluid.stage.threads * (self.now - submitted)
        while self.starting and self.starting[0][0] <= self.now + EPSILON:
            _, number, name, node, submitted = heapq.heappop(self.starting)
            fluid = self.fluids[name]
            heapq.heappush(fluid.ends, (fluid.progress + 1, number, node, submitted))
            self.readers[node] += bool(fluid.stage.read_mb)

    def _end(self, stage: Stage, node: int) -> None:
        self.cores[node] += stage.threads
        self.memory[node] += stage.mem_mb
        self.readers[node] -= bool(stage.read_mb)
        self.unfinished[stage.name] -= 1
        self.submitted -= 1
        self.spans[stage.name] = self.spans[stage.name][0], self.now


def core_seconds(stages: Sequence[Stage]) -> float:
    """Return the seconds of cores that jobs hold where nothing slows them."""
    return sum(stage.jobs * stage.seconds * stage.threads for stage in stages)


def longest_chain(stages: Sequence[Stage]) -> float:
    """Return the seconds of the longest chain of jobs: no number of nodes is quicker."""
    chain: dict[str, float] = defaultdict(float)
    for stage in stages:  # in an order in which each follows what it waits for
        before = max((chain[name] for name in stage.after), default=0.0)
        chain[stage.name] = before + (stage.seconds if stage.jobs else 0.0)
    return max(chain.values(), default=0.0)
