"""Give every tensor one name, whatever layout its file has."""
