"""Tables that parts of the domain hand each other, and that none of them could take from another."""

from __future__ import annotations

import pyarrow as pa

_INSTANT = pa.timestamp("us", "UTC")

ATTEMPT = pa.schema(
    [
        ("batch_id", pa.string()), ("employee_number", pa.string()), ("certificate_type", pa.string()),
        ("payload_sha256", pa.string()), ("sent_at", _INSTANT), ("answered_at", _INSTANT),
        ("http_status", pa.int32()), ("message", pa.string()), ("state", pa.string()),
        ("in_doubt", pa.bool_()),
    ]
)  # fmt: skip
"""One row of one request. `state` is what the answer made of the ledger entry, `acknowledged` or `rejected`, null where
it decided nothing; `in_doubt` says that the row may be saved although no answer says so."""

LEDGER_STATES = pa.schema(
    [
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("state", pa.string()),
        ("run_seq", pa.int64()),
    ]
)
"""What became of entries of the ledger, and which run wrote each last."""
