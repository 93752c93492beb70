"""What is kept of a run's place in the chain outside the warehouse."""

from __future__ import annotations

from certrecon.evidence.witness import Witness
from certrecon.warehouse.chain import ChainLink


def witness_of(link: ChainLink, installation: str, inputs: str | None, outcome: str | None) -> Witness:
    """Return the witness of a finalised run.

    Args:
        link: Its place in the chain.
        installation: Which warehouse it is of.
        inputs: The digest of its sealed inputs.
        outcome: The digest of its sealed outcome.
    """
    return Witness(
        installation_id=installation,
        chain_no=link.chain_no,
        run_seq=link.run_seq,
        status=str(link.status),
        previous_sha256=link.previous_sha256,
        chain_sha256=link.chain_sha256,
        inputs_sha256=inputs,
        outcome_sha256=outcome,
    )
