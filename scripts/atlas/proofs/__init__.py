"""Recipes made again from the weights, and counted bit for bit."""
