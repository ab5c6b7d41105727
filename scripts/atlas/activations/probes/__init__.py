"""What knows a kind of network: its layers, its conditioning, and how an image is drawn with it."""
