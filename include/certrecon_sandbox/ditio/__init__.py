"""Ditio's integration API, as far as its documents go."""
