"""What rosters and files' metadata say of a model's making."""
