"""Fingerprints: one streaming read of a checkpoint gives every tensor's digests and moments."""
