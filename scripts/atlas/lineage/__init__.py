"""What was made from what: recipes in words and pictures, and the directed graph of all relations."""
