"""Telling people and programs what a run came to: notifiers, asset events, metrics and closing lines."""
