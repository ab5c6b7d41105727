"""Architectures as facts in YAML, built on torch's meta device: no weights, no GPU."""
