"""Witnesses outside the warehouse: they tell a chain that was cut off or made anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from certrecon.audit.breach import Breach, changed, missing, run_words
from certrecon.audit.chain import chained, own_digest
from certrecon.audit.stores import Stores, root_address
from certrecon.errors import EvidenceError
from certrecon.evidence import RunEvidence
from certrecon.evidence.witness import Witness, read_witness, witnessed_runs
from certrecon.warehouse.runmodel import RunRecord

Found = Mapping[tuple[str, int], Witness | EvidenceError | None]
"""Witnesses by store and run; an error where one cannot be read."""


def find_witnesses(stores: Stores, addresses: Iterable[str]) -> Found:
    """Return every witness of some stores."""
    found: dict[tuple[str, int], Witness | EvidenceError | None] = {}
    for address in addresses:
        root = stores.root(address)
        for run_seq in witnessed_runs(root):
            found[address, run_seq] = _read(RunEvidence(root, run_seq))
    return found


def check_witnesses(runs: Sequence[RunRecord], stores: Stores, found: Found, installation: str) -> list[Breach]:
    """Hold the chain against its witnesses.

    Args:
        runs: Every run of the warehouse, read after the witnesses.
        stores: The evidence stores.
        found: The witnesses.
        installation: Which warehouse this is; what others wrote into the same store says nothing.
    """
    of_run = {run.run_seq: run for run in runs}
    own = _own(found, installation)
    last = max((run.chain_no or 0 for run in runs), default=0)
    breaches = [_cut_off(witness, last) for seq, witness in sorted(own.items()) if seq not in of_run]
    for run in chained(runs):
        breaches += _check_run(run, stores, found, own, installation)
    return breaches + [_unlinked(of_run[seq], one) for seq, one in own.items() if _lost_place(of_run.get(seq))]


def _read(evidence: RunEvidence) -> Witness | EvidenceError | None:
    try:
        return read_witness(evidence)
    except EvidenceError as error:
        return error


def _own(found: Found, installation: str) -> dict[int, Witness]:
    own = {}
    for (_, run_seq), witness in found.items():
        if isinstance(witness, Witness) and witness.installation_id == installation:
            own[run_seq] = witness
    return own


def _lost_place(run: RunRecord | None) -> bool:
    return run is not None and run.chain_no is None


def _cut_off(witness: Witness, last: int) -> Breach:
    name = run_words(witness.run_seq, witness.chain_no)
    how = "the end of the chain was cut off" if witness.chain_no > last else "it was deleted"
    words = f"{name.capitalize()} is missing: {how}. The evidence store still has its witness."
    return missing(f"run {witness.run_seq}", words)


def _check_run(
    run: RunRecord, stores: Stores, found: Found, own: Mapping[int, Witness], installation: str
) -> list[Breach]:
    evidence = stores.evidence_of(run)
    if evidence is None or run.evidence_uri is None:
        return []
    witness = found.get((root_address(run.evidence_uri), run.run_seq)) or _read(evidence)
    where = f"run {run.run_seq}, chain.json"
    if witness is None:
        return [_without(run, where)] if run.outcome_sha256 else []
    if isinstance(witness, EvidenceError):
        return [changed(where, f"The witness of run {run.run_seq} is not readable any more: it was changed.")]
    if witness.installation_id != installation or witness.run_seq != run.run_seq:
        words = f"The witness of run {run.run_seq} is another warehouse's or another run's: it was exchanged."
        return [changed(where, words)]
    return _compare(run, witness, own, where)


def _without(run: RunRecord, where: str) -> Breach:
    return missing(where, f"The witness of {run_words(run.run_seq, run.chain_no)} is missing in the evidence store.")


def _compare(run: RunRecord, witness: Witness, own: Mapping[int, Witness], where: str) -> list[Breach]:
    differing = [name for name in _COMPARED if getattr(witness, name) != getattr(run, name)]
    if not differing:
        return []
    if own_digest(run) != run.chain_sha256:
        return []  # the chain's own check has named the row
    if witness.chain_sha256 == run.chain_sha256 or not _supported(witness, own):
        words = f"The witness of run {run.run_seq} was changed ({', '.join(differing)}); the row gives its own digest."
        return [changed(where, words)]
    words = (
        f"The row of {run_words(run.run_seq, run.chain_no)} was changed and its digest made anew: the witness in the "
        f"evidence store says otherwise ({', '.join(differing)})."
    )
    return [changed(f"run {run.run_seq}", words)]


_COMPARED = ("chain_no", "status", "previous_sha256", "chain_sha256", "inputs_sha256", "outcome_sha256")


def _supported(witness: Witness, own: Mapping[int, Witness]) -> bool:
    """Return whether a neighbour in the chain of witnesses bears a witness out; alone it is believed."""
    after = [one for one in own.values() if one.chain_no == witness.chain_no + 1]
    if after:
        return any(one.previous_sha256 == witness.chain_sha256 for one in after)
    return not own or len(own) == 1 or not _contradicted(witness, own)


def _contradicted(witness: Witness, own: Mapping[int, Witness]) -> bool:
    before = [one for one in own.values() if one.chain_no == witness.chain_no - 1]
    return bool(before) and all(one.chain_sha256 != witness.previous_sha256 for one in before)


def _unlinked(run: RunRecord, witness: Witness) -> Breach:
    words = (
        f"{run_words(run.run_seq, witness.chain_no).capitalize()} was finalised as its witness says, but its row has "
        "no place in the chain: the row was changed, or finalising was broken off at the very end."
    )
    return changed(f"run {run.run_seq}", words)
