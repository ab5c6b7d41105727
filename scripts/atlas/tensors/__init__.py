"""Tensors as places in files, before any weight is read."""
