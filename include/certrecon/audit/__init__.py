"""Proof after the fact: what the warehouse and the evidence say is recomputed, and a run is made again.

`verify` recomputes every digest and names what does not hold, `purge` removes expired evidence on the
record, `replay` makes a run again from its evidence alone.
"""
