"""Claims as the pipeline decided them and as the oracle calculates them, in one form."""

from __future__ import annotations

import unicodedata

from tests.contract.pipeline import Night
from tests.oracle.world import Claim, Result, Row, payload_sha256

CLAIM_COLUMNS = [name for name in Claim.__dataclass_fields__ if name not in {"payload", "disposition", "findings"}]


def decided_claims(night: Night) -> list[Row]:
    """Return the claims that a night decided, by certificate and type."""
    rows = sorted(night.decided(), key=lambda row: (row["certificate_id"], row["certificate_type"] or ""))
    return [
        _composed({name: row[name] for name in CLAIM_COLUMNS})
        | {"findings": row["findings"], "disposition": row["disposition"], "payload": row["payload_sha256"]}
        for row in rows
    ]


def oracle_claims(result: Result) -> list[Row]:
    """Return the claims that the oracle calculated, by certificate and type."""
    return [
        _composed({name: getattr(claim, name) for name in CLAIM_COLUMNS})
        | {
            "findings": list(claim.findings),
            "disposition": claim.disposition,
            "payload": payload_sha256(claim.payload) if claim.payload else None,
        }
        for claim in result.claims
    ]


def _composed(row: Row) -> Row:
    """Let a name in decomposed letters be the same name: the project composes it, the contract does not say."""
    name = row["person_name"]
    return row | {"person_name": name and " ".join(unicodedata.normalize("NFC", name).split())}
