"""How models follow from others: parents with weights, found from distances; merging."""
