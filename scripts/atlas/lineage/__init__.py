"""What was made from what: recipes in words and pictures, and the graph of all relations."""
