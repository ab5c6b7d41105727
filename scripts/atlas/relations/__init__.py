"""What the models of a group are to each other: contents side by side, verdicts, sums, matrices."""
