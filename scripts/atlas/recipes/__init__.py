"""How models follow from others: parents with weights, found from distances; the arithmetic of merges."""
