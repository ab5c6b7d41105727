"""Differences of low rank: LoRAs that were baked into a model."""
