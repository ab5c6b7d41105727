"""What is said of a digit's picture: a template filled with the digit's word or figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caption:
    """A caption and the digit that it names."""

    text: str
    digit: int


def captions(templates: list[str], words: list[list[str]]) -> list[Caption]:
    """
    Return a caption for each template and each word of each digit, digit by digit.

    >>> [caption.text for caption in captions(["the {}"], [["zero", "0"], ["one"]])]
    ['the zero', 'the 0', 'the one']
    """
    return [
        Caption(text=template.format(word), digit=digit)
        for digit, names in enumerate(words)
        for word in names
        for template in templates
    ]
