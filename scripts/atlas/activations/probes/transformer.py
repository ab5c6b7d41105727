"""Diffusion transformers (SD3, FLUX.1, PixArt, ...) of a diffusers folder, in their pipelines."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from atlas.activations.layers import Place
from atlas.activations.outputs import input_tensor
from atlas.activations.probes import driving, guidance, pipelines, prompts
from atlas.activations.probes.driving import Driven
from atlas.activations.probes.probe import Column, Images, Probe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch, seed_of
from atlas.architectures import build, catalogue, folders, inputs, sizes
from atlas.architectures.architecture import Architecture
from atlas.basis.errors import AtlasError, nearest
from atlas.networks.sources import Source

PRECISIONS = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
"""Dtypes that a pipeline runs in."""

LISTS = {
    "block": ("transformer_blocks", "joint_transformer_blocks"),
    "single": ("single_transformer_blocks",),
}
"""Short name to the names that lists of blocks have in diffusers' classes, the first one first."""


class TransformerProbe(Probe):
    """
    A transformer in its pipeline: what is drawn is what the pipeline draws.

    The pipeline's own loop runs; only the calls of its transformer are watched. Each sample has a
    generator of its own, which the pipeline draws its first latent and all further noise from.
    """

    name = "transformer"
    title = "transformers in diffusers' pipelines: SD3, FLUX.1, PixArt"
    takes = frozenset(
        {
            "prompts",
            "negative_prompt",
            "guidance",
            "steps",
            "timesteps",
            "branch",
            "size",
            "precision",
        }
    )
    time_name = "timestep"
    component = "transformer"

    def __init__(self, source: Source, options: Mapping[str, Any]) -> None:
        super().__init__(source, options)
        self.pipeline = pipelines.of(source)
        self.architecture = self._architecture()
        self._prompts = prompts.chosen(self.options.get("prompts"))
        self._guidance = self._chosen_guidance()
        self._steps = self._chosen_steps()
        self._size = self._chosen_size()
        self._kept_steps = _chosen_timesteps(self.options.get("timesteps"), self._distinct)
        precision = self.options.get("precision")
        if precision is not None and precision not in PRECISIONS:
            raise AtlasError(
                f"precision: {precision} is none{nearest(str(precision), PRECISIONS)} "
                f"({', '.join(PRECISIONS)})"
            )
        self._check_negative_prompt()

    @classmethod
    def fits(cls, source: Source) -> bool:
        """Tell whether a source is a pipeline with a transformer, or a transformer alone."""
        index = source.json("model_index.json")
        if index is not None:
            return cls.component in index
        return bool(source.tensors(cls.component))

    @cached_property
    def skeleton(self) -> nn.Module:
        """The network on torch's meta device, with the modules' paths that `load` gives, too."""
        network = build.component(self.architecture, self.component, self._dtype())
        found = self.source.required(self.component)
        expected = network.state_dict()
        # diffusers leaves at random what a file lacks, with no more than a warning
        if faulty := sorted(
            name
            for name, weight in expected.items()
            if name not in found or tuple(found[name].shape) != tuple(weight.shape)
        ):
            raise AtlasError(
                f"{self.source.path}: {len(faulty)} of the {len(expected)} tensors that its "
                f"transformer's config.json asks for are lacking or of another shape ({faulty[0]}, "
                "…); fetch the folder again"
            )
        return network

    def inputs(self, batch: int) -> Mapping[str, Any]:
        """Return the arguments of one forward on the meta device: both branches' rows, if joint."""
        height, width = self.image_size
        return inputs.denoiser(
            self.architecture,
            width=width,
            height=height,
            batch=batch * self._rows_of_sample,
            text_length=self._text_length,
            dtype=self._dtype(),
        )

    @cached_property
    def short_names(self) -> Mapping[str, Place]:
        """Layers by short name, in the order of the network."""
        modules = {
            f"{short}.{number}": f"{path}.{number}"
            for short, paths in LISTS.items()
            for path in [path for path in paths if hasattr(self.skeleton, path)][:1]
            for number in range(len(self.skeleton.get_submodule(path)))  # type: ignore[arg-type]
        }
        streams = image_streams(self.skeleton, list(modules.values()), self.inputs(1))
        return {name: Place(module, streams[module]) for name, module in modules.items()}

    @property
    def default_layers(self) -> Sequence[str]:
        """The middle block: of all, the single-stream ones counted."""
        names = list(self.short_names)
        return (names[len(names) // 2],)

    @property
    def times(self) -> tuple[float, ...]:
        """Timesteps at which values are kept, in the order of drawing."""
        return tuple(self._distinct[step] for step in self._kept_steps)

    @property
    def forwards(self) -> int:
        """Forwards of the network that a sample takes, both branches of guidance counted."""
        return len(self.timesteps) * self._guidance.branches

    @cached_property
    def weight_bytes(self) -> int:
        """Bytes of all weights of the pipeline, in the dtype that they run in."""
        dtype = self._dtype()
        modules = (
            build.component(self.architecture, name) for name in self.architecture.components
        )
        return dtype.itemsize * sum(
            build.parameters(module) + build.buffers(module) for module in modules
        )

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""
        return self._size

    @cached_property
    def timesteps(self) -> tuple[float, ...]:
        """Timesteps of all forwards, as the pipeline gets them of its scheduler."""
        height, width = self.image_size
        scheduler = pipelines.scheduler_of(self.source)
        try:
            return self.pipeline.timesteps(
                scheduler,
                steps=self._steps,
                tokens=self.architecture.image_tokens(width, height),
            )
        except (ValueError, TypeError, IndexError) as error:
            raise AtlasError(
                f"{self.source.path}: its scheduler can't make {self._steps} steps ({error}); give "
                "another number of steps"
            ) from error

    def conditions(self, seed: int, indices: Sequence[int]) -> dict[str, Column]:
        """Return the samples' prompts."""
        return {"prompt": list(self._prompts.of(indices))}

    def load(self, device: torch.device) -> nn.Module:
        """Read the weights of the pipeline, and return its transformer, ready on the device."""
        _ = self.skeleton  # tells what does not fit before the weights are read
        self._loaded = driving.loaded(self.pipeline, self.source, self._dtype(device)).to(device)
        network: nn.Module = self._loaded.transformer
        return network.eval().requires_grad_(False)

    def draw(self, batch: Batch, kept: Recorder) -> Images:
        """Draw a batch's images; the forwards of `times` run inside `kept.keeping(time)`."""
        call = self.call(batch)
        images = self._driven().draw(call, self._waiting(), kept)
        levels: Images = (np.nan_to_num(images).clip(0, 1) * 255).round().astype(np.uint8)
        return levels

    def observe(self, images: Images, batch: Batch, kept: Recorder) -> None:
        """
        Show given images, with noise and an empty prompt, to the network at each of `times`.

        The pipeline's loop runs with the network in no other step, and without guidance.
        """
        call = self.call(batch) | {"prompt": [""] * len(batch)} | self._unguided()
        self._driven().show(images, batch, call, self._waiting(), kept)

    def call(self, batch: Batch) -> dict[str, Any]:
        """Return the arguments that the pipeline is called with to draw a batch."""
        height, width = self.image_size
        further = self._unguided()
        if self._guidance.scale is not None:
            further[self.pipeline.guidance] = self._guidance.scale
            negative = self.options.get("negative_prompt") or ""
            further["negative_prompt"] = [negative] * len(batch)
        return {
            "prompt": self._prompts.of(batch.indices),
            "height": height,
            "width": width,
            "num_inference_steps": self._steps,
            "generator": [
                torch.Generator().manual_seed(seed_of(batch.seed, index, "noise"))
                for index in batch.indices
            ],
            "output_type": "np",
            **self.pipeline.arguments,
            **further,
        }

    @property
    def _distinct(self) -> list[float]:
        """Timesteps in the order in which they first come: some schedulers come back to one."""
        return list(dict.fromkeys(self.timesteps))

    @property
    def _rows_of_sample(self) -> int:
        return self._guidance.branches if self.pipeline.branches == "rows" else 1

    @property
    def _text_length(self) -> int | None:
        """
        Tokens of text in forwards on the meta device: None for the usual number.

        Where an image has as many, one off: a block's two streams are told apart by their lengths.
        """
        text = self.architecture.text
        height, width = self.image_size
        if text is None or text.cap != self.architecture.image_tokens(width, height):
            return None
        return text.cap + (1 if text.most is None or text.cap < text.most else -1)

    def _waiting(self) -> dict[int, float]:
        """Return the steps at which values are kept, each with its timestep."""
        return {self.timesteps.index(time): time for time in self.times}

    def _driven(self) -> Driven:
        return Driven(self._loaded, self.pipeline, self._guidance, self.timesteps)

    def _unguided(self) -> dict[str, Any]:
        """Return the pipeline's arguments about guidance where it runs one branch."""
        further: dict[str, Any] = {self.pipeline.guidance: 1.0}
        if self.pipeline.embedded_guidance is not None and self._embedded is not None:
            further[self.pipeline.embedded_guidance] = self._embedded
        return further

    def _dtype(self, device: torch.device | None = None) -> torch.dtype:
        if (precision := self.options.get("precision")) is not None:
            return PRECISIONS[precision]
        # float16 is too narrow for the activations of several of these networks
        return torch.bfloat16 if device is not None and device.type == "cuda" else torch.float32

    def _architecture(self) -> Architecture:
        architecture = folders.read(self.source.path, relatives=catalogue.all_entries())
        if architecture.denoiser_name != self.component:
            raise AtlasError(
                f"{self.source.path}: its denoiser is a {architecture.denoiser_name}, not a "
                "transformer"
            )
        return architecture

    def _chosen_guidance(self) -> guidance.Guidance:
        usual = self._usual
        if self.pipeline.embedded_guidance and self._is_told_guidance:
            scale = self.options.get("guidance", usual(self.pipeline.embedded_guidance))
            if scale is None or type(scale) not in (int, float) or not math.isfinite(scale):
                raise AtlasError(
                    f"guidance: {scale!r} is no number; this network is told one, such as "
                    f"{usual(self.pipeline.embedded_guidance)}"
                )
            self._embedded: float | None = float(scale)
            return guidance.chosen(
                {name: self.options[name] for name in ("branch",) if name in self.options},
                usual=None,
            )
        self._embedded = None
        return guidance.chosen(self.options, usual=usual(self.pipeline.guidance))

    def _check_negative_prompt(self) -> None:
        negative = self.options.get("negative_prompt")
        if negative is not None and not isinstance(negative, str):
            raise AtlasError(f"negative_prompt: {negative!r} is no text; give one")
        if negative and self._guidance.scale is None:
            raise AtlasError(
                "negative_prompt: is read only with classifier-free guidance above 1, which this "
                f"network is not run with; leave it out{'' if self._embedded else ', or guide'}"
            )

    def _usual(self, argument: str) -> Any:
        """Return the pipeline's own value of an argument."""
        return inspect.signature(self.pipeline.kind.__call__).parameters[argument].default

    @property
    def _is_told_guidance(self) -> bool:
        return bool(self.architecture.denoiser.config.get("guidance_embeds"))

    def _chosen_steps(self) -> int:
        steps = self.options.get("steps")
        if steps is None:
            return int(self._usual("num_inference_steps"))
        if type(steps) is not int or steps < 1:
            raise AtlasError(
                f"steps: {steps!r} is no number of steps; give a whole number from 1 up"
            )
        return steps

    def _chosen_size(self) -> tuple[int, int]:
        size = self.options.get("size")
        width, height = (self.architecture.native,) * 2 if size is None else _pair(size)
        sizes.check_size(self.architecture, width, height)
        return height, width


def image_streams(
    network: nn.Module, modules: Sequence[str], given: Mapping[str, Any]
) -> dict[str, int]:
    """
    Return which output of each block is the image's, watched in one forward on the meta device.

    A block of two streams gives text and image, in the one order or the other: the image is that
    of the shape of `hidden_states`, which the block is given.

    Parameters
    ----------
    network
        On the meta device.
    modules
        Paths of blocks.
    given
        Arguments of the forward, with texts that are not as long as images.

    Raises
    ------
    AtlasError
        A block gives nothing of that shape.
    """
    streams: dict[str, int] = {}

    def watch(module: str) -> Callable[..., None]:
        def note(_: Any, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
            entered = input_tensor(args, kwargs)
            parts = output if isinstance(output, list | tuple) else (output,)
            for place, part in enumerate(parts):
                if entered is not None and getattr(part, "shape", None) == entered.shape:
                    streams[module] = place
                    return

        return note

    handles = [
        network.get_submodule(module).register_forward_hook(watch(module), with_kwargs=True)
        for module in modules
    ]
    try:
        with torch.no_grad():
            network(**given)
    finally:
        for handle in handles:
            handle.remove()
    if missing := [module for module in modules if module not in streams]:
        raise AtlasError(
            f"{type(network).__name__}: its block {missing[0]} gives nothing of the shape of the "
            "image that it is given; name a module inside it as layer"
        )
    return streams


def _pair(size: Any) -> tuple[int, int]:
    is_pair = isinstance(size, list | tuple) and len(size) == 2
    if not is_pair or not all(type(side) is int and side > 0 for side in size):
        raise AtlasError(f"size: {size!r} is no [width, height] in pixels; give two whole numbers")
    return size[0], size[1]


def _chosen_timesteps(option: Any, distinct: Sequence[float]) -> tuple[int, ...]:
    if option is None:
        return (len(distinct) // 2,)
    if option == "all":
        return tuple(range(len(distinct)))
    steps = list(option) if isinstance(option, list | tuple) else [option]
    for step in steps:
        if type(step) is not int or not 0 <= step < len(distinct):
            raise AtlasError(
                f"timesteps: {step!r} is none of the steps, 0 to {len(distinct) - 1}; give a list "
                "of them, or all"
            )
    if not steps:
        raise AtlasError("timesteps: the list is empty; give steps from 0 on, or all")
    return tuple(sorted(set(steps)))
