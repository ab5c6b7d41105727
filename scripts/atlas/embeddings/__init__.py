"""Maps of words as text encoders see them, and what a fine-tune did to the vocabulary."""
