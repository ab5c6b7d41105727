"""Where a denoiser's modules outside its units belong: image, text, conditions or head."""

import re
from collections.abc import Iterable

from atlas.architectures.portraits import Piece

STREAMS = {
    "head": r"^(norm_out|proj_out|all_final_layer|conv_norm_out|conv_out|scale_shift_table)",
    "text": r"^(context_|caption_|txt_|text_|cap_|encoder_hid_proj)",
    "condition": r"^(time|t_embedder|adaln|class_|add_|distilled_|double_stream|single_stream)",
    "image": "",
}
"""Stream to the pattern of its modules' names; the first that fits decides."""


def by_stream(outside: Iterable[Piece]) -> dict[str, list[Piece]]:
    """Return the pieces of each stream; all four streams are there."""
    found: dict[str, list[Piece]] = {stream: [] for stream in STREAMS}
    for piece in outside:
        found[next(s for s, pattern in STREAMS.items() if re.search(pattern, piece.mark))].append(
            piece
        )
    return found
