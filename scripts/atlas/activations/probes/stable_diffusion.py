"""Stable Diffusion 1, 2 and XL, and what was distilled from them."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import nn

from atlas.activations.layers import Place
from atlas.activations.probes import components, schedulers
from atlas.activations.probes.pixel_probe import as_images, as_pixels
from atlas.activations.probes.probe import Column, Images, Probe
from atlas.activations.probes.prompts import of_sample, prompts_of
from atlas.activations.probes.texts import Encoded, TextEncoding
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch
from atlas.activations.sources import Source
from atlas.architectures import build, catalogue
from atlas.basis.errors import AtlasError

PRECISIONS = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
STEPS, GUIDANCE, GUIDANCE_XL = 20, 7.5, 5.0
"""Where neither the settings nor the architecture tell others."""
ADDED_TIMES = 6
"""Numbers that XL is told of an image: its sizes, and where it was cut."""
DISTILLED = "none"
"""Guidance of architectures that were distilled to do without."""


class StableDiffusionProbe(Probe):
    """A `UNet2DConditionModel` of latents with CLIP's text encoders and an autoencoder."""

    name = "stable_diffusion"
    title = "Stable Diffusion 1, 2 and XL"
    component = "unet"
    time_name = "timestep"
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

    def __init__(self, source: Source, options: Mapping[str, Any]) -> None:
        super().__init__(source, options)
        for name in self._parts:
            source.required(name)
        self._architecture = components.architecture_of(source, self.component)
        self._check_channels()
        self._prompts = prompts_of(self.options.get("prompts"))
        self._steps = int(self._option("steps", self._usual_steps))
        self._kept = self._kept_steps()
        self._check_size()
        self._check_times()

    @classmethod
    def fits(cls, source: Source) -> bool:
        """Tell whether a source has a UNet that reads texts, whatever else it lacks."""
        if config := source.config(cls.component):
            return config.get("_class_name") == "UNet2DConditionModel"
        return any("transformer_blocks" in name for name in source.tensors(cls.component))

    def _option(self, name: str, usual: Any) -> Any:
        said = self.options.get(name)
        return usual if said is None else said

    @cached_property
    def _is_distilled(self) -> bool:
        """Whether it draws in few steps without guidance, which the roster alone can tell."""
        stated = self.source.architecture
        if stated not in catalogue.names():
            return False
        return catalogue.load(stated).sampling.guidance == DISTILLED

    @property
    def _usual_steps(self) -> int:
        return len(schedulers.DISTILLED_STEPS) if self._is_distilled else STEPS

    @property
    def _guidance(self) -> float:
        """Scale of the guidance; 1 where there is none."""
        if "guidance" in self.options:
            return float(self.options["guidance"] or 1.0)
        if self._is_distilled:
            return 1.0
        return GUIDANCE_XL if self._is_xl else GUIDANCE

    @property
    def _is_guided(self) -> bool:
        return self._guidance > 1 or self.options.get("branch") == "unconditional"

    @cached_property
    def _is_xl(self) -> bool:
        return self._config.get("addition_embed_type") == "text_time"

    @cached_property
    def _config(self) -> Mapping[str, Any]:
        return components.config_of(self._architecture, self.component)

    @cached_property
    def _vae_config(self) -> Mapping[str, Any]:
        return components.config_of(self._architecture, "vae")

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        """Names of all networks that are run."""
        there = {tensor.component for tensor in self.source.checkpoint.tensors}
        second = [name for name in ("text_encoder_2",) if name in there]
        return ("unet", "vae", "text_encoder", *second)

    def _check_channels(self) -> None:
        taken, given = self._config["in_channels"], self._config["out_channels"]
        if taken != given:
            raise AtlasError(
                f"{self.source.path}: its UNet takes {taken} channels and gives {given}: that of "
                "inpainting or of editing by instructions, which draws from an image that it is "
                "given; probes draw from noise alone"
            )

    def _kept_steps(self) -> tuple[int, ...]:
        told = self._option("timesteps", [self._steps // 2])
        kept = range(self._steps) if told == "all" else told
        if not isinstance(kept, list | tuple | range) or not len(kept):
            raise AtlasError(f"timesteps: {told!r}: give numbers of steps from 0 on, or all")
        for step in kept:
            if not 0 <= step < self._steps:
                raise AtlasError(
                    f"timesteps: there is no step {step} of {self._steps}; they are counted from "
                    f"0 to {self._steps - 1}"
                )
        return tuple(sorted(set(kept)))

    def _check_size(self) -> None:
        height, width = self.image_size
        factor = self._factor * 2 ** (len(self._config["block_out_channels"]) - 1)
        if height % factor or width % factor:
            raise AtlasError(
                f"size: {width} x {height} pixels can't be halved as often as the networks do; "
                f"take multiples of {factor}"
            )

    def _check_times(self) -> None:
        if len(set(self.times)) < len(self.times):
            raise AtlasError("timesteps: the scheduler takes one of the kept timesteps twice")

    @cached_property
    def _factor(self) -> int:
        """Pixels of an image along a side, for each of a latent."""
        return int(2 ** (len(self._vae_config["block_out_channels"]) - 1))

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""
        if size := self.options.get("size"):
            return size[1], size[0]
        side = self._config["sample_size"] or self._architecture.native // self._factor
        return side * self._factor, side * self._factor

    @property
    def _latent_shape(self) -> tuple[int, int, int]:
        height, width = self.image_size
        return int(self._config["in_channels"]), height // self._factor, width // self._factor

    @cached_property
    def skeleton(self) -> nn.Module:
        """The UNet on torch's meta device."""
        return build.component(self._architecture, self.component, torch.float32)

    def inputs(self, batch: int) -> Mapping[str, Any]:
        """Return the keyword arguments of one forward of a batch's samples, on the meta device."""
        rows = 2 * batch if self._is_guided else batch

        def empty(*shape: int) -> torch.Tensor:
            return torch.empty(shape, device="meta")

        tokens = self._architecture.components["text_encoder"].most_tokens or 77
        inputs: dict[str, Any] = {
            "sample": empty(rows, *self._latent_shape),
            "timestep": empty(),
            "encoder_hidden_states": empty(rows, tokens, self._config["cross_attention_dim"]),
            "return_dict": False,
        }
        if self._is_xl:
            times = ADDED_TIMES * self._config["addition_time_embed_dim"]
            width = self._config["projection_class_embeddings_input_dim"] - times
            inputs["added_cond_kwargs"] = {
                "text_embeds": empty(rows, width),
                "time_ids": empty(rows, ADDED_TIMES),
            }
        return inputs

    @property
    def short_names(self) -> Mapping[str, Place]:
        """Blocks, and the modules in them whose input and output are alike."""
        names = {"conv_in": "conv_in"}
        for level, block in enumerate(self.skeleton.get_submodule("down_blocks").children()):
            names |= _inside(f"down.{level}", f"down_blocks.{level}", block)
        names |= _inside("mid", "mid_block", self.skeleton.get_submodule("mid_block"))
        for level, block in enumerate(self.skeleton.get_submodule("up_blocks").children()):
            names |= _inside(f"up.{level}", f"up_blocks.{level}", block)
        return {name: Place(module) for name, module in names.items()}

    @property
    def default_layers(self) -> Sequence[str]:
        """The middle block."""
        return ("mid",)

    @cached_property
    def times(self) -> tuple[float, ...]:
        """Timesteps at which values are kept, from high to low."""
        timesteps = self._begun("cpu")[1]
        if len(timesteps) <= max(self._kept):
            raise AtlasError(
                f"timesteps: the scheduler makes {len(timesteps)} steps of {self._steps}, so "
                f"there is no step {max(self._kept)}"
            )
        return tuple(float(timesteps[step]) for step in self._kept)

    def _begun(self, device: Any) -> tuple[Any, torch.Tensor]:
        """Return the scheduler at its start, and its timesteps."""
        told = self.source.json("scheduler/scheduler_config.json")
        usual = told["_class_name"] if told else self._usual_scheduler
        name = self._option("scheduler", usual)
        fact = self._architecture.sampling.prediction
        config = told or schedulers.STABLE_DIFFUSION | self._usual_config(name, fact)
        scheduler = schedulers.made(config, name)
        given = schedulers.DISTILLED_STEPS if self._takes_distilled_steps(name) else None
        timesteps = schedulers.set_steps(scheduler, self._steps, timesteps=given, device=device)
        return scheduler, timesteps

    @property
    def _usual_scheduler(self) -> str:
        if self._is_distilled:
            return "LCMScheduler"
        return "EulerDiscreteScheduler" if self._is_xl else "DDIMScheduler"

    def _usual_config(self, name: str, prediction: str) -> dict[str, Any]:
        kinds = {"v": "v_prediction", "velocity": "v_prediction"}
        config: dict[str, Any] = {"prediction_type": kinds.get(prediction, prediction)}
        if name == "DDIMScheduler":
            config |= {"clip_sample": False, "set_alpha_to_one": False}
        if name == "PNDMScheduler":
            config |= {"skip_prk_steps": True}
        return config

    def _takes_distilled_steps(self, name: str) -> bool:
        usual = self._steps == len(schedulers.DISTILLED_STEPS) and name == "LCMScheduler"
        return self._is_distilled and usual

    @property
    def forwards(self) -> int:
        """Forwards of the UNet that a sample takes, both branches of guidance counted."""
        return len(self._begun("cpu")[1]) * (2 if self._is_guided else 1)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all networks: the autoencoder in float32, the others as they run."""
        size = self._dtype(torch.device("cpu")).itemsize
        return sum(
            components.weight_count(self.source, name) * (4 if name == "vae" else size)
            for name in self._parts
        )

    def _dtype(self, device: torch.device) -> torch.dtype:
        usual = "float16" if device.type == "cuda" else "float32"
        return PRECISIONS[self._option("precision", usual)]

    def conditions(self, seed: int, indices: Sequence[int]) -> dict[str, Column]:
        """Return the samples' prompts."""
        return {"prompt": [of_sample(self._prompts, index) for index in indices]}

    def load(self, device: torch.device) -> nn.Module:
        """Read the weights of all networks, and return the UNet, ready on the device."""
        made = {
            name: components.loaded(
                self.source,
                self._architecture,
                name,
                dtype=torch.float32 if name == "vae" else self._dtype(device),
                device=device,
            )
            for name in self._parts
        }
        index = self.source.json("model_index.json") or {}
        encoders = [made[name] for name in self._parts if name.startswith("text_encoder")]
        self._texts = TextEncoding(
            self.source,
            encoders,
            blanks_are_zero=self._is_xl and index.get("force_zeros_for_empty_prompt", True),
        )
        self._vae: Any = made["vae"]
        self._unet: Any = made["unet"]
        self._device = device
        return made["unet"]

    def draw(self, batch: Batch, kept: Recorder) -> Images:
        """Draw a batch's images by their prompts, and keep the forwards of the kept steps."""
        texts = [of_sample(self._prompts, index) for index in batch.indices]
        forward = self._forward(texts)
        scheduler, timesteps = self._begun(self._device)
        latents = batch.noise(self._latent_shape).to(self._device, self._dtype(self._device))
        latents = latents * scheduler.init_noise_sigma
        noise = schedulers.noise_of(scheduler, batch, self._device)
        for step, time in enumerate(timesteps):
            given = scheduler.scale_model_input(latents, time)
            if step in self._kept:
                with kept.keeping(float(time), self._rows(len(batch))):
                    estimate = forward(given, time)
            else:
                estimate = forward(given, time)
            latents = scheduler.step(estimate, time, latents, **noise, return_dict=False)[0]
        return self._decoded(latents)

    def observe(self, images: Images, batch: Batch, kept: Recorder) -> None:
        """Show images, encoded and with the noise of each kept timestep, without a text."""
        forward = self._forward([""] * len(batch))
        pixels = as_pixels(images, channels=3).to(self._device)
        encoded = self._vae.encode(pixels).latent_dist.mean
        latents = ((encoded - self._shift) * self._vae_config["scaling_factor"]).to(
            self._dtype(self._device)
        )
        for step, time in zip(self._kept, self.times, strict=True):
            scheduler, timesteps = self._begun(self._device)
            noise = batch.noise(self._latent_shape, f"noise at step {step}").to(latents)
            at = timesteps[step].expand(len(batch))
            noisy = scheduler.add_noise(latents, noise, at)
            given = scheduler.scale_model_input(noisy, timesteps[step])
            with kept.keeping(time, self._rows(len(batch))):
                forward(given, timesteps[step])

    @property
    def _shift(self) -> float:
        return float(self._vae_config.get("shift_factor") or 0.0)

    def _rows(self, count: int) -> slice | None:
        """Return which rows of a forward belong to the branch that is kept: that of the text."""
        if not self._is_guided:
            return None
        is_blank = self.options.get("branch") == "unconditional"
        return slice(0, count) if is_blank else slice(count, 2 * count)

    def _forward(self, texts: Sequence[str]) -> Any:
        """Return the function that estimates noise from latents, guided where that is asked for."""
        encoded = [self._texts.of(texts, self._device)]
        if self._is_guided:
            blank = str(self._option("negative_prompt", ""))
            encoded.insert(0, self._texts.of_nothing(blank, len(texts), self._device))
        both = Encoded(torch.cat([each.states for each in encoded]), self._pooled(encoded))
        added = self._added(both)

        def forward(latents: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
            given = torch.cat([latents] * len(encoded))
            estimate: torch.Tensor = self._unet(
                given,
                time,
                encoder_hidden_states=both.states,
                added_cond_kwargs=added,
                return_dict=False,
            )[0]
            if len(encoded) == 1:
                return estimate
            blank, told = estimate.chunk(2)
            return blank + self._guidance * (told - blank)

        return forward

    def _pooled(self, encoded: Sequence[Encoded]) -> torch.Tensor | None:
        pooled = [each.pooled for each in encoded if each.pooled is not None]
        return torch.cat(pooled) if pooled else None

    def _added(self, encoded: Encoded) -> dict[str, torch.Tensor] | None:
        """Return what XL is told beside the text: pooled texts, and that nothing was cut off."""
        if not self._is_xl:
            return None
        assert encoded.pooled is not None
        height, width = self.image_size
        numbers = torch.tensor([height, width, 0, 0, height, width], dtype=encoded.pooled.dtype)
        ids = numbers.to(self._device).expand(len(encoded.pooled), -1)
        return {"text_embeds": encoded.pooled, "time_ids": ids}

    def _decoded(self, latents: torch.Tensor) -> Images:
        scaled = latents.float() / self._vae_config["scaling_factor"] + self._shift
        return as_images(self._vae.decode(scaled, return_dict=False)[0].clamp(-1, 1))


def _inside(name: str, path: str, block: nn.Module) -> dict[str, str]:
    """Return short names of a block and of its layers."""
    found = {name: path}
    for kind in ("resnets", "attentions"):
        layers = getattr(block, kind, None)
        for number, layer in enumerate(layers.children() if layers is not None else ()):
            if isinstance(layer, nn.Module):
                found[f"{name}.{kind}.{number}"] = f"{path}.{kind}.{number}"
    return found
