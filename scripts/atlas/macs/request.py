"""What is asked for: architectures, sizes, batch, texts and guidance; checked before torch is."""

from collections.abc import Sequence
from dataclasses import dataclass

from atlas.architectures import sizes
from atlas.architectures.architecture import Architecture
from atlas.architectures.sizes import Lengths
from atlas.basis.errors import AtlasError

GROWTH = (512, 1024)
"""Sides in pixels of the squares between which the growth of every forward is told."""
FURTHER = 2048
"""Side of one more square that is drawn, where a model makes such images."""
BEYOND = 4
"""Sides as a multiple of the native one beyond which nobody makes images with a model."""

CAP = "cap"
"""In place of a prompt's tokens: as many as the pipeline takes at most."""

SEPARATOR = ", "
"""Between prompts that are one row."""

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Prompt:
    """A prompt of one architecture, or several that all its networks are given as one length."""

    asked: tuple[str, ...] = ()
    """As the setting has them: numbers of tokens, or "cap"; empty for a model without text."""
    lengths: Lengths | None = None
    """None where it takes no such prompt."""
    problem: str = ""

    @property
    def name(self) -> str:
        """Return what tells it from the others of its architecture in tables."""
        return name_of(self.asked)


def name_of(asked: Sequence[str]) -> str:
    """
    Write prompts that are one row.

    >>> name_of(["64", "cap"])
    '64, cap'
    """
    return SEPARATOR.join(asked)


@dataclass(frozen=True)
class Request:
    """One profile of any architecture."""

    resolutions: tuple[Size | str, ...]
    """Sizes in pixels, and "native"."""
    batch: int = 1
    """Images per forward."""
    texts: tuple[int | str, ...] = (CAP,)
    """Tokens of the prompts, and "cap"."""
    text_cap: int | None = None
    """Another cap than each pipeline's own."""

    @classmethod
    def of(
        cls,
        resolutions: Sequence[Sequence[int] | str],
        batch: int,
        text_length: Sequence[int | str] | int | None,
        text_cap: int | None = None,
    ) -> "Request":
        """Make a request of the settings as YAML has them; no text length is the cap."""
        made = (size if isinstance(size, str) else (size[0], size[1]) for size in resolutions)
        listed = [text_length] if isinstance(text_length, int | str) else text_length or [CAP]
        return cls(tuple(made), batch, tuple(dict.fromkeys(listed)), text_cap)

    @property
    def shown(self) -> str:
        """
        Return the prompt that findings and pictures are of: the typical one where both are asked.

        >>> Request((), texts=("cap", 64)).shown, Request(()).shown
        ('64', 'cap')
        """
        return str(next((text for text in self.texts if text != CAP), CAP))

    def sizes(self, architecture: Architecture) -> list[Size]:
        """Return the sizes asked for, "native" told in pixels, each once."""
        native = architecture.native_size
        found = [native if isinstance(size, str) else size for size in self.resolutions]
        return list(dict.fromkeys(found))

    def prompts(self, architecture: Architecture) -> list[Prompt]:
        """Return the prompts asked for; those that come to the same lengths are one."""
        if architecture.text is None:
            return [Prompt((), sizes.lengths(architecture, None))]
        found: dict[object, Prompt] = {}
        for text in self.texts:
            prompt = self._prompt(architecture, text)
            key = _given(prompt.lengths) if prompt.lengths else prompt.problem
            if key in found:
                known = found[key]
                prompt = Prompt((*known.asked, *prompt.asked), known.lengths, known.problem)
            found[key] = prompt
        return list(found.values())

    def _prompt(self, architecture: Architecture, text: int | str) -> Prompt:
        tokens = text if isinstance(text, int) else None
        try:
            return Prompt((str(text),), sizes.lengths(architecture, tokens, self.text_cap))
        except AtlasError as error:
            return Prompt((str(text),), problem=str(error))


def _given(lengths: Lengths) -> object:
    """Return what the networks are given, whatever the prompt."""
    return lengths.denoiser, lengths.attended, tuple(lengths.encoders.items())


def growth_sizes(architecture: Architecture) -> list[Size]:
    """Return the squares for the growth that a model of images makes: the range, one beyond."""
    if architecture.video is not None:
        return []
    found = [(side, side) for side in (*GROWTH, FURTHER) if side <= BEYOND * architecture.native]
    if (max(GROWTH), max(GROWTH)) not in found:
        return []
    return [size for size in found if problem_of(architecture, size) is None]


def problem_of(architecture: Architecture, size: Size) -> str | None:
    """Return what is wrong with a size for this architecture; None if it can be made."""
    try:
        sizes.check_size(architecture, *size)
    except AtlasError as error:
        return str(error)
    return None


def check(architectures: Sequence[Architecture], request: Request) -> None:
    """
    Check a request against all architectures that it is for.

    A size or text length that only some of them can't make is told in their rows.

    Raises
    ------
    AtlasError
        for a batch that is not possible, or a size or text length that none of them can make.
    """
    sizes.check_batch(request.batch)
    faults = _common([_text_faults(entry, request) for entry in architectures])
    for size in request.resolutions:
        if isinstance(size, tuple):
            problems = [problem_of(entry, size) for entry in architectures]
            if all(problems):
                faults.append(str(problems[0]))
    if faults:
        raise AtlasError("\n".join(dict.fromkeys(faults)))


def _text_faults(architecture: Architecture, request: Request) -> dict[str, str]:
    """Return what is wrong with each prompt that an architecture does not take."""
    prompts = request.prompts(architecture)
    return {text: prompt.problem for prompt in prompts if prompt.problem for text in prompt.asked}


def _common(faults: Sequence[dict[str, str]]) -> list[str]:
    """Return the faults of the prompts that none of the architectures takes."""
    first = faults[0] if faults else {}
    return [fault for text, fault in first.items() if all(text in each for each in faults)]
