"""What layers of a network see: samples, activations by layer, and how alike two networks are."""
