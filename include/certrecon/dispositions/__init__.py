"""The one outcome of every claim, what would be sent, and what no claim supports any more."""
