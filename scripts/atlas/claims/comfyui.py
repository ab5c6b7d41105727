"""What ComfyUI's `prompt` says of a model that it saved: each wire worked out to its sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import PurePath
from typing import Any

from atlas.basis.shipped import load
from atlas.claims.claim import Claim, Held, Kind, Parent
from atlas.claims.comfy_graph import Link, Node, graph_of, loaded_files
from atlas.claims.comfy_ratios import Ratios, ratio_of
from atlas.claims.sums import Part, Sum, Unclear, claims_of, weighted
from atlas.claims.values import text_of, weight_of
from atlas.names.components import part_of
from atlas.tensors.tensors import FileMetadata

SOURCE = "comfyui"
PROMPT, WORKFLOW = "prompt", "workflow"
DEEPEST = 100
"""Nodes in a row."""
MOST_FILES = 50
MOST_WORK = 500_000
"""Terms that are added up at most, so that no graph takes long."""

Parts = Mapping[Part, Sum | Unclear]


@dataclass(frozen=True)
class Wire:
    """What comes out of a node: of which sums its parts are, and which LoRAs went in."""

    parts: Parts = field(default_factory=dict)
    loras: tuple[Parent, ...] = ()


def comfyui(said: FileMetadata, held: Held) -> list[Claim]:
    """
    Return what the nodes before the saving one say; ratio weighs model1, the opposite of A1111.

    Of several nodes that save, that is taken whose prefix begins the file's name, else the first.
    """
    if PROMPT not in said.texts:
        return _from_workflow(said)
    graph = graph_of(said.texts[PROMPT])
    saver = _saver(graph, PurePath(said.name).name)
    if saver is None:
        cut = ", which was too long to be kept whole" if PROMPT in said.cut else ""
        detail = f"a graph without a node that saves a model{cut}"
        return [Claim(SOURCE, Kind.OTHER, detail=detail)]
    walk = Walk(graph, held)
    claims: list[Claim] = []
    parts: dict[Part, Sum | Unclear] = {}
    for name in _facts()["savers"][saver.kind]:
        if name in saver.links:
            wire = walk.wire(saver.links[name], name)
            if wire.loras:
                claims += _with_loras(wire)
            else:
                parts |= wire.parts
    return [*claims_of(SOURCE, parts, walk.words), *claims]


@cache
def _facts() -> Mapping[str, Any]:
    facts: Mapping[str, Any] = load("claims/comfyui")
    return facts


def _saver(graph: Mapping[str, Node], file: str) -> Node | None:
    found = [node for node in graph.values() if node.kind in _facts()["savers"]]
    prefixed = [
        node
        for node in found
        if (prefix := PurePath(text_of(node.values.get("filename_prefix"))).name)
        and file.startswith(prefix)
    ]
    return next(iter(prefixed or found), None)


def _with_loras(wire: Wire) -> list[Claim]:
    """Return the claims of parts into which LoRAs went: their models first, then these."""
    bare = claims_of(SOURCE, wire.parts)
    return [
        replace(
            claim,
            kind=Kind.OTHER if claim.kind == Kind.OTHER else Kind.LORA,
            parents=(*claim.parents, *wire.loras),
            detail="; ".join(filter(None, [claim.detail, "a LoRA was added"])),
        )
        for claim in bare
    ]


def _from_workflow(said: FileMetadata) -> list[Claim]:
    if WORKFLOW not in said.texts:
        return []
    names = loaded_files(said.texts[WORKFLOW])[:MOST_FILES]
    if not names:
        return []
    detail = "files that the editor's graph names; how they were merged is not told"
    return [Claim(SOURCE, Kind.OTHER, parents=tuple(map(Parent, names)), detail=detail)]


@dataclass
class Walk:
    """The way from a node that saves back to those that load."""

    graph: Mapping[str, Node]
    held: Held
    found: dict[tuple[Link, str], Wire] = field(default_factory=dict)
    open: set[tuple[Link, str]] = field(default_factory=set)
    unknown: dict[str, None] = field(default_factory=dict)
    work: int = 0

    @property
    def words(self) -> str:
        """What was met that is not known."""
        return f"through {', '.join(list(self.unknown)[:5])}" if self.unknown else ""

    def wire(self, link: Link, kind: str) -> Wire:
        """Return what a link brings: a `model`, a `clip` or a `vae`."""
        key = (link, kind)
        if key not in self.found:
            if key in self.open or len(self.open) > DEEPEST or link.node not in self.graph:
                return self.unclear("a wire that leads nowhere", kind)
            self.open.add(key)
            self.found[key] = self._wire(self.graph[link.node], link.output, kind)
            self.open.remove(key)
        return self.found[key]

    def _wire(self, node: Node, output: int, kind: str) -> Wire:
        facts = _facts()
        if node.kind in facts["loaders"]:
            return self._loaded(node, facts["loaders"][node.kind], kind)
        if node.kind in facts["loras"] and kind in node.links:
            return self._with_lora(node, facts["loras"][node.kind].get(kind), kind)
        if node.kind in facts["patches"] and node.links:
            link = node.links.get(kind) or next(iter(node.links.values()))
            return self.wire(link, kind)
        if merged := self._merged(node, kind):
            return merged
        self.unknown[node.kind] = None
        return self.unclear(
            node.kind, kind, [self.wire(each, kind) for each in self._alike(node, kind)]
        )

    def _alike(self, node: Node, kind: str) -> list[Link]:
        """Return the links of a node of no known class by whose names the same comes in."""
        return [link for name, link in node.links.items() if name.startswith(kind)][:10]

    def unclear(self, words: str, kind: str, before: Sequence[Wire] = ()) -> Wire:
        """Return a wire of which no more is known than what went into it."""
        parents = dict.fromkeys(
            parent for wire in before for held in wire.parts.values() for parent in _parents(held)
        )
        told = Unclear(words, tuple(parents)[:MOST_FILES])
        return Wire(dict.fromkeys(self.parts(kind), told), _joined(before))

    def parts(self, kind: str) -> list[Part]:
        """Return the parts of a model that one kind of wire brings."""
        wanted = {"model": "denoiser", "clip": "text_encoder", "vae": "vae"}[kind]
        return [
            (component, block)
            for component, blocks in self.held.models.items()
            if part_of(component) == wanted
            for block in blocks
        ]

    def _loaded(self, node: Node, fact: Mapping[str, Any], kind: str) -> Wire:
        names = [text_of(node.values.get(each)) for each in fact["files"]]
        if kind not in fact["outputs"] or not all(names):
            return self.unclear(node.kind, kind)
        parents = list(map(Parent, names))
        encoders = list(self.held.text_encoders)
        place = {name: min(number, len(parents) - 1) for number, name in enumerate(encoders)}
        return Wire({part: {parents[place.get(part[0], 0)]: 1.0} for part in self.parts(kind)})

    def _with_lora(self, node: Node, strength: str | None, kind: str) -> Wire:
        before = self.wire(node.links[kind], kind)
        told = weight_of(node.values.get(strength)) if strength else 0.0
        name = text_of(node.values.get("lora_name"))
        if told == 0 or not name:
            return before
        return replace(before, loras=(*before.loras, Parent(name, told))[:MOST_FILES])

    def _merged(self, node: Node, kind: str) -> Wire | None:
        """Return what a node that merges two of a kind makes; None of any other node."""
        prefix = {"model": "ModelMerge", "clip": "CLIPMerge"}.get(kind)
        ends = [node.links.get(f"{kind}{number}") for number in (1, 2)]
        first, second = ends
        if prefix is None or not node.kind.startswith(prefix) or not first or not second:
            return None
        one, two = self.wire(first, kind), self.wire(second, kind)
        how = node.kind.removeprefix(prefix)
        ratios = {
            name: told
            for name, value in node.values.items()
            if (told := weight_of(value)) is not None
        }
        terms = _terms(how, ratios, self.held)
        parts: dict[Part, Sum | Unclear] = {}
        for part in self.parts(kind):
            factors = terms(part)
            sums = [wire.parts.get(part, Unclear("")) for wire in (one, two)]
            self.work += sum(len(_parents(each)) for each in sums)
            parts[part] = _added(node.kind, factors if self.work < MOST_WORK else None, sums)
        return Wire(parts, _joined([one, two]))


Factors = tuple[float, float] | None


def _terms(how: str, ratios: Ratios, held: Held) -> Callable[[Part], Factors]:
    """Return a function of a part that returns the factors of both models."""
    single = next(iter(ratios.values()), None)

    def terms(part: Part) -> Factors:
        if how == "Add":
            return 1.0, 1.0
        if how == "Subtract":
            factor = ratios.get("multiplier", 1.0)
            return factor, -factor
        ratio = single if how == "Simple" else ratio_of(part[1], ratios, held)
        return None if ratio is None else (ratio, 1 - ratio)

    return terms


def _added(kind: str, factors: Factors, sums: Sequence[Sum | Unclear]) -> Sum | Unclear:
    linear = [each for each in sums if not isinstance(each, Unclear)]
    if factors is None or len(linear) < len(sums):
        parents = dict.fromkeys(parent for each in sums for parent in _parents(each))
        return Unclear(kind, tuple(parents)[:MOST_FILES])
    return weighted(*zip(factors, linear, strict=True))


def _parents(held: Sum | Unclear) -> tuple[Parent, ...]:
    return held.parents if isinstance(held, Unclear) else tuple(held)


def _joined(wires: Sequence[Wire]) -> tuple[Parent, ...]:
    return tuple(dict.fromkeys(lora for wire in wires for lora in wire.loras))[:MOST_FILES]
