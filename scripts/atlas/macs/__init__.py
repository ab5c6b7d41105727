"""Multiply-accumulates of every component, counted on torch's meta device."""
