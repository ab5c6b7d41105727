"""What each model of the roster holds."""
