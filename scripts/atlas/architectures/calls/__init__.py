"""How a denoiser is called: its arguments derived from its forward's signature and from facts."""
