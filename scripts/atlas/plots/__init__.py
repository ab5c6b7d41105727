"""Pictures of what the models of a group are to each other."""
