"""Evidence: what a run was judged on and what came of it, sealed by digests."""

from certrecon.evidence.manifest import SealedFile, SealedPart
from certrecon.evidence.store import Part, RunEvidence, WrittenFile, WrittenTable, highest_run

__all__ = ["Part", "RunEvidence", "SealedFile", "SealedPart", "WrittenFile", "WrittenTable", "highest_run"]
