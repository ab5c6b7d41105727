"""Diffusion transformers, driven by their own pipelines: SD3, Flux, PixArt, Sana, ..."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from atlas.activations.layers import Place
from atlas.activations.outputs import input_tensor
from atlas.activations.probes import prompts
from atlas.activations.probes.probe import Column, Images, Probe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch, seed_of
from atlas.activations.sources import Source
from atlas.architectures import build, catalogue, inputs
from atlas.architectures.architecture import Architecture
from atlas.basis.errors import AtlasError

LISTS = re.compile(r"^(\w*blocks|layers)\.(\d+)$")
"""Paths of a transformer's blocks."""
SINGLE = "single"
STEPS = 20
PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class TransformerProbe(Probe):
    """
    A pipeline of diffusers whose denoiser is a transformer; its own code draws the images.

    Times are numbers of steps from 0 on: pipelines choose the noise levels themselves.
    """

    name = "transformer"
    title = "diffusion transformers: SD3, Flux, PixArt, ..."
    component = "transformer"
    time_name = "step"
    takes = frozenset(
        {"prompts", "negative_prompt", "guidance", "steps", "timesteps", "branch", "size",
         "precision"}
    )  # fmt: skip

    def __init__(self, source: Source, options: Mapping[str, Any]) -> None:
        super().__init__(source, options)
        self._folder = _folder(source)
        self._architecture: Architecture = catalogue.load(str(self._folder))
        self._prompts = prompts.chosen(self.options.get("prompts"))
        self._steps = int(self._option("steps", STEPS))
        told = self._option("timesteps", [self._steps // 2])
        kept = range(self._steps) if told == "all" else told
        if not isinstance(kept, list | tuple | range) or not len(kept):
            raise AtlasError(f"timesteps: {told!r}: give numbers of steps from 0 on, or all")
        if wrong := [step for step in kept if not 0 <= step < self._steps]:
            raise AtlasError(
                f"timesteps: there is no step {wrong[0]} of {self._steps}; they are counted from 0 "
                f"to {self._steps - 1}"
            )
        self._kept = tuple(sorted(set(kept)))

    @classmethod
    def fits(cls, source: Source) -> bool:
        """Tell whether a source has a transformer as its denoiser."""
        index = source.json("model_index.json") or {}
        return bool(index.get(cls.component)) or bool(source.tensors(cls.component))

    def _option(self, name: str, usual: Any) -> Any:
        said = self.options.get(name)
        return usual if said is None else said

    @cached_property
    def skeleton(self) -> nn.Module:
        """The transformer on torch's meta device."""
        return build.component(self._architecture, self.component, torch.float32)

    def inputs(self, batch: int) -> Mapping[str, Any]:
        """Return the keyword arguments of one forward of a batch's samples, on the meta device."""
        height, width = self.image_size
        rows = batch * self._architecture.sampling.forwards_per_step
        return inputs.denoiser(
            self._architecture, width=width, height=height, batch=rows, dtype=torch.float32
        )

    @cached_property
    def short_names(self) -> Mapping[str, Place]:
        """`block.i` and `single.i`: a block's image tokens; the other lists by their own names."""
        places = {}
        for path, element in self._blocks().items():
            kind, number = LISTS.findall(path)[0]
            short = SINGLE if kind.startswith(SINGLE) else "block"
            name = f"{short}.{number}"
            places[path if name in places else name] = Place(path, element)
        return places

    def _blocks(self) -> dict[str, int]:
        """Return the blocks' paths, and which of a block's outputs is like its input."""
        found: dict[str, int] = {}

        def note(path: str) -> Callable[..., None]:
            def watch(_: Any, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
                given = input_tensor(args, kwargs)
                parts = output if isinstance(output, list | tuple) else [output]
                alike = [
                    place
                    for place, part in enumerate(parts)
                    if isinstance(part, torch.Tensor)
                    and (given is None or part.shape == given.shape)
                ]
                found[path] = alike[-1] if alike else 0

            return watch

        handles = [
            module.register_forward_hook(note(path), with_kwargs=True)
            for path, module in self.skeleton.named_modules()
            if LISTS.match(path)
        ]
        try:
            with torch.no_grad():
                self.skeleton(**self.inputs(1))
        finally:
            for handle in handles:
                handle.remove()
        return found

    @property
    def default_layers(self) -> Sequence[str]:
        """The block in the middle."""
        names = list(self.short_names)
        return (names[len(names) // 2],)

    @property
    def times(self) -> tuple[float, ...]:
        """Numbers of the kept steps."""
        return tuple(float(step) for step in self._kept)

    @property
    def forwards(self) -> int:
        """Forwards of the transformer that a sample takes, both branches of guidance counted."""
        return self._steps * self._architecture.sampling.forwards_per_step

    @property
    def weight_bytes(self) -> int:
        """Bytes of all networks of the pipeline, as they run on the CPU."""
        size = self._dtype(torch.device("cpu")).itemsize
        return size * sum(tensor.numel for tensor in self.source.checkpoint.tensors)

    def _dtype(self, device: torch.device) -> torch.dtype:
        usual = "bfloat16" if device.type == "cuda" else "float32"
        return PRECISIONS[self._option("precision", usual)]

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""
        if size := self.options.get("size"):
            return size[1], size[0]
        return self._architecture.native, self._architecture.native

    def conditions(self, seed: int, indices: Sequence[int]) -> dict[str, Column]:
        """Return the samples' prompts."""
        return {"prompt": self._prompts.of(indices)}

    def load(self, device: torch.device) -> nn.Module:
        """Load the pipeline, from safetensors alone, and return its transformer."""
        from diffusers import DiffusionPipeline

        try:
            pipeline: Any = DiffusionPipeline.from_pretrained(
                self._folder,
                dtype=self._dtype(device),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise AtlasError(
                f"{self._folder}: diffusers can't load its pipeline from safetensors: {error}"
            ) from error
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline.to(device)
        self._device = device
        network: nn.Module = pipeline.transformer.eval()
        return network

    def draw(self, batch: Batch, kept: Recorder) -> Images:
        """Draw a batch's images by their prompts, and keep the forwards of the kept steps."""
        height, width = self.image_size
        given: dict[str, Any] = {
            "prompt": self._prompts.of(batch.indices),
            "height": height,
            "width": width,
            "num_inference_steps": self._steps,
            "generator": [
                torch.Generator().manual_seed(seed_of(batch.seed, index, "noise"))
                for index in batch.indices
            ],
            "output_type": "np",
        }
        if "guidance" in self.options:
            given["guidance_scale"] = float(self.options["guidance"] or 1.0)
        if negative := self.options.get("negative_prompt"):
            given["negative_prompt"] = [negative] * len(batch)
        known = inspect.signature(self._pipeline.__call__).parameters
        plain = dict.fromkeys(("use_resolution_binning", "clean_caption"), False)
        given |= {name: value for name, value in plain.items() if name in known}
        with self._watched(len(batch), kept):
            pictures = self._pipeline(**given).images
        return np.asarray(np.round(pictures * 255), np.uint8)

    @contextmanager
    def _watched(self, count: int, kept: Recorder) -> Iterator[None]:
        """Keep what the first forward of each kept step gives."""
        transformer, scheduler = self._pipeline.transformer, self._pipeline.scheduler
        forward, advance = transformer.forward, scheduler.step
        step, seen = 0, set()

        def watched_forward(*args: Any, **kwargs: Any) -> Any:
            if step not in self._kept or step in seen:
                return forward(*args, **kwargs)
            seen.add(step)
            with kept.keeping(float(step), self._rows(count, args, kwargs)):
                return forward(*args, **kwargs)

        def watched_step(*args: Any, **kwargs: Any) -> Any:
            nonlocal step
            step += 1
            return advance(*args, **kwargs)

        transformer.forward, scheduler.step = watched_forward, watched_step
        try:
            yield
        finally:
            transformer.forward, scheduler.step = forward, advance

    def _rows(self, count: int, args: Any, kwargs: Mapping[str, Any]) -> slice | None:
        """Return the rows of the branch that is kept: pipelines put that without text first."""
        given = input_tensor(args, kwargs)
        wants_blank = self.options.get("branch") == "unconditional"
        if given is not None and len(given) == 2 * count:
            return slice(0, count) if wants_blank else slice(count, 2 * count)
        if wants_blank:
            raise AtlasError(
                "branch: unconditional is kept where one forward takes both branches of guidance; "
                f"{type(self._pipeline).__name__} does not run so here"
            )
        return None

    def observe(self, images: Images, batch: Batch, kept: Recorder) -> None:
        """Refuse: pipelines of transformers encode and pack images each in its own way."""
        raise AtlasError(
            "real: the probe transformer shows no real images to its networks; leave `real` out"
        )


def _folder(source: Source) -> Path:
    for folder in source.folders:
        if (folder / "model_index.json").is_file():
            return folder
    raise AtlasError(
        f"{source.path}: is no diffusers folder; to draw with a transformer its text encoders, "
        "autoencoder and scheduler are needed: give the folder of the pipeline"
    )
