"""A miniature of Stable Diffusion 1, trained on handwritten digits, and its relatives."""
