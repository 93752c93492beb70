"""Reads what hints point at by id: certificates, their links and persons, and whoever shares their numbers."""

from certrecon.extract.hinted.read import HintedExtract, HintedRead, read_hinted
from certrecon.extract.hinted.wanted import Known, Wanted

__all__ = ["HintedExtract", "HintedRead", "Known", "Wanted", "read_hinted"]
