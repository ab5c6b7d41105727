"""Assign each key to a component and to the canonical tensors within it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from atlas.basis.shipped import load
from atlas.names import layouts, sections
from atlas.names.components import CONTROLNET, DENOISERS, EMA, NETWORK, OTHER, denoiser_of, part_of
from atlas.names.layouts import Layout
from atlas.names.quantised import COUNTERS
from atlas.names.sections import Section
from atlas.names.views import Shape, View


@dataclass
class Assignment:
    """What becomes of a file's keys; filled section by section."""

    component: dict[str, str] = field(default_factory=dict)
    views: dict[str, list[View]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    averages: dict[str, str] = field(default_factory=dict)
    """Key of an averaged tensor to the key of the raw one."""
    known_as: str = NETWORK
    """What the network of no known layout is, where a prefix tells it."""
    owner: dict[str, str] = field(default_factory=dict)
    """The component among whose keys each stands, though it may be put aside."""

    def put(self, key: str, component: str, views: list[View]) -> None:
        """Give a key's tensors to a component."""
        self.component[key] = self.owner[key] = component
        self.views[key] = views

    def put_aside(self, key: str, name: str, owner: str = OTHER) -> None:
        """Give a key to the component `other`, and say whose it is."""
        self.put(key, OTHER, [View(name)])
        self.owner[key] = owner

    def leave_out(self, component: str) -> None:
        """Leave a component out, with all that was put aside of it."""
        for key, owner in self.owner.items():
            if owner == component:
                self.put(key, component, [])


def assign_generic(keys: Iterable[str], component: str = NETWORK) -> Assignment:
    """Keep every key as it is: a network of which nothing is known."""
    done = Assignment()
    for key in keys:
        done.put(key, component, [View(key)])
    return done


def assign_folder(keys: Mapping[str, Shape], folders: Mapping[str, str]) -> Assignment:
    """
    Assign the keys of a diffusers folder.

    Both tables are by "<folder>/<key>", since components share keys; `folders` holds the folder.
    """
    done = Assignment()
    for folder in dict.fromkeys(folders.values()):
        inner = {key: key[len(folder) + 1 :] for key in keys if folders[key] == folder}
        component = EMA if EMA in re.split(r"[_.-]", folder) else folder
        names = sections.unwrapped(inner)
        if part_of(component) == "denoiser" and _is_controlnet(names, keys):
            component = CONTROLNET
        section = Section(folder, part_of(component), component, names)
        layout = _layout(section, keys)
        _assign(done, section, component, layout, keys)
    _pair_averages(done)
    return done


def _is_controlnet(names: Mapping[str, str], shapes: Mapping[str, Shape]) -> bool:
    return layouts.find({n: shapes[key] for key, n in names.items()}, CONTROLNET) is not None


def _pair_averages(done: Assignment) -> None:
    """Find the raw tensor of each averaged one in a folder, where both have a folder of theirs."""
    names = {
        component: {
            tuple(done.views[key]): key for key, own in done.component.items() if own == component
        }
        for component in (*DENOISERS, EMA)
    }
    raw = names["unet"] | names["transformer"]
    done.averages |= {key: raw[views] for views, key in names[EMA].items() if views in raw}


def assign_file(shapes: Mapping[str, Shape]) -> Assignment:
    """Assign the keys of a file or of a set of shards: prefixes first, then what is bare."""
    done = Assignment()
    names = sections.unwrapped({key: key for key in shapes})
    *prefixed, bare = sections.cut(names)
    known = {s.prefix: layout for s in prefixed if (layout := _layout(s, shapes))}
    emas = [section for section in prefixed if section.part == EMA]
    told = [s for s in prefixed if s.prefix in known or s.part == CONTROLNET]
    for section in told:
        layout = known.get(section.prefix)
        component = section.component or (layout.component if layout else NETWORK)
        _assign(done, section, component, layout, shapes)
    strays = [s for s in prefixed if s not in told and s not in emas]
    _assign_bare(done, bare, strays, shapes, names)
    for section in emas:
        _assign_ema(done, section, names)
    return done


def put_averages_in_place(done: Assignment) -> int:
    """
    Let averaged weights stand where the raw ones stood, which are left out.

    What has no average, such as a VAE beside an averaged UNet, stays. Returns the number of keys
    that took another's view.
    """
    replaced = {
        key: raw for key, raw in done.averages.items() if done.component[raw] not in (OTHER, EMA)
    }
    for key, raw in replaced.items():
        component = done.component[raw]
        done.put(key, component, done.views[raw])
        done.put(raw, component, [])
    if replaced:
        components = sorted({done.component[key] for key in replaced})
        done.findings.append(
            f"{', '.join(components)}: read as the training copy (EMA) has it, "
            f"{len(replaced)} tensors in the place of the raw ones"
        )
    return len(replaced)


def _layout(section: Section, shapes: Mapping[str, Shape]) -> Layout | None:
    if section.part == EMA:
        return None
    return layouts.find({name: shapes[key] for key, name in section.keys.items()}, section.part)


def _assign(
    done: Assignment,
    section: Section,
    component: str,
    layout: Layout | None,
    shapes: Mapping[str, Shape],
) -> None:
    """Give a section's tensors the names that its layout says; without one they keep theirs."""
    inner = {name: shapes[key] for key, name in section.keys.items()}
    views = layout.views(inner) if layout else {name: [View(name)] for name in inner}
    unknown = []
    for key, name in section.keys.items():
        found = views[name]
        if found is None:
            unknown.append(key)
        if found and not _is_unused(name, section) and not COUNTERS.search(name):
            done.put(key, component, found)
        else:
            canonical = found[0].name if found else name
            done.put_aside(key, f"{component}.{canonical}", component)
    if unknown and layout:
        done.findings.append(
            f"{component}: {len(unknown)} keys that the layout {layout.name} does not know "
            f"are kept apart in the component other: {_some(unknown)}"
        )


def _is_unused(name: str, section: Section) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in section.unused)


def _assign_bare(
    done: Assignment,
    bare: Section,
    strays: Sequence[Section],
    shapes: Mapping[str, Shape],
    names: Mapping[str, str],
) -> None:
    """Assign keys without a known prefix, and prefixed ones in a layout that is not known."""
    schedules = set(load("names/prefixes")["schedules"])
    rest = {key: names[key] for section in (bare, *strays) for key in section.keys}
    counters = {key for key, name in rest.items() if name in schedules}
    for key in counters:
        done.put_aside(key, rest.pop(key))
    if not rest:
        return
    for inner in (rest, sections.held(rest)):
        section = Section("", None, None, inner)
        if layout := _layout(section, shapes):
            _assign(done, section, layout.component, layout, shapes)
            return
    if not done.views or set(done.component.values()) == {OTHER}:
        _assign_network(done, rest)
        return
    taken = {*done.component.values(), *(DENOISERS if _has_denoiser(strays) else ())}
    if not taken & set(DENOISERS):
        # a network of its own that has a VAE or a text encoder for a part
        _assign_network(done, {key: rest.pop(key) for key in bare.keys if key in rest})
    _assign_strays(done, rest, strays)


def _has_denoiser(sections_: Iterable[Section]) -> bool:
    return any(section.part == "denoiser" for section in sections_)


def _assign_network(done: Assignment, names: Mapping[str, str]) -> None:
    """Give keys to the network of no known layout, without what all their names begin with."""
    for key, name in sections.bared(names).items():
        done.put(key, NETWORK, [View(name)])


def _assign_strays(done: Assignment, rest: Mapping[str, str], strays: Sequence[Section]) -> None:
    """Keep the names of a known component in an unknown layout; put the rest aside."""
    taken = set(done.component.values())
    for section in strays:
        component = section.component or section.part or OTHER
        own = {key: name for key, name in section.keys.items() if key in rest}
        if section.part == "denoiser":
            known_as = denoiser_of(own.values())
            is_told = section.prefix in DENOISERS or known_as == "unet"
            component = section.prefix if section.prefix in DENOISERS else known_as
            if not is_told and NETWORK not in taken:
                # compared with files that hold this network alone, by whatever prefix
                done.known_as = known_as
                _assign_network(done, own)
                continue
        for key, name in own.items():
            if component not in taken:
                done.put(key, component, [View(name)])
    left = [key for key in rest if key not in done.views]
    for key in left:
        done.put_aside(key, rest[key])
    if left:
        done.findings.append(
            f"{len(left)} keys of no known component are kept apart in the component other: "
            f"{_some(left)}"
        )


def _assign_ema(done: Assignment, section: Section, names: Mapping[str, str]) -> None:
    """
    Give averaged weights the names of the raw ones.

    LDM writes an EMA copy under the raw key without its first part and without dots:
    model.diffusion_model.out.0.bias is averaged as model_ema.diffusion_modelout0bias.
    """
    raw = [key for key, component in done.component.items() if component != OTHER]
    originals: dict[str, str] = {}
    for key in raw:
        name = names[key]
        bare = name.partition(".")[2] if name.startswith("model.") else name
        originals |= dict.fromkeys((bare, bare.replace(".", ""), name), key)
    lost = []
    for key, name in section.keys.items():
        original = originals.get(name)
        if original is None:
            done.put_aside(key, names[key])
            if names[key] not in load("names/prefixes")["schedules"]:
                lost.append(key)
        else:
            done.put(key, EMA, done.views[original])
            done.averages[key] = original
    if lost:
        done.findings.append(
            f"ema: {len(lost)} averaged tensors have no raw one in the file and are kept apart "
            f"in the component other: {_some(lost)}"
        )


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
