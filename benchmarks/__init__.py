"""Measurements of the whole run, one command: `make bench`."""
