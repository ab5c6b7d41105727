"""Names of architectures as pictures write them, where room is scarce."""


def brief(label: str) -> str:
    """
    Write a label in short.

    >>> brief("Stable Diffusion XL 1.0"), brief("Stable Diffusion 3.5 Large")
    ('SDXL 1.0', 'SD 3.5 Large')
    """
    return label.replace("Stable Diffusion XL", "SDXL").replace("Stable Diffusion", "SD")
