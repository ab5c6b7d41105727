"""Recipes of sd-mecha: nodes worked out to sums of models with weights, where they are sums."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from atlas.claims.block_lists import value_of
from atlas.claims.claim import Claim, Held, Kind, Parent
from atlas.claims.formulas import labelled
from atlas.claims.mecha_text import Argument, Node, Reference, UnreadableRecipeError, nodes_of
from atlas.claims.sums import Part, Sum, Unclear, claims_of, merged_parts, weighted
from atlas.names.components import part_of
from atlas.tensors.tensors import FileMetadata

KEY = "mecha_recipe"
SINGLE = "key"
"""The one key of what is the same for a whole model."""
TIME = "BASE"
"""Under which label the embedding of time is merged (convert_sd1_blocks.py)."""
MOST_TERMS = 1000
"""Models with weights that a part may have."""
MOST_WORK = 500_000
"""Terms that are added up at most, so that no recipe takes long."""

Numbers = Mapping[str, float]
"""Weights by label of block, or by SINGLE."""


@dataclass(frozen=True)
class Network:
    """A model, or a difference of models: what each part is made of."""

    parts: Mapping[Part, Sum | Unclear]


Value = Network | Numbers | str | float | bool | None


@dataclass
class Evaluation:
    """A recipe being worked out."""

    held: Held
    values: list[Value] = field(default_factory=list)
    parents: dict[str, Parent] = field(default_factory=dict)
    methods: list[str] = field(default_factory=list)
    """Names of what is no sum."""
    work: int = 0

    def take(self, argument: Argument) -> Value:
        """Return the value that an argument stands for."""
        return self.values[argument.node] if isinstance(argument, Reference) else argument


def mecha(said: FileMetadata, held: Held) -> list[Claim]:
    """Return what a file's `mecha_recipe` says: block by block where the weights are."""
    text = said.texts.get(KEY)
    if text is None:
        return []
    try:
        nodes = nodes_of(text)
    except UnreadableRecipeError as error:
        cut = ", which was too long to be kept whole" if KEY in said.cut else ""
        return [Claim(KEY, Kind.OTHER, detail=f"a recipe that can't be read ({error}){cut}")]
    run = Evaluation(held if held.blocks else _labelled_by(nodes))
    for node in nodes:
        run.values.append(_worked_out(node, run))
    result = run.values[-1] if run.values else None
    if not isinstance(result, Network):
        parents = tuple(run.parents.values())[:MOST_TERMS]
        return [Claim(KEY, Kind.OTHER, parents=parents, detail="a recipe that makes no model")]
    return claims_of(KEY, result.parts, ", ".join(dict.fromkeys(run.methods)))


def _labelled_by(nodes: Sequence[Node]) -> Held:
    """Return the parts of a model of which a recipe's lists of weights tell all that is known."""
    return labelled(
        {
            name: 0.0
            for node in nodes
            if node.command == "dict"
            for name in node.named
            if name.isupper()
        }
    )


def _worked_out(node: Node, run: Evaluation) -> Value:
    if node.command == "model":
        path = node.arguments[0] if node.arguments else None
        return _model(path, run) if isinstance(path, str) else None
    if node.command == "dict":
        single = node.named.get(SINGLE)
        if isinstance(single, str):
            return single
        return {name: value for name, value in node.named.items() if isinstance(value, float)}
    if node.command == "literal":
        return run.take(node.arguments[0]) if node.arguments else None
    method = node.arguments[0] if node.arguments else None
    if not isinstance(method, str):
        return None
    arguments = [run.take(each) for each in node.arguments[1:]]
    named = {name: run.take(each) for name, each in node.named.items()}
    known = METHODS.get(method)
    if known is None and method.startswith("convert_") and arguments:
        return arguments[0]
    found = known(run, arguments, named) if known else None
    return found if found is not None else _unclear(method, [*arguments, *named.values()], run)


def _model(path: str, run: Evaluation) -> Network:
    parent = run.parents.setdefault(path, Parent(path[-500:]))
    return Network({part: {parent: 1.0} for part in merged_parts(run.held)})


def _unclear(method: str, arguments: Sequence[Value], run: Evaluation) -> Network:
    run.methods.append(method[:60])
    networks = [each for each in arguments if isinstance(each, Network)]
    parts: dict[Part, Sum | Unclear] = {}
    for part in dict.fromkeys(part for each in networks for part in each.parts):
        parents = [parent for each in networks for parent in _parents(each.parts.get(part, {}))]
        run.work += len(parents)
        kept = tuple(dict.fromkeys(parents))[:MOST_TERMS] if run.work < MOST_WORK else ()
        parts[part] = Unclear("", kept)
    return Network(parts)


def _parents(held: Sum | Unclear) -> tuple[Parent, ...]:
    return held.parents if isinstance(held, Unclear) else tuple(held)


def _linear(run: Evaluation, terms: Sequence[tuple[Value, Value]]) -> Network | None:
    """Return Σ factor × network; None where a term is no network, or a factor no number."""
    networks = [each for _, each in terms if isinstance(each, Network)]
    if len(networks) < len(terms) or not networks:
        return None
    parts: dict[Part, Sum | Unclear] = {}
    for part in networks[0].parts:
        factors = [_factor(each, part, run.held) for each, _ in terms]
        sums = [each.parts.get(part, Unclear("a part that is missing")) for each in networks]
        linear = [each for each in sums if not isinstance(each, Unclear)]
        known = [each for each in factors if each is not None]
        run.work += sum(len(_parents(each)) for each in sums)
        if len(linear) == len(sums) == len(known) and run.work < MOST_WORK:
            parts[part] = weighted(*zip(known, linear, strict=True))
        else:
            parents = dict.fromkeys(parent for each in sums for parent in _parents(each))
            parts[part] = Unclear("", tuple(parents)[:MOST_TERMS])
    return Network(parts)


def _factor(value: Value, part: Part, held: Held) -> float | None:
    if isinstance(value, bool) or value is None or isinstance(value, str | Network):
        return None
    if isinstance(value, int | float):
        return float(value)
    if SINGLE in value:
        return value[SINGLE]
    return value_of(*part, held, value, time=TIME)


def _less(value: Value) -> Value:
    """Return 1 − a number, or of each number by label."""
    if isinstance(value, Mapping):
        return {label: 1 - weight for label, weight in value.items()}
    return 1 - value if isinstance(value, float) else None


Arguments = Sequence[Value]
Named = Mapping[str, Value]


def _argument(arguments: Arguments, named: Named, place: int, name: str, other: Value) -> Value:
    return arguments[place] if len(arguments) > place else named.get(name, other)


def _weighted_sum(run: Evaluation, given: Arguments, named: Named) -> Network | None:
    a, b = (_argument(given, named, place, "ab"[place], None) for place in range(2))
    alpha = _argument(given, named, 2, "alpha", 0.5)
    return _linear(run, [(_less(alpha), a), (alpha, b)])


def _add_difference(run: Evaluation, given: Arguments, named: Named) -> Network | None:
    a, b = (_argument(given, named, place, "ab"[place], None) for place in range(2))
    alpha = _argument(given, named, 2, "alpha", 1.0)
    return _linear(run, [(1.0, a), (alpha, b)])


def _subtract(run: Evaluation, given: Arguments, named: Named) -> Network | None:
    a, b = (_argument(given, named, place, "ab"[place], None) for place in range(2))
    return _linear(run, [(1.0, a), (-1.0, b)])


def _scale(run: Evaluation, given: Arguments, named: Named) -> Network | None:
    return _linear(
        run, [(_argument(given, named, 1, "alpha", 1.0), _argument(given, named, 0, "a", None))]
    )


def _average(run: Evaluation, given: Arguments, named: Named) -> Network | None:
    return _linear(run, [(1 / len(given), each) for each in given]) if given else None


def _fallback(run: Evaluation, given: Arguments, named: Named) -> Network | None:
    """Return the first network, with those parts of the second that it lacks."""
    a, b = (_argument(given, named, place, ("a", "default")[place], None) for place in range(2))
    if not isinstance(a, Network):
        return None
    return Network({**(b.parts if isinstance(b, Network) else {}), **a.parts})


def _same(run: Evaluation, given: Arguments, named: Named) -> Network | None:
    a = _argument(given, named, 0, "a", None)
    return a if isinstance(a, Network) else None


def _picked(is_wanted: bool) -> Callable[[Evaluation, Arguments, Named], Network | None]:
    def picked(run: Evaluation, given: Arguments, named: Named) -> Network | None:
        a, name = (
            _argument(given, named, place, ("a", "component")[place], None) for place in (0, 1)
        )
        if not isinstance(a, Network) or not isinstance(name, str):
            return None
        return Network(
            {
                part: held
                for part, held in a.parts.items()
                if _is_of(part[0], name, run.held) == is_wanted
            }
        )

    return picked


def _is_of(component: str, name: str, held: Held) -> bool:
    """Tell whether a component is what sd-mecha calls by this name."""
    encoders = {"clip_l": 0, "clip_g": 1, "t5xxl": len(held.text_encoders) - 1}
    if name in encoders and part_of(component) == "text_encoder":
        place = min(encoders[name], len(held.text_encoders) - 1)
        return component == held.text_encoders[place]
    wanted = {"unet": "denoiser", "diffuser": "denoiser", "vae": "vae"}.get(name)
    return wanted is not None and part_of(component) == wanted


METHODS: Mapping[str, Callable[[Evaluation, Arguments, Named], Network | None]] = {
    "weighted_sum": _weighted_sum,
    "add_difference": _add_difference,
    "subtract": _subtract,
    "scale": _scale,
    "n_average": _average,
    "fallback": _fallback,
    "cast": _same,
    "omit_non_finite": _same,
    "pick_component": _picked(True),
    "omit_component": _picked(False),
}
"""Methods that are sums, or leave the weights as they are."""
