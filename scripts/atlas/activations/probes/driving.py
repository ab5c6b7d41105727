"""A pipeline of diffusers whose own loop draws, with the calls of its transformer watched."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.utils import is_accelerate_available

from atlas.activations.outputs import input_tensor
from atlas.activations.probes.guidance import Guidance
from atlas.activations.probes.pipelines import Pipeline
from atlas.activations.probes.pixel_probe import as_pixels
from atlas.activations.probes.probe import Images
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source

Forward = Callable[..., Any]


def loaded(pipeline: Pipeline, source: Source, dtype: torch.dtype) -> Any:
    """
    Return a folder's pipeline with its weights, on the CPU.

    Of safetensors and configuration alone: nothing is fetched, no code of the folder runs.

    Raises
    ------
    AtlasError
        diffusers can't make it of what is there.
    """
    try:
        made = pipeline.kind.from_pretrained(
            str(source.path),
            local_files_only=True,
            use_safetensors=True,
            dtype=dtype,
            low_cpu_mem_usage=is_accelerate_available(),
        )
    except (OSError, ValueError, TypeError, KeyError, ImportError, RuntimeError) as error:
        raise AtlasError(
            f"{source.path}: diffusers can't make its {pipeline.name} ({error}); give the whole "
            "folder, with weights as safetensors"
        ) from error
    made.set_progress_bar_config(disable=True)
    return made


class Driven:
    """
    A pipeline with its weights, and what it is expected to do.

    Parameters
    ----------
    made
        The pipeline, on its device.
    facts
        What is known of its class.
    guidance
        How the calls that follow are guided.
    timesteps
        Of the steps.
    """

    def __init__(
        self, made: Any, facts: Pipeline, guidance: Guidance, timesteps: Sequence[float]
    ) -> None:
        self._made = made
        self._facts = facts
        self._guidance = guidance
        self._timesteps = timesteps

    def draw(self, call: Mapping[str, Any], waiting: Mapping[int, float], kept: Recorder) -> Any:
        """
        Return what a call of the pipeline draws, float (samples, height, width, 3), 0 to 1.

        Parameters
        ----------
        call
            The pipeline's arguments.
        waiting
            Steps whose forward runs inside `kept.keeping`, each with its timestep.

        Raises
        ------
        AtlasError
            The pipeline runs other timesteps, or other rows, than its class is known for, or draws
            noise that is no sample's own.
        """
        count = len(call["prompt"])
        is_joint = self._facts.branches == "rows"
        turns = 1 if is_joint else self._guidance.branches
        rows = self._guidance.rows(count) if is_joint else slice(0, count)
        kept_turn = 0 if is_joint or self._guidance.is_conditional else 1
        expected = count * (self._guidance.branches if is_joint else 1)
        calls = 0

        def forward(plain: Forward, *args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            step, turn = divmod(calls, turns)
            calls += 1
            if step not in waiting or turn != kept_turn:
                return plain(*args, **kwargs)
            self._check(step, waiting[step], args, kwargs, expected)
            with kept.keeping(waiting[step], rows):
                return plain(*args, **kwargs)

        before = self._shared_noise()
        with self._replaced(forward):
            images = self._made(**call).images
        if not torch.equal(before, self._shared_noise()):
            raise AtlasError(
                f"scheduler: {type(self._made.scheduler).__name__} of this folder draws noise that "
                f"{self._facts.name} gives no generator for, so that a sample would depend on its "
                "neighbours; give the folder a scheduler that draws none, such as "
                "FlowMatchEulerDiscreteScheduler without stochastic_sampling"
            )
        if calls != turns * len(self._timesteps):
            raise self._unexpected(f"{calls} forwards, not {turns * len(self._timesteps)}")
        return images

    def show(
        self,
        images: Images,
        batch: Batch,
        call: Mapping[str, Any],
        waiting: Mapping[int, float],
        kept: Recorder,
    ) -> None:
        """
        Show images, with each waiting step's noise, to the network in the pipeline's loop.

        Parameters
        ----------
        call
            The pipeline's arguments, for one branch.
        waiting
            Steps whose forward runs, inside `kept.keeping`; no other runs the network.

        Raises
        ------
        AtlasError
            The pipeline runs other timesteps, or other rows, than its class is known for.
        """
        latents = self._encoded(images)
        calls = 0

        def forward(plain: Forward, *args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            step, calls = calls, calls + 1
            if step not in waiting:
                return (self._nothing(input_tensor(args, kwargs)),)
            self._check(step, waiting[step], args, kwargs, len(batch))
            shown = self._noised(latents, batch, step, waiting[step])
            args, kwargs = _with_input(args, kwargs, shown)
            with kept.keeping(waiting[step]):
                return plain(*args, **kwargs)

        with self._replaced(forward):
            self._made(**(dict(call) | {"output_type": "latent"}))

    @contextmanager
    def _replaced(self, forward: Forward) -> Iterator[None]:
        """Have the transformer run another forward, which is given its own one first."""
        network = self._made.transformer
        plain = network.forward
        network.forward = lambda *args, **kwargs: forward(plain, *args, **kwargs)
        try:
            yield
        finally:
            del network.forward  # the class's own is found again

    def _shared_noise(self) -> torch.Tensor:
        """Return the state of the device's own generator, which no sample's noise may come from."""
        device = self._made.device
        if device.type == "cuda":
            return torch.cuda.get_rng_state(device)
        return torch.get_rng_state()

    def _check(
        self, step: int, time: float, args: Any, kwargs: Mapping[str, Any], rows: int
    ) -> None:
        there = float(self._made.scheduler.timesteps[step])
        if abs(there - time) > 1e-3:
            raise self._unexpected(f"timestep {there:g} in step {step}, not {time:g}")
        given = input_tensor(args, kwargs)
        if given is None or len(given) != rows:
            found = "no latents" if given is None else f"{len(given)} rows"
            raise self._unexpected(f"{found} in step {step}, not {rows} rows")

    def _unexpected(self, what: str) -> AtlasError:
        return AtlasError(
            f"{self._facts.name}: runs {what}; its entry in config/probes/pipelines.yaml does not "
            "suit this version of diffusers"
        )

    def _encoded(self, images: Images) -> torch.Tensor:
        """Return the autoencoder's latents (samples, channels, height, width) of images."""
        vae = self._made.vae
        pixels = as_pixels(images, channels=3).to(vae.device, vae.dtype)
        encoded = vae.encode(pixels)
        plain = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latent
        shift = vae.config.get("shift_factor") or 0.0
        latents: torch.Tensor = (plain - shift) * vae.config["scaling_factor"]
        return latents

    def _noised(self, latents: torch.Tensor, batch: Batch, step: int, time: float) -> torch.Tensor:
        """Return what the network is given of clean latents in a step: noised, scaled, packed."""
        scheduler = self._made.scheduler
        at = scheduler.timesteps[step]
        noise = batch.noise(latents.shape[1:], f"noise at {time!r}").to(latents)
        times = at.expand(len(latents))
        if hasattr(scheduler, "scale_noise"):
            noisy = scheduler.scale_noise(latents, times, noise)
        else:
            noisy = scheduler.scale_model_input(scheduler.add_noise(latents, noise, times), at)
        if hasattr(self._made, "_pack_latents"):
            noisy = self._made._pack_latents(noisy, *noisy.shape)
        shown: torch.Tensor = noisy
        return shown

    def _nothing(self, given: torch.Tensor | None) -> torch.Tensor:
        """Return zeros in the place of the network's output."""
        if given is None:
            raise self._unexpected("forwards without latents")
        shape = list(given.shape)
        if len(shape) == 4:
            shape[1] = self._made.transformer.config.get("out_channels") or shape[1]
        return given.new_zeros(shape)


def _with_input(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], shown: torch.Tensor
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a forward's arguments with other latents, in the dtype of those there."""
    if args:
        return (shown.to(args[0].dtype), *args[1:]), dict(kwargs)
    return (), dict(kwargs) | {"hidden_states": shown.to(kwargs["hidden_states"].dtype)}
