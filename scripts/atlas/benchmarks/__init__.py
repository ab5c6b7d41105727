"""What jobs took, beside what their rules had declared."""
