"""Many fingerprints in one file, and what an unknown file is by them."""
