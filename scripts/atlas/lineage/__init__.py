"""What was made from what: the arithmetic of merges."""
