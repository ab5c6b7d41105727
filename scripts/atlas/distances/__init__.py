"""Distances between contents: planned from fingerprints, measured in one pass, kept in shards."""
