"""Networks that run: weights and configurations found, held against one another, and loaded."""
