"""Since which run a claim has had its disposition, over all other changes of the claim."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.dispositions.inputs import PREVIOUS_CLAIMS
from certrecon.dispositions.winners import keys_of

BEFORE = pa.schema([
    PREVIOUS_CLAIMS.field(name) for name in ("certificate_id", "certificate_type", "disposition", "since_run_seq")
])  # fmt: skip
"""The columns of `PREVIOUS_CLAIMS` that are looked at."""


def since_runs(claims: pa.Table, previous: pa.Table, run_seq: int) -> pa.Array:
    """Return since which run each claim has had its disposition (int64).

    Args:
        claims: Schema `DECIDED`; settled, where a publishing run came to that.
        previous: Schema `BEFORE`; other columns are not looked at.
        run_seq: The run itself: since then, where the disposition was another one before or none.
    """
    # Most claims of a night are not asked about, and keys are longer than ids.
    known = pc.is_in(previous.column("certificate_id"), value_set=claims.column("certificate_id").combine_chunks())
    previous = previous.select(BEFORE.names).filter(known)
    place = pc.index_in(_keys(claims), value_set=_keys(previous))
    before = previous.column("disposition").combine_chunks().take(place)
    since = previous.column("since_run_seq").combine_chunks().take(place)
    same = pc.fill_null(pc.equal(before, claims.column("disposition").combine_chunks()), False)
    this = pa.scalar(run_seq, pa.int64())
    return pc.fill_null(pc.if_else(same, since, this), this)


def _keys(claims: pa.Table) -> pa.Array:
    types = pc.fill_null(claims.column("certificate_type"), "")
    return keys_of(claims.column("certificate_id"), types)
