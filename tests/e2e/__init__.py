"""The whole thing as its users start it."""
