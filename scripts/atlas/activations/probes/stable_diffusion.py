"""Stable Diffusion 1, 2 and XL: from prompts to images in latent space, with guidance."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch
from torch import nn

from atlas.activations.layers import Place
from atlas.activations.probes import conditioning, guidance, prompts, scheduling
from atlas.activations.probes.components import CLASSES, Components
from atlas.activations.probes.latents import Autoencoder, rounded
from atlas.activations.probes.probe import Call, Column, Images, Probe
from atlas.activations.probes.scheduling import Schedule, Stepper
from atlas.activations.probes.texts import TextEncoding, Told
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch
from atlas.basis.errors import AtlasError, nearest
from atlas.networks.sources import Source

PRECISIONS = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}

STEPS = 20

OTHER_CHANNELS = {
    5: "depth-to-image: it is given a map of depth beside the latents",
    7: "an upscaler: it is given a small image beside the latents",
    8: "InstructPix2Pix: it is given an image to change beside the latents",
    9: "inpainting: it is given an image and a mask beside the latents",
}
"""By input channels: UNets that are given more than latents, which no probe runs."""

TEXT_LAYERS = "attn2"
"""In names of layers that read a text."""

UNSUPPORTED = {
    "class_embed_type": "classes",
    "encoder_hid_dim": "texts through a layer of its own",
    "time_cond_proj_dim": "the strength of guidance",
}
"""Settings of UNets that are told more than a text, and what."""


class StableDiffusionProbe(Probe):
    """
    A `UNet2DConditionModel` on latents, with the text encoders and the autoencoder around it.

    Both branches of guidance are rows of one forward, of which one branch is kept. Latents are
    stepped, and decoded, in float32, whatever the networks run in.
    """

    name = "stable_diffusion"
    title = "Stable Diffusion 1, 2 and XL"
    takes = frozenset(
        {
            "prompts",
            "negative_prompt",
            "guidance",
            "steps",
            "timesteps",
            "branch",
            "size",
            "scheduler",
            "precision",
        }
    )
    time_name = "timestep"
    component = "unet"

    def __init__(self, source: Source, options: Mapping[str, Any]) -> None:
        super().__init__(source, options)
        self._components = Components(source)
        self.config = self._configuration()
        for component in self._needed:
            self._components.tensors(component)
            self._components.class_name(component)
        self._conditioning = conditioning.of(self.config, self._components)
        self._prompts = prompts.chosen(self.options.get("prompts"))
        self._guidance = guidance.chosen(self.options, usual=self._usual_guidance)
        self._size = self._chosen_size()
        self._schedule = self._chosen_schedule()
        self._times = scheduling.kept(self.options.get("timesteps"), self._schedule)
        precision = self.options.get("precision")
        if precision is not None and precision not in PRECISIONS:
            raise AtlasError(
                f"precision: {precision} is none{nearest(str(precision), PRECISIONS)} "
                f"({', '.join(PRECISIONS)})"
            )
        negative = self.options.get("negative_prompt")
        if negative is not None and not isinstance(negative, str):
            raise AtlasError(f"negative_prompt: {negative!r} is no text; give one")

    @classmethod
    def fits(cls, source: Source) -> bool:
        """
        Tell whether a source's UNet is such a network, by its configuration or its names.

        Raises
        ------
        AtlasError
            It is given more than latents.
        """
        tensors = source.tensors(cls.component)
        config, entry = source.config(cls.component), source.catalogued(cls.component)
        if config is not None:
            is_known = config.get("_class_name") == CLASSES["unet"]
        elif entry is not None:
            is_known = entry.denoiser.class_name == CLASSES["unet"]
        else:
            is_known = any(TEXT_LAYERS in name for name in tensors)
        if not is_known or "conv_in.weight" not in tensors:
            return False
        _check_channels(source, tensors["conv_in.weight"].shape[1])
        components = Components(source)
        return components.has("text_encoder") and components.has("vae")

    @cached_property
    def skeleton(self) -> nn.Module:
        """The UNet on torch's meta device, in the dtype that it runs in on a CPU."""
        network = self._components.skeleton(self.component)
        # not the network's own `to`, which warns of layers that it keeps in float32
        return nn.Module.to(network, self._dtype(None))

    def further_calls(self, batch: int) -> Sequence[Call]:
        """Return the decoder's call for a batch, on the meta device."""
        latents = torch.empty(batch, *self._shape, device="meta")
        given = {"z": latents, "return_dict": False}
        return (Call(self._components.skeleton("vae"), "decode", given),)

    def inputs(self, batch: int) -> Mapping[str, Any]:
        """
        Return the keyword arguments of one forward of a batch's samples, on the meta device.

        With guidance each sample has two rows.
        """
        rows, dtype = batch * self._guidance.branches, self._dtype(None)
        width = self.config["cross_attention_dim"]
        tokens = self._components.config("text_encoder").get("max_position_embeddings", 77)
        inputs = {
            "sample": torch.empty(rows, *self._shape, device="meta", dtype=dtype),
            "timestep": torch.empty(rows, device="meta"),
            "encoder_hidden_states": torch.empty(rows, tokens, width, device="meta", dtype=dtype),
            "return_dict": False,
        }
        return inputs | self._conditioning.empty(rows, dtype)

    @property
    def short_names(self) -> Mapping[str, Place]:
        """Blocks by short name, and the attentions and residual blocks in them, for updates."""
        names = {name for name, _ in self.skeleton.named_modules()}
        down = [name for name in names if name.startswith("down_blocks.")]
        up = [name for name in names if name.startswith("up_blocks.")]
        levels = range(len(self.config["block_out_channels"]))
        short = {"conv_in": Place("conv_in")}
        for level in levels:
            short |= _inner(f"down.{level}", f"down_blocks.{level}", down)
        middle = [name for name in names if name.startswith("mid_block.")]
        short |= {"mid_block": Place("mid_block")} | _inner("mid", "mid_block", middle)
        for level in levels:
            short |= _inner(f"up.{level}", f"up_blocks.{level}", up)
        return short

    @property
    def default_layers(self) -> Sequence[str]:
        """The middle block."""
        return ("mid",)

    @property
    def times(self) -> tuple[float, ...]:
        """Timesteps of the kept steps, as the scheduler has them, from high to low."""
        return self._times

    @property
    def forwards(self) -> int:
        """Forwards of the network that a sample takes, both branches of guidance counted."""
        return len(self._schedule.timesteps) * self._guidance.branches

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights: those of the autoencoder in float32, the others as they run."""
        width = self._dtype(None).itemsize
        widths = {name: 4 if name == "vae" else width for name in self._needed}
        return sum(self._components.numel(name) * widths[name] for name in widths)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""
        return self._size

    def conditions(self, seed: int, indices: Sequence[int]) -> dict[str, Column]:
        """Return the samples' prompts."""
        return {"prompt": self._prompts.of(indices)}

    def load(self, device: torch.device) -> nn.Module:
        """Read the weights of all networks, and return the UNet, ready on the device."""
        dtype = self._dtype(device)
        self._texts = TextEncoding(self._components, is_double=self._conditioning.is_double)
        self._texts.load(device, dtype)
        self._autoencoder = Autoencoder(
            self._components.load("vae", device=device, dtype=torch.float32)
        )
        self._network = self._components.load(self.component, device=device, dtype=dtype)
        self._device, self._running = device, dtype
        return self._network

    def draw(self, batch: Batch, kept: Recorder) -> Images:
        """Draw a batch's images; the kept branch of kept steps lies inside `kept.keeping`."""
        told = self._texts.told(self._prompts.of(batch.indices))
        if self._guidance.branches == 2:
            negative = self.options.get("negative_prompt")
            told = Told.joined([self._untold(len(batch), negative), told])
        stepper = Stepper(self._schedule, batch, self._device)
        latents = batch.noise(self._shape).to(self._device) * stepper.deviation
        firsts = {self._schedule.timesteps.index(time): time for time in self.times}
        for number, time in enumerate(stepper.times):
            given = stepper.given(latents, time)
            with self._keeping(kept, firsts.get(number), len(batch)):
                output = self._guided(given, time, told)
            latents = stepper.next(output, time, latents)
        return rounded(self._autoencoder.pixels(latents))

    def observe(self, images: Images, batch: Batch, kept: Recorder) -> None:
        """Show given images, with noise and without a text, to the UNet at each of `times`."""
        latents = self._autoencoder.latents(images)
        told = self._untold(len(images))
        for time in self.times:
            stepper = Stepper(self._schedule, batch, self._device)
            now = stepper.times[self._schedule.timesteps.index(time)]
            noise = batch.noise(self._shape, f"noise at {time!r}").to(self._device)
            given = stepper.given(stepper.noised(latents, noise, now), now)
            with kept.keeping(time):
                self._forward(given, now, told)

    def _untold(self, count: int, negative: str | None = None) -> Told:
        """Return what the UNet is told without a prompt; it may be led away from a text."""
        told = self._texts.told([negative or ""])
        if negative is None and self._conditioning.is_nothing_zero:
            told = told.nothing
        return Told.joined([told] * count)

    @contextmanager
    def _keeping(self, kept: Recorder, time: float | None, count: int) -> Iterator[None]:
        if time is None:
            yield
            return
        with kept.keeping(time, rows=self._guidance.rows(count)):
            yield

    def _guided(self, given: torch.Tensor, time: torch.Tensor, told: Told) -> torch.Tensor:
        """Return the UNet's float32 output for latents, led by guidance."""
        rows = torch.cat([given] * self._guidance.branches)
        return self._guidance.led(self._forward(rows, time, told))

    def _forward(self, rows: torch.Tensor, time: torch.Tensor, told: Told) -> torch.Tensor:
        output: torch.Tensor = self._network(
            rows.to(self._running),
            time,
            encoder_hidden_states=told.states,
            return_dict=False,
            **self._conditioning.further(told, self.image_size),
        )[0]
        return output.float()

    @property
    def _needed(self) -> tuple[str, ...]:
        """Names of the networks, the UNet first."""
        is_double = conditioning.is_double(self.config)
        return tuple(name for name in CLASSES if name != "text_encoder_2" or is_double)

    @property
    def _is_distilled(self) -> bool:
        """Whether the model draws in few steps, without guidance."""
        entry = self.source.catalogued(self.component)
        return entry is not None and entry.sampling.guidance == "none"

    @property
    def _usual_guidance(self) -> float | None:
        if self._is_distilled:
            return None
        return 5.0 if self._conditioning.is_double else 7.5

    @property
    def _shape(self) -> tuple[int, int, int]:
        """Channels, height and width of latents."""
        height, width = self.image_size
        factor = self._factor
        return (int(self.config["in_channels"]), height // factor, width // factor)

    @property
    def _factor(self) -> int:
        """Pixels per latent pixel, along a side."""
        factor: int = 2 ** (len(self._components.config("vae")["block_out_channels"]) - 1)
        return factor

    def _dtype(self, device: torch.device | None) -> torch.dtype:
        """Return what the networks run in on a device; unknown ones count as a CPU."""
        if (precision := self.options.get("precision")) is not None:
            return PRECISIONS[precision]
        return torch.float16 if device is not None and device.type == "cuda" else torch.float32

    def _configuration(self) -> Mapping[str, Any]:
        config, path = self._components.config(self.component), self.source.path
        self._components.class_name(self.component)
        _check_channels(self.source, config["in_channels"])
        for key, what in UNSUPPORTED.items():
            if config.get(key):
                raise AtlasError(f"{path}: its UNet is told {what} ({key}), which no probe does")
        return config

    def _chosen_size(self) -> tuple[int, int]:
        """Return height and width of images, as the option or the UNet's own size says."""
        size, factor = self.options.get("size"), self._factor
        if size is None:
            side = self.config.get("sample_size")
            if not side:
                raise AtlasError(
                    f"{self.source.path}: the configuration of its unet has no sample_size; give "
                    "size: [width, height]"
                )
            height, width = (side, side) if isinstance(side, int) else side
            return (height * factor, width * factor)
        is_pair = isinstance(size, list | tuple) and len(size) == 2
        if not is_pair or not all(type(side) is int and side > 0 for side in size):
            raise AtlasError(f"size: {size} is no [width, height] in pixels")
        if any(side % factor for side in size):
            raise AtlasError(
                f"size: {size} is not divisible by {factor}, the side of a latent pixel"
            )
        return (size[1], size[0])

    def _chosen_schedule(self) -> Schedule:
        config = self.source.json("scheduler/scheduler_config.json")
        entry = self.source.catalogued(self.component)
        if config is None and entry is None:
            raise AtlasError(
                f"{self.source.path}: what its unet predicts is told by no folder and no entry of "
                "the catalogue; name a diffusers folder that has scheduler/scheduler_config.json "
                "(configuration: folder)"
            )
        name = "EulerDiscreteScheduler" if self._conditioning.is_double else "DDIMScheduler"
        if config is None:
            assert entry is not None
            config = scheduling.BETAS | {"prediction_type": entry.sampling.prediction}
        name = str(config.get("_class_name", name))
        if self._is_distilled:
            name = scheduling.LCM
        steps = self.options.get("steps")
        if steps is None:
            steps = scheduling.FEW_STEPS if self._is_distilled else STEPS
        if type(steps) is not int or steps < 1:
            raise AtlasError(f"steps: {steps!r} is no number of steps; give a whole number from 1")
        return scheduling.made(
            str(self.options.get("scheduler") or name),
            config,
            steps=steps,
            is_distilled=self._is_distilled,
        )


def _check_channels(source: Source, channels: int) -> None:
    if channels == 4:
        return
    what = OTHER_CHANNELS.get(channels, "no latents of Stable Diffusion, which have 4 channels")
    raise AtlasError(
        f"{source.path}: its UNet takes {channels} channels ({what}); no probe runs it"
    )


def _inner(short: str, module: str, names: Sequence[str]) -> dict[str, Place]:
    """Return a block and the attentions and residual blocks in it, by short name."""
    inner = [
        f".{kind}.{name.rpartition('.')[2]}"
        for kind in ("resnets", "attentions")
        for name in sorted(names)
        if name.startswith(f"{module}.{kind}.") and name.count(".") == module.count(".") + 2
    ]
    return {short: Place(module)} | {short + end: Place(module + end) for end in inner}
