"""What a run was asked for, in the words of titles, axes, findings and pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from atlas.macs.request import CAP, SEPARATOR, Request, Size
from atlas.macs.summary import Sampling

NATIVE = "native"


@dataclass(frozen=True)
class Words:
    """
    The words for a run's settings: no text on figures states a setting that is not from here.

    >>> words = Words(Request(((512, 512), "native"), batch=4, texts=(64, "cap")), Sampling(30))
    >>> words.images, words.guidance, words.steps
    ('a batch of 4 images', 'the usual guidance', '30 steps')
    """

    request: Request
    sampling: Sampling

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Words":
        """Make the words of the settings as YAML has them."""
        asked = ("resolutions", "batch", "text_length", "text_cap")
        request = Request.of(**{name: settings[name] for name in asked})
        return cls(request, Sampling(settings["steps"], settings["guidance"]))

    @property
    def images(self) -> str:
        """What one forward is of."""
        batch = self.request.batch
        return "one image" if batch == 1 else f"a batch of {batch} images"

    @property
    def each_image(self) -> str:
        """What the cost of one image is of: of a batch, its share."""
        batch = self.request.batch
        return "one image" if batch == 1 else f"one image of a batch of {batch}"

    @property
    def per_forward(self) -> str:
        """Return what stands behind a unit of what a forward costs; nothing for one image."""
        batch = self.request.batch
        return "" if batch == 1 else f" of {batch} images"

    @property
    def guidance(self) -> str:
        """How many forwards a step has."""
        match self.sampling.guidance:
            case None:
                return "the usual guidance"
            case True:
                return "guidance by two forwards per step for all"
            case False:
                return "one forward per step for all (no guidance)"

    @property
    def steps(self) -> str:
        """Return the steps that were set; each one's usual number is told beside it."""
        return _many(self.sampling.steps, "step")

    @property
    def text(self) -> str:
        """Return the prompt that findings and pictures are of."""
        return self._prompt(self.request.shown)

    @property
    def texts(self) -> str:
        """All prompts that were asked for."""
        return _listed(self._prompt(str(text)) for text in self.request.texts)

    @property
    def sizes(self) -> str:
        """All sizes that were asked for."""
        return _listed(
            "each one's native size" if size == NATIVE else pixels(size)
            for size in self.request.resolutions
        )

    @property
    def conditions(self) -> str:
        """What a cost of an image is under, beside its size and steps."""
        return ", ".join(
            part
            for part in (
                self.text,
                self.guidance,
                "" if self.request.batch == 1 else f"per image of a batch of {self.request.batch}",
            )
            if part
        )

    def of_row(self, row: Mapping[str, Any]) -> str:
        """Return what a row of the summary is of, beside its size; nothing without text."""
        if not row["prompts"]:
            return ""
        texts = _listed(self._prompt(text) for text in row["prompts"].split(SEPARATOR))
        return f", {texts} ({row['text_tokens']:,} text tokens for the denoiser)"

    @property
    def whole(self) -> str:
        """Everything that was asked for, as a sentence."""
        return (
            f"Asked for: {self.sizes}; {self.steps} and each one's usual number; {self.guidance}; "
            f"{self.images} per forward; {self.texts}."
        )

    def _prompt(self, text: str) -> str:
        cap = self.request.text_cap
        most = "each pipeline's cap" if cap is None else f"a cap of {_many(cap, 'token')}"
        if text == CAP:
            return f"prompts as long as {most}"
        limit = "" if cap is None else f" ({most})"
        return f"prompts of {_many(int(text), 'token')}{limit}"


def pixels(size: Size | str) -> str:
    """
    Write a size in pixels.

    >>> pixels((512, 768))
    '512 × 768 pixels'
    """
    return f"{size[0]} × {size[1]} pixels"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def _listed(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
